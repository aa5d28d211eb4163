"""Large tables, made by the server itself: sellers, listings, products and counts of one organisation."""

from __future__ import annotations

import sqlalchemy as sa

PRODUCTS = 100
"""Best sellers of a category."""


def fill(engine: sa.Engine, *, sellers: int, listings: int, categories: int) -> None:
    """Fills an empty database and lets the planner know."""
    add(engine, "default", sellers=sellers, listings=listings, categories=categories)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def add(engine: sa.Engine, org: str, *, sellers: int, listings: int, categories: int, collections: int = 50) -> None:
    """Adds an organisation's rows, and does not let the planner know. Its collections are c1, c2, … or acme-c1, …."""
    prefix = "c" if org == "default" else f"{org}-c"
    statements = (
        f"""INSERT INTO collections (collection_id, org_id, status, started_at, completed_at)
            SELECT '{prefix}' || n, '{org}', 'completed', now() - n * interval '1 day', now() - n * interval '1 day'
            FROM generate_series(1, {collections}) n""",
        f"""INSERT INTO amazon_products (org_id, category, asin, position, title, price, currency, url, collection_id)
            SELECT '{org}', 'category-' || n / {PRODUCTS}, 'B' || lpad(n::text, 9, '0'), n % {PRODUCTS} + 1,
                   'A product called ' || n, 20 + n % 100, 'USD', 'https://amazon.example', '{prefix}1'
            FROM generate_series(0, {categories * PRODUCTS} - 1) n""",
        f"""INSERT INTO ebay_listings (org_id, asin, listing_id, marketplace, seller_key, seller_name, title, price,
                                       currency, condition_id, is_fixed_price, is_delivery_free, country, url,
                                       first_collection_id, last_collection_id)
            SELECT '{org}', 'B' || lpad((n % {categories * PRODUCTS})::text, 9, '0'), 'l' || n, 'ebay',
                   'seller-' || (n * 7919::bigint) % {sellers}, 'Seller', 'Listing', 40 + n % 50, 'USD', '1000', true,
                   true, 'US', 'https://ebay.example', '{prefix}1', '{prefix}1'
            FROM generate_series(1, {listings}) n""",
        f"""INSERT INTO sellers (org_id, marketplace, seller_key, display_name, first_collection_id)
            SELECT '{org}', 'ebay', 'seller-' || n, 'Seller ' || n, '{prefix}' || n % {collections} + 1
            FROM generate_series(0, {sellers} - 1) n""",
        f"""INSERT INTO seller_count_snapshots (org_id, collection_id, seller_count, new_sellers, cause, taken_at)
            SELECT '{org}', NULL, n, 0, 'manual', now() - n * interval '1 hour' FROM generate_series(1, 2000) n""",
    )
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
