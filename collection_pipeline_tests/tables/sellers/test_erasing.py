"""A seller who asks to be forgotten is nowhere, stays away, and the log still adds up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.edits import NewSeller, SellerUpdate
from collection_pipeline.tables.schema.tables import metadata
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import ORG, collect, listing, rows, start
from collection_pipeline_tests.tables.sellers.test_edits import assert_adds_up, names

ANNA = Author("anna")
FOUND = {"B000000001": [listing("1", "Shy.Seller"), listing("2", "bold")]}


@pytest.fixture
def known(store: Store) -> Store:
    """Shy.Seller was found, renamed by hand, flagged, and is on two lists."""
    start(store, "c1", "home")
    collect(store, "c1", "home", FOUND)
    store.edits.update(ORG, "shy.seller", SellerUpdate("Shy Ltd", "rang on Monday: shy.seller", is_flagged=True), ANNA)
    store.edits.add("acme", [NewSeller("SHY.SELLER")], ANNA)
    return store


def test_an_erased_seller_is_in_no_row_of_any_table(known: Store) -> None:
    assert known.erasure.erase("Shy.Seller", "anna") == 2
    for table in metadata.tables:
        for row in rows(known, f"SELECT to_jsonb(t)::text FROM {table} t"):
            assert "shy" not in str(row).lower(), table
    assert names(known) == ["bold"]
    assert names(known, "acme") == []


def test_the_log_adds_up_after_an_erasure_and_says_that_there_was_one(known: Store) -> None:
    known.erasure.erase("shy.seller", "anna")
    assert_adds_up(known)
    assert_adds_up(known, "acme")
    erased = "SELECT org_id, actor, affected_count, seller_count_snapshot FROM seller_audit_log WHERE action = 'erased'"
    assert sorted(rows(known, erased)) == [("acme", "anna", 1, 0), (ORG, "anna", 1, 1)]


def test_an_erased_seller_comes_back_by_no_collection_and_no_edit(known: Store) -> None:
    known.erasure.erase("shy.seller", "anna")
    start(known, "c2", "home", "more")
    collect(known, "c2", "home", FOUND)
    assert rows(known, "SELECT seller_key FROM ebay_listings") == [("bold",)]
    assert names(known) == ["bold"]
    with pytest.raises(PipelineError, match="row 2 names a seller who was erased"):
        known.edits.add(ORG, [NewSeller("fine"), NewSeller(" SHY.seller ")], ANNA)
    with pytest.raises(PipelineError, match="erased before"):
        known.erasure.erase("shy.seller", "anna")
    assert "shy" not in str(rows(known, "SELECT * FROM erased_sellers")).lower()


def test_a_present_name_is_enough_if_it_means_one_seller(known: Store) -> None:
    known.edits.update(ORG, "bold", SellerUpdate("Shy Ltd"), ANNA)
    with pytest.raises(PipelineError, match=r"means several sellers: bold, shy\.seller"):
        known.erasure.erase("Shy Ltd", "anna")
    known.erasure.erase("bold", "anna")
    assert names(known) == ["Shy Ltd"]


def test_who_is_not_known_can_be_kept_away_before_being_found(store: Store) -> None:
    assert store.erasure.erase("Shy.Seller", "anna") == 0
    start(store, "c1", "home")
    collect(store, "c1", "home", FOUND)
    assert names(store) == ["bold"]


def test_a_search_that_is_being_written_down_brings_nobody_back(known: Store) -> None:
    with ThreadPoolExecutor() as pool, known.engine.begin() as search:
        search.execute(
            sa.text(
                "UPDATE ebay_listings SET seller_key = 'shy.seller', seller_name = 'Shy.Seller'"
                " WHERE seller_key = 'bold'"
            )
        )
        erasing = pool.submit(known.erasure.erase, "Shy.Seller", "anna")
        while not rows(known, "SELECT pid FROM pg_locks WHERE NOT granted"):
            assert not erasing.done()
        search.commit()
        erasing.result(timeout=30)
    assert rows(known, "SELECT seller_key FROM ebay_listings") == []
