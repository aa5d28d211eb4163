"""Categories that share sellers replace their lists at once: all of them succeed, and the figures are exact."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from collection_pipeline.tables.schema.deadlocks import TRIES, again_after_deadlock
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import ORG, collect, listing, product, rows, start
from collection_pipeline_tests.tables.schema.test_figures import assert_exact

SELLERS = 15


def asins(category: int, generation: int) -> list[str]:
    """Products of a category, the nth of which only the nth seller sells, in one order or the other."""
    found = [f"B{category}{generation}{number:08}" for number in range(SELLERS)]
    return found if category % 2 else found[::-1]


def test_categories_with_the_same_sellers_replace_their_lists_at_once(store: Store) -> None:
    categories = range(4)
    start(store, "c", *[f"books-{one}" for one in categories])
    for one in categories:
        sold = [asin for generation in (0, 1) for asin in asins(one, generation)]
        collect(store, "c", f"books-{one}", {asin: [listing(f"l-{asin}", f"seller-{asin[-8:]}")] for asin in sold})

    def replace(one: int) -> None:
        for turn in range(6):
            listed = [product(asin, at) for at, asin in enumerate(asins(one, turn % 2), start=1)]
            store.products.replace(ORG, "c", f"books-{one}", listed, calls=0)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(replace, categories))
    assert rows(store, "SELECT count(*) FROM amazon_products") == [(4 * SELLERS,)]
    assert_exact(store)


def test_what_met_a_deadlock_is_done_again_and_nothing_else_is(store: Store) -> None:
    tried: list[str] = []

    @again_after_deadlock
    def fail(state: str) -> None:
        tried.append(state)
        with store.engine.begin() as connection:
            connection.execute(sa.text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"))

    for state in ("40P01", "53100"):
        with pytest.raises(sa.exc.OperationalError):
            fail(state)
    assert tried == ["40P01"] * TRIES + ["53100"]
