"""The match of every listing: written with its page, filled in afterwards, and what counts by it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import sqlalchemy as sa

from collection_pipeline.core.collecting.listings import Listing, ListingMatch
from collection_pipeline.core.collecting.product_match import matched
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.trends import Trend, TrendStore
from collection_pipeline_tests import past
from collection_pipeline_tests.tables.examples import ORG, collect, done, listing, product, rows, start

ASIN, OTHER = "B000000001", "B000000002"
MATCHES = "SELECT asin, listing_id, match FROM ebay_listings ORDER BY 1, 2"
OVERVIEW = "SELECT seller_key, matched_products, best_match FROM seller_overview ORDER BY 1"


def like(listing_id: str, seller: str, match: str | None) -> Listing:
    """A listing with a match; without one, as it was kept before there were matches."""
    found = listing(listing_id, seller)
    return replace(found, match=ListingMatch(Decimal(match), "a reason") if match else None)


def execute(store: Store, statement: str, **values: object) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def test_a_listing_keeps_the_match_of_the_search_that_last_saw_it(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {ASIN: [like("1", "ann", "0.900"), like("2", "bob", None)]})
    assert rows(store, "SELECT listing_id, match, match_reasons FROM ebay_listings ORDER BY 1") == [
        ("1", Decimal("0.900"), "a reason"),
        ("2", None, None),
    ]
    start(store, "c2", "books")
    collect(store, "c2", "books", {ASIN: [like("1", "ann", "0.200"), like("2", "bob", "0.700")]})
    assert rows(store, MATCHES) == [(ASIN, "1", Decimal("0.200")), (ASIN, "2", Decimal("0.700"))]


def test_sellers_carry_what_follows_from_it_at_once_and_also_when_it_is_less(store: Store) -> None:
    start(store, "c1", "books")
    found = {ASIN: [like("1", "ann", "0.900"), like("2", "ann", "0.300")], OTHER: [like("3", "ann", "0.500")]}
    collect(store, "c1", "books", found | {"B000000003": [like("4", "bob", None)]})
    assert rows(store, OVERVIEW) == [("ann", 2, Decimal("0.900")), ("bob", 0, None)]
    execute(store, "UPDATE ebay_listings SET gone_at = now() WHERE listing_id = '1'")
    assert rows(store, OVERVIEW) == [("ann", 1, Decimal("0.500")), ("bob", 0, None)]
    execute(store, "UPDATE ebay_listings SET match = 0.1 WHERE listing_id = '3'")
    assert rows(store, OVERVIEW) == [("ann", 0, Decimal("0.300")), ("bob", 0, None)]
    assert store.quality.wrong_figures(ORG, "books") == []


def test_the_check_finds_a_wrong_best_match(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {ASIN: [like("1", "ann", "0.900")]})
    execute(store, "UPDATE seller_figures SET best_match = 0.8")
    assert store.quality.wrong_figures(ORG, "books") == [ASIN]


def test_from_a_match_on_listings_are_evidence_and_all_are_without_one(store: Store) -> None:
    start(store, "c1", "books")
    found = [like("1", "ann", "0.700"), like("2", "bob", "0.699"), like("3", "cid", None), like("4", "bob", "0.100")]
    store.control.enter("c1", "books", "run-1", org_id=ORG)
    store.products.replace(ORG, "c1", "books", [product(ASIN)], calls=1)
    store.searches.add("c1", "books", store.products.searches(ORG, "c1", "books"))
    store.searches.checkpoints(ORG, "c1").record(done(ASIN), found)
    assert store.sellers.evidence(ORG, "books", 0.7) == 1
    assert store.sellers.merge(ORG, "c1", "books", actor="run", evidence_match=0.7).found == 1
    assert rows(store, "SELECT seller_key FROM sellers") == rows(store, "SELECT seller_key FROM seller_sightings")
    assert rows(store, "SELECT seller_key FROM sellers") == [("ann",)]
    assert store.sellers.evidence(ORG, "books") == 4
    assert store.sellers.merge(ORG, "c1", "books", actor="run").new == 2
    assert store.sellers.merge(ORG, "c1", "books", actor="run", evidence_match=1).found == 0
    assert rows(store, "SELECT count(*) FROM sellers") == [(3,)]  # who is on the list stays


def test_what_was_collected_before_is_filled_in_as_collecting_would(store: Store) -> None:
    start(store, "c1", "books")
    titled = [replace(one, title=f"Title of {ASIN}") for one in (listing("1", "ann"), listing("2", "bob"))]
    collect(store, "c1", "books", {ASIN: titled, OTHER: [like("3", "cid", "0.123")]})
    assert sum(store.matches.fill()) == 2
    expected = [one.match.probability for one in matched(f"Title of {ASIN}", titled) if one.match]
    assert rows(store, MATCHES) == [
        *((ASIN, str(number), match) for number, match in enumerate(expected, start=1)),
        (OTHER, "3", Decimal("0.123")),
    ]
    assert rows(store, OVERVIEW)[0][:2] == ("ann", 1)
    assert store.quality.wrong_figures(ORG, "books") == []
    assert sum(store.matches.fill()) == 0


def test_a_product_that_left_the_lists_is_still_known_by_its_title(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {ASIN: [listing("1", "ann")], OTHER: [listing("2", "bob")]})
    execute(store, "DELETE FROM amazon_products")
    execute(store, "DELETE FROM amazon_product_history WHERE asin = :asin", asin=OTHER)
    assert sum(store.matches.fill()) == 1
    assert [row[2] is None for row in rows(store, MATCHES)] == [False, True]


def test_filling_does_not_wait_for_who_is_writing_a_listing(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {ASIN: [listing("1", "ann"), listing("2", "bob")]})
    with store.engine.connect() as writing:
        writing.execute(sa.text("SELECT FROM ebay_listings WHERE listing_id = '1' FOR UPDATE"))
        assert sum(store.matches.fill()) == 1
    assert sum(store.matches.fill()) == 1


def test_filling_goes_on_behind_what_it_cannot_fill(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(
            sa.text("""
                INSERT INTO ebay_listings (org_id, asin, listing_id, marketplace, seller_key, seller_name, title, price,
                    currency, condition_id, is_fixed_price, is_delivery_free, country, url, first_collection_id,
                    last_collection_id)
                SELECT 'default', 'A', n::text, 'ebay', 'ann', 'ann', 'Title', 1, 'USD', '1000', true, true, 'US', '',
                       'c', 'c' FROM generate_series(1, 600) n
            """)
        )
    start(store, "c1", "books")
    collect(store, "c1", "books", {ASIN: [listing("1", "ann")]})
    assert sum(store.matches.fill()) == 1


def test_the_median_of_a_category_is_written_down_with_its_collection(store: Store) -> None:
    start(store, "c1", "books")
    found = [like("1", "ann", "0.100"), like("2", "bob", "0.800"), like("3", "cid", "0.900"), like("4", "dee", None)]
    collect(store, "c1", "books", {ASIN: found})
    assert store.matches.note_median(ORG, "c1", "books") == Decimal("0.800")
    assert rows(store, "SELECT median_match FROM collection_categories") == [(Decimal("0.800"),)]
    execute(store, past.COLLECTIONS)
    execute(store, past.matches("books", 0.9))
    assert TrendStore(store.engine, ORG, "books").median_match("c1") == Trend(0.8, (0.9,) * 6)
    execute(store, "UPDATE ebay_listings SET match = NULL")
    assert store.matches.note_median(ORG, "c1", "books") is None
