"""Products, searches, listings: what is committed, and what running twice changes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy.exc import DBAPIError

from collection_pipeline.core.collecting.listings import Listing
from collection_pipeline.core.collecting.searches import PlannedSearch, SearchedPage, SearchStatus
from collection_pipeline.core.money import Money, PriceBand
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import ORG, collect, done, listing, product, rows, start

FOUND = {
    "B000000001": [listing("1", "Ann"), listing("2", "bob")],
    "B000000002": [listing("1", "ANN"), listing("3", "cid")],
    "B000000003": [],
}


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All output tables without their time stamps and the audit log's ids."""
    return {
        "products": rows(store, "SELECT category, asin, position, title, price FROM amazon_products ORDER BY 1, 2"),
        "listings": rows(
            store, "SELECT asin, listing_id, seller_key, price, gone_at IS NULL FROM ebay_listings ORDER BY 1, 2"
        ),
        "sellers": rows(
            store,
            "SELECT seller_key, display_name, status, listing_count, product_count, first_collection_id, "
            "last_collection_id FROM sellers ORDER BY 1",
        ),
        "audit": rows(store, "SELECT action, affected_count, new_values, seller_count_snapshot FROM seller_audit_log"),
        "searches": rows(store, "SELECT asin, status, listings FROM product_searches ORDER BY 1"),
        "sightings": rows(store, "SELECT collection_id, seller_key FROM seller_sightings ORDER BY 1, 2"),
        "history": rows(store, "SELECT category, asin, position, price FROM amazon_product_history ORDER BY 1, 2"),
    }


