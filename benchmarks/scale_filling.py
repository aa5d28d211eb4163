"""A database of any size, filled through the triggers that keep its figures."""

from __future__ import annotations

import sqlalchemy as sa

PER_PRODUCT = 50
"""Listings of a product."""

PER_CATEGORY = 100
"""Best sellers of a category."""

PER_SELLER = 20
"""Listings of a seller."""

CHUNK = 2_000
"""Products a statement."""


def category_of(product: int) -> str:
    """The category whose list a product is on."""
    return f"category-{product // PER_CATEGORY}"


def fill_scaled(engine: sa.Engine, listings: int) -> None:
    """Fills an empty database with that many listings, a tenth as many listed sellers, and a product for every 50."""
    products, sellers = max(1, listings // PER_PRODUCT), max(1, listings // PER_SELLER)
    run(engine, _COLLECTIONS)
    for first in range(0, products, CHUNK):
        chunk = {"first": first, "last": min(products, first + CHUNK) - 1, "sellers": sellers}
        run(engine, _PRODUCTS, chunk)
        run(engine, _LISTINGS, chunk)
    run(engine, _SELLERS, {"sellers": sellers})
    run(engine, _CHANGE, {"sellers": sellers})
    run(engine, _SEARCHES)
    run(engine, _SNAPSHOTS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def run(engine: sa.Engine, statement: str, values: dict[str, int] | None = None) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values or {})


_COLLECTIONS = """
    INSERT INTO collections (collection_id, org_id, status, started_at, completed_at)
    SELECT 'c' || n, 'default', 'completed', now() - n * interval '1 day', now() - n * interval '1 day'
    FROM generate_series(1, 1000) n
"""
_PRODUCTS = f"""
    INSERT INTO amazon_products (org_id, category, asin, position, title, price, currency, url, collection_id)
    SELECT 'default', 'category-' || n / {PER_CATEGORY}, 'B' || lpad(CAST(n AS text), 9, '0'), n % {PER_CATEGORY} + 1,
           'A product called ' || n, 20 + n % 100, 'USD', 'https://amazon.example', 'c1'
    FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) n
    WHERE CAST(:sellers AS bigint) > 0
"""  # noqa: S608
_LISTINGS = f"""
    INSERT INTO ebay_listings (org_id, asin, listing_id, marketplace, seller_key, seller_name, title, price, currency,
                               condition_id, is_fixed_price, is_delivery_free, country, url, first_collection_id,
                               last_collection_id)
    SELECT 'default', 'B' || lpad(CAST(n / {PER_PRODUCT} AS text), 9, '0'), 'l' || n, 'ebay',
           'seller-' || (CAST(n AS bigint) * 7919) % CAST(:sellers AS bigint), 'Seller', 'Listing', 40 + n % 50, 'USD',
           '1000', true, true, 'US', 'https://ebay.example', 'c1', 'c1'
    FROM generate_series(CAST(:first AS bigint) * {PER_PRODUCT}, (CAST(:last AS bigint) + 1) * {PER_PRODUCT} - 1) n
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
