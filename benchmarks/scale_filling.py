"""A database of any size, filled through the triggers that keep its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import sqlalchemy as sa

PER_PRODUCT = 50
"""Listings of a product."""

PER_CATEGORY = 100
"""Best sellers of a category."""

PER_SELLER = 20
"""Listings of a seller."""

CHUNK = 2_000
"""Products a statement."""

HALVES = 2
"""Parts that are filled at once, each with sellers of its own: one for each core of a small machine."""

EVENTS_PER_LISTING = 5

COLLECTIONS = 1_000

WEEKS = 20
"""Weeks that the events are spread over. They lie ahead, because partitions are made ahead."""

EVENTS_CHUNK = 500_000


def category_of(product: int) -> str:
    """The category whose list a product is on."""
    return f"category-{product // PER_CATEGORY}"


def fill_scaled(engine: sa.Engine, listings: int) -> None:
    """Fills an empty database with that many listings, a twentieth as many listed sellers, a product for every 50, and
    five events a listing, of a thousand collections."""
    products, sellers = max(1, listings // PER_PRODUCT), max(1, listings // PER_SELLER)
    events = listings * EVENTS_PER_LISTING
    run(engine, _COLLECTIONS)
    run(engine, _WEEKS)
    side_by_side(partial(fill_listings, engine, half, products, sellers) for half in range(HALVES))
    side_by_side(partial(fill_events, engine, half, events) for half in range(HALVES))
    run(engine, _SELLERS, {"sellers": sellers})
    run(engine, _CHANGE, {"sellers": sellers})
    run(engine, _SEARCHES)
    run(engine, _SNAPSHOTS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def side_by_side(work: Iterable[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(HALVES) as pool:
        for done in [pool.submit(part) for part in work]:
            done.result()


def fill_listings(engine: sa.Engine, half: int, products: int, sellers: int) -> None:
    """One half of the products with their listings, whose sellers sell nothing of the other half."""
    start, end = half * products // HALVES, (half + 1) * products // HALVES
    sold_by = {"half": half, "sellers": max(1, sellers // HALVES)}
    for first in range(start, end, CHUNK):
        chunk = {"first": first, "last": min(end, first + CHUNK) - 1}
        run(engine, _PRODUCTS, chunk)
        run(engine, _LISTINGS, chunk | sold_by)


def fill_events(engine: sa.Engine, half: int, events: int) -> None:
    start, end = half * events // HALVES, (half + 1) * events // HALVES
    for first in range(start, end, EVENTS_CHUNK):
        run(engine, _EVENTS, {"first": first, "last": min(end, first + EVENTS_CHUNK) - 1, "events": events})


def run(engine: sa.Engine, statement: str, values: dict[str, int] | None = None) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values or {})


_COLLECTIONS = f"""
    INSERT INTO collections (collection_id, org_id, status, started_at, completed_at)
    SELECT 'c' || n, 'default', 'completed', now() - n * interval '1 day', now() - n * interval '1 day'
    FROM generate_series(1, {COLLECTIONS}) n
"""  # noqa: S608
_WEEKS = f"SELECT make_event_weeks(now() + interval '{WEEKS + 1} weeks')"
_PRODUCTS = f"""
    INSERT INTO amazon_products (org_id, category, asin, position, title, price, currency, url, collection_id)
    SELECT 'default', 'category-' || n / {PER_CATEGORY}, 'B' || lpad(CAST(n AS text), 9, '0'), n % {PER_CATEGORY} + 1,
           'A product called ' || n, 20 + n % 100, 'USD', 'https://amazon.example', 'c1'
    FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) n
"""  # noqa: S608
_LISTINGS = f"""
    INSERT INTO ebay_listings (org_id, asin, listing_id, marketplace, seller_key, seller_name, title, price, currency,
                               condition_id, is_fixed_price, is_delivery_free, country, url, first_collection_id,
                               last_collection_id)
    SELECT 'default', 'B' || lpad(CAST(n / {PER_PRODUCT} AS text), 9, '0'), 'l' || n, 'ebay',
           'seller-' || (n * 7919) % CAST(:sellers AS bigint) * {HALVES} + :half, 'Seller', 'Listing', 40 + n % 50,
           'USD', '1000', true, true, 'US', 'https://ebay.example', 'c1', 'c1'
    FROM generate_series(CAST(:first AS bigint) * {PER_PRODUCT}, (CAST(:last AS bigint) + 1) * {PER_PRODUCT} - 1) n
"""  # noqa: S608
_EVENTS = f"""
    INSERT INTO activity_events (timestamp, run_id, collection_id, worker_id, phase, action, category, product_name,
                                 new_sellers_count, url, api_params, duration_ms, attempt, items_count)
    SELECT now() + n * (interval '{WEEKS} weeks' / :events), 'run-' || n / 500, 'c' || n * {COLLECTIONS} / :events + 1,
           n % 5 + 1, 'ebay', CASE n % 5 WHEN 0 THEN 'found' WHEN 1 THEN 'complete' ELSE 'fetching' END,
           'category-' || n / 500, 'A product with a title of the usual length, number ' || n, n % 3,
           'https://api.ebay.example/buy/browse/v1/item_summary/search',
           CAST('{{"q": "a product with a title of the usual length", "limit": 200}}' AS jsonb), 200 + n % 50, 1,
           n % 200
    FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n
"""  # noqa: S608
_SELLERS = """
    INSERT INTO sellers (org_id, marketplace, seller_key, display_name, first_collection_id)
    SELECT 'default', 'ebay', 'seller-' || n, 'Seller ' || n, 'c' || n % 1000 + 1
    FROM generate_series(0, CAST(:sellers AS bigint) - 1) n
"""
_CHANGE = """
    INSERT INTO seller_audit_log (org_id, action, actor, source, affected_count, old_values, new_values,
                                  seller_count_snapshot)
    SELECT 'default', 'discovered', 'run', 'collection', count(*), CAST('[]' AS jsonb),
           jsonb_agg(jsonb_build_object('marketplace', 'ebay', 'seller_key', 'seller-' || n, 'display_name',
                                        'Seller ' || n, 'status', 'active')), :sellers
    FROM generate_series(1, 100) n
    UNION ALL
    SELECT 'default', 'updated', 'anna', 'manual', 100, CAST('[]' AS jsonb),
           jsonb_agg(jsonb_build_object('marketplace', 'ebay', 'seller_key', 'seller-' || n, 'display_name',
                                        'Renamed ' || n, 'status', 'active')), :sellers
    FROM generate_series(1, 100) n
"""
_SEARCHES = f"""
    INSERT INTO product_searches (collection_id, asin, category, status)
    SELECT 'c1', 'B' || lpad(CAST(n AS text), 9, '0'), 'category-' || n / {PER_CATEGORY}, 'planned'
    FROM generate_series(0, 999) n
"""  # noqa: S608
_SNAPSHOTS = """
    INSERT INTO seller_count_snapshots (org_id, collection_id, seller_count, new_sellers, cause, taken_at)
    SELECT 'default', NULL, n, 0, 'manual', now() - n * interval '1 hour' FROM generate_series(1, 2000) n
"""