def test_collecting_the_same_twice_changes_nothing(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", FOUND)
    once = contents(store)
    collect(store, "c1", "books", FOUND)
    assert contents(store) == once


def test_sellers_rebuilt_from_listings_by_another_collection_change_nothing(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", FOUND)
    once = contents(store)
    store.control.enter("run-2", "books", "run-2", org_id=ORG)
    merged = store.sellers.merge(ORG, "run-2", "books", actor="run 2")
    assert (merged.found, merged.new, merged.known) == (3, 0, 3)
    again = contents(store)
    # That the second collection saw them too is all that is new.
    assert again.pop("sightings") == once.pop("sightings") + [("run-2", key) for key in ("ann", "bob", "cid")]
    assert again == once


def test_a_seller_is_one_row_however_its_name_is_written(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", FOUND)
    assert rows(store, "SELECT seller_key, listing_count, product_count FROM sellers ORDER BY 1") == [
        ("ann", 1, 2),
        ("bob", 1, 1),
        ("cid", 1, 1),
    ]


def test_a_product_that_left_the_best_sellers_leaves_the_list_but_not_the_history(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", FOUND)
    store.control.enter("c2", "books", "run-2", org_id=ORG)
    store.products.replace(ORG, "c2", "books", [product("B000000009")], calls=1)
    assert rows(store, "SELECT asin FROM amazon_products") == [("B000000009",)]
    assert rows(store, "SELECT count(*) FROM amazon_product_history") == [(4,)]


def test_a_product_of_two_categories_is_planned_for_the_first_only(store: Store) -> None:
    start(store, "c1", "books", "toys")
    shared = PlannedSearch("B000000001", "Title", Money(product("x").price.amount, "USD"))  # type: ignore[union-attr]
    store.searches.add("c1", "books", [shared])
    store.searches.add("c1", "toys", [shared])
    assert store.searches.pending("c1", "books") == {"B000000001": 0}
    assert store.searches.pending("c1", "toys") == {}


def test_a_product_skipped_for_want_of_a_price_is_taken_over_by_a_category_that_has_one(store: Store) -> None:
    start(store, "c1", "books", "toys")
    store.searches.add("c1", "books", [PlannedSearch("B000000001", "Title", None)])
    store.searches.checkpoints(ORG, "c1").record(done("B000000001", SearchStatus.SKIPPED, "no_price"), [])
    store.searches.add("c1", "toys", [PlannedSearch("B000000001", "Title", None)])
    assert store.searches.pending("c1", "toys") == {}
    store.searches.add("c1", "toys", [PlannedSearch("B000000001", "Title", product("x").price)])
    assert store.searches.pending("c1", "toys") == {"B000000001": 0}


def test_finished_searches_are_not_pending_and_failed_ones_are(store: Store) -> None:
    start(store, "c1", "books")
    asins = ["B000000001", "B000000002", "B000000003", "B000000004"]
    store.searches.add("c1", "books", [PlannedSearch(asin, "Title", None) for asin in asins])
    checkpoints = store.searches.checkpoints(ORG, "c1")
    checkpoints.record(done(asins[0]), [listing("1", "ann")])
    checkpoints.record(done(asins[1]), [])
    checkpoints.record(done(asins[2], SearchStatus.FAILED, "transient"), [])
    assert store.searches.pending("c1", "books") == {asins[2]: 1, asins[3]: 0}


def test_only_a_search_that_ran_to_its_end_says_that_a_listing_is_gone(store: Store) -> None:
    current = "SELECT listing_id FROM ebay_listings WHERE gone_at IS NULL ORDER BY 1"

    def searched(collection_id: str, page: SearchedPage, *listings: Listing) -> list[tuple[object, ...]]:
        store.control.enter(collection_id, "books", "run", org_id=ORG)
        store.searches.add(collection_id, "books", [PlannedSearch("B000000001", "Title", None)])
        store.searches.checkpoints(ORG, collection_id).record(page, listings)
        return rows(store, current)

    ann, bob, cid = listing("1", "ann"), listing("2", "bob"), listing("3", "cid")
    whole = replace(done("B000000001"), saw_everything=True)
    assert searched("c1", whole, ann, bob) == [("1",), ("2",)]
    assert searched("c2", replace(whole, status=SearchStatus.FAILED), cid) == [("1",), ("2",), ("3",)]
    assert searched("c3", done("B000000001"), cid) == [("1",), ("2",), ("3",)]  # enough pages, but not all
    assert searched("c4", replace(whole, status=SearchStatus.PLANNED), bob) == [("1",), ("2",), ("3",)]
    assert searched("c4", whole) == [("2",)]
    assert searched("c5", whole, ann, bob) == [("1",), ("2",)]
    other_band = PriceBand(Decimal(1), Decimal(2), "USD")
    assert searched("c6", replace(whole, band=other_band)) == [("1",), ("2",)]
    assert searched("c7", whole) == []


def test_two_collections_that_share_a_product_do_not_erase_each_others_evidence(store: Store) -> None:
    for collection_id in ("c1", "c2"):
        store.control.enter(collection_id, "books", "run", org_id=ORG)
        store.searches.add(collection_id, "books", [PlannedSearch("B000000001", "Title", None)])
    first, second = (store.searches.checkpoints(ORG, collection_id) for collection_id in ("c1", "c2"))
    page = replace(done("B000000001", SearchStatus.PLANNED), saw_everything=False)
    last = replace(done("B000000001"), saw_everything=True)
    found = [listing("1", "ann"), listing("2", "bob"), listing("3", "cid")]
    first.record(page, found[:2])
    second.record(page, found[:2])
    first.record(last, found[2:])
    second.record(last, found[2:])
    assert rows(store, "SELECT count(*) FROM ebay_listings WHERE gone_at IS NULL") == [(3,)]
    assert rows(store, "SELECT listings FROM product_searches") == [(3,), (3,)]


def test_a_search_is_empty_if_none_of_its_pages_had_evidence(store: Store) -> None:
    start(store, "c1", "books")
    store.searches.add("c1", "books", [PlannedSearch("B000000001", "Title", None)])
    checkpoints = store.searches.checkpoints(ORG, "c1")
    checkpoints.record(replace(done("B000000001", SearchStatus.PLANNED), rejected={"condition": 2}), [])
    assert store.searches.pending("c1", "books") == {"B000000001": 1}
    checkpoints.record(replace(done("B000000001"), rejected={"condition": 1, "location": 1}), [])
    assert rows(store, "SELECT status, pages, calls, rejected FROM product_searches") == [
        ("empty", 2, 2, {"condition": 3, "location": 1})
    ]


def test_an_outcome_and_its_listings_are_committed_together_or_not_at_all(store: Store) -> None:
    start(store, "c1", "books")
    store.searches.add("c1", "books", [PlannedSearch("B000000001", "Title", None)])
    checkpoints = store.searches.checkpoints(ORG, "c1")
    with pytest.raises(DBAPIError):
        checkpoints.record(done("B000000001"), [listing("1", "ann"), listing("2", "bob", price="99999999999.00")])
    assert rows(store, "SELECT count(*) FROM ebay_listings") == [(0,)]
    assert store.searches.pending("c1", "books") == {"B000000001": 0}
