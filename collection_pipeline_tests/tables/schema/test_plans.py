"""The questions of docs/answers.md on large tables: an index serves wherever one can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from collection_pipeline.query import QUESTIONS
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline_tests.conftest import copied
from collection_pipeline_tests.tables.filling import fill

pytestmark = pytest.mark.xdist_group("plans")
"""Its tests share one fixture that takes long to make."""


@pytest.fixture(scope="module")
def large(server: sa.URL) -> Iterator[sa.Engine]:
    """A database with large tables, analysed."""
    engine = create_engine(copied(server, "template", "large"))
    # A tenth of the size that is promised, because the suite has to be quick; benchmarks/queries.py has all of it. What
    # the planner prefers at this size it prefers the more at ten times it.
    fill(engine, sellers=10_000, listings=100_000, categories=100)
    yield engine
    engine.dispose()


def scanned(engine: sa.Engine, query: str) -> set[str]:
    """The tables that a query's plan reads from end to end."""
    with engine.connect() as connection:
        [plan] = connection.execute(sa.text("EXPLAIN (FORMAT JSON) " + query)).scalar_one()

    def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for child in node.get("Plans", ()):
            yield from nodes(child)

    plans = json.loads(plan) if isinstance(plan, str) else plan
    return {node["Relation Name"] for node in nodes(plans["Plan"]) if node["Node Type"] == "Seq Scan"}


WHOLE: dict[str, set[str]] = {
    # These ask about everything, so that everything is read.
    "sellers_by_best_sellers": {"amazon_products", "ebay_listings", "sellers"},
    "price_spread": {"amazon_products", "ebay_listings"},
    "count_over_time": {"seller_count_snapshots"},
    # These ask about a few, and collections are few.
    "new_sellers": {"collections"},
    "sellers_of_a_category": set(),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_reads_only_those_tables_whole_that_it_is_about(large: sa.Engine, question: str) -> None:
    asked = QUESTIONS[question].replace("kitchen-coffee-machines", "category-7")
    assert scanned(large, asked) <= WHOLE[question]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM sellers WHERE seller_key = 'seller-7'",
        "SELECT * FROM category_sellers WHERE category = 'category-7'",
        "SELECT * FROM category_sellers WHERE seller_key = 'seller-7'",
        "SELECT * FROM ebay_listings WHERE seller_key = 'seller-7'",
        "SELECT * FROM ebay_listings WHERE org_id = 'default' AND asin = 'B000000007'",
        "SELECT * FROM amazon_products WHERE asin = 'B000000007'",
        "SELECT * FROM amazon_product_history WHERE asin = 'B000000007' ORDER BY seen_at",
        "SELECT * FROM activity_events WHERE collection_id = 'c1' ORDER BY id DESC LIMIT 100",
        "SELECT * FROM seller_count_snapshots WHERE org_id = 'default' ORDER BY taken_at DESC LIMIT 1",
    ],
)
def test_a_question_about_one_thing_reads_no_large_table_whole(large: sa.Engine, query: str) -> None:
    assert scanned(large, query) & {"sellers", "ebay_listings", "amazon_products", "seller_count_snapshots"} == set()
