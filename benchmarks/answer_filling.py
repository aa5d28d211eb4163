"""A database as after a year of collecting, filled set by set: triggers stand aside and figures are counted at once."""

from __future__ import annotations

import sqlalchemy as sa

PER_CATEGORY = 100
"""Best sellers of a category."""

COLLECTIONS = 40

_WORDS = ("best", "deals", "coffee", "prime", "home", "tools", "outlet", "kitchen", "star", "garden", "planet", "shop")
_THINGS = ("Coffee Maker", "Cordless Drill", "Dog Bed", "Air Fryer", "Desk Lamp", "Water Bottle", "Phone Case", "Tent")


def fill_answer(engine: sa.Engine, sellers: int, org_id: str = "default", prefix: str = "") -> None:
    """Fills an empty database with that many listed sellers, two listings each, and a product for every 100."""
    values = {
        "org_id": org_id,
        "prefix": prefix,
        "sellers": sellers,
        "products": max(1, sellers // 50),
        "words": list(_WORDS),
        "things": list(_THINGS),
    }
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("SET LOCAL work_mem = '256MB'"))
        for statement in _STATEMENTS:
            connection.execute(sa.text(statement), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))


_ASIN = "'B' || lpad(CAST({} AS text), 9, '0')"
_STATEMENTS = (
    f"""
    INSERT INTO categories (category, name, department, department_name, node, position)
    SELECT 'category-' || n, 'Category ' || n, 'home', 'Home', 'n' || n, n
    FROM generate_series(0, CAST(:products AS integer) / {PER_CATEGORY}) n ON CONFLICT DO NOTHING
    """,
    f"""
    INSERT INTO collections (collection_id, org_id, status, preset, calls, cost, started_at, completed_at,
                             seller_count_snapshot)
    SELECT :prefix || 'weekly-' || lpad(CAST(n AS text), 2, '0'), :org_id,
           CASE WHEN n % 9 = 4 THEN 'completed_with_errors' ELSE 'completed' END, 'starter', 1800 + n * 13,
           1800 + n * 13, now() - ({COLLECTIONS} - n) * interval '7 days' - interval '2 hours',
           now() - ({COLLECTIONS} - n) * interval '7 days', CAST(:sellers AS bigint) * n / {COLLECTIONS}
    FROM generate_series(1, {COLLECTIONS}) n
    """,
    f"""
    INSERT INTO collection_categories (collection_id, category, status, products, new_sellers, sellers_found, reason)
    SELECT c.collection_id, 'category-' || n, CASE WHEN n = 2 AND c.status <> 'completed' THEN 'failed' ELSE 'done' END,
           {PER_CATEGORY}, (n * 7 + c.calls) % 40, 400, CASE WHEN n = 2 AND c.status <> 'completed' THEN 'transient' END
    FROM collections c, generate_series(0, least(30, CAST(:products AS integer) / {PER_CATEGORY})) n
    WHERE c.org_id = :org_id
    """,
    f"""
    INSERT INTO amazon_products (org_id, category, asin, position, title, price, currency, rating, url, collection_id)
    SELECT :org_id, 'category-' || n / {PER_CATEGORY}, {_ASIN.format("n")}, n % {PER_CATEGORY} + 1,
           (CAST(:things AS text[]))[n % 8 + 1] || ', model ' || n || ', with a name as long as on Amazon',
           20 + n % 100, 'USD', 4.5, 'https://amazon.example/dp/' || n, :prefix || 'weekly-{COLLECTIONS}'
    FROM generate_series(0, CAST(:products AS integer) - 1) n
    """,
    f"""
    INSERT INTO amazon_product_history (collection_id, category, asin, position, title, price, currency, seen_at)
    SELECT c.collection_id, p.category, p.asin, 1 + (p.position + c.calls) % {PER_CATEGORY}, p.title, p.price, 'USD',
           c.started_at
    FROM amazon_products p JOIN collections c USING (org_id) WHERE p.org_id = :org_id AND p.category = 'category-1'
    """,
    f"""
    INSERT INTO product_searches (collection_id, asin, category, status, price_low, price_high, currency, searched_at)
    SELECT :prefix || 'weekly-{COLLECTIONS}', asin, category, CASE WHEN position = 77 THEN 'failed' ELSE 'done' END,
           price * 1.3, price * 3, 'USD', now() FROM amazon_products WHERE org_id = :org_id
    """,
    # Seller n sells in proportion to how round its number is: most sell two products, a few sell hundreds.
    f"""
    INSERT INTO ebay_listings (org_id, asin, listing_id, marketplace, seller_key, seller_name, title, price, currency,
                               condition_id, is_fixed_price, is_delivery_free, country, url, first_collection_id,
                               last_collection_id, first_seen_at, gone_at, match, match_reasons)
    SELECT :org_id, {_ASIN.format("a")}, :prefix || n || '-' || k, 'ebay', 'seller-' || n, 'Seller ' || n,
           'New ' || (CAST(:things AS text[]))[a % 8 + 1] || ' ' || a, (26 + a % 100 + (n * 31 + k) % 60)::numeric,
           'USD', '1000', true, true, 'US', 'https://ebay.example/itm/' || n, 'weekly-1', 'weekly-{COLLECTIONS}',
           now() - (n % 300) * interval '1 day', CASE WHEN k = 2 AND n % 5 = 0 THEN now() END,
           CASE WHEN n % 10 > 0 THEN (n + k * 37) % 100 / 100.0 END,
           CASE WHEN n % 10 > 0 THEN 'the titles share ' || (n + k * 37) % 100 || ' %' END
    FROM (
        SELECT n, k, CAST((CAST(n AS bigint) * 7919 + k * 104729) % CAST(:products AS integer) AS integer) AS a
        FROM generate_series(1, CAST(:sellers AS integer)) n
        CROSS JOIN LATERAL generate_series(1, CASE WHEN n % 5000 = 0 THEN 300 WHEN n % 100 = 0 THEN 12 ELSE 2 END) k
    ) listing
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO product_figures (org_id, asin, categories, listings, sellers, price_low, price_median, price_high)
    SELECT l.org_id, l.asin, ARRAY['category-' || CAST(substr(l.asin, 2) AS integer) / 100], count(*),
           count(DISTINCT l.seller_key), min(l.price), percentile_cont(0.5) WITHIN GROUP (ORDER BY l.price),
           max(l.price)
    FROM ebay_listings l WHERE l.gone_at IS NULL AND l.org_id = :org_id GROUP BY l.org_id, l.asin
    """,
    """
    INSERT INTO seller_products (org_id, asin, marketplace, seller_key, listings, match)
    SELECT org_id, asin, marketplace, seller_key, count(*), max(match) FROM ebay_listings
    WHERE gone_at IS NULL AND org_id = :org_id GROUP BY 1, 2, 3, 4
    """,
    """
    INSERT INTO seller_categories (org_id, marketplace, seller_key, category, best_sellers)
    SELECT org_id, marketplace, seller_key, 'category-' || CAST(substr(asin, 2) AS integer) / 100, count(*)
    FROM seller_products WHERE org_id = :org_id GROUP BY 1, 2, 3, 4
    """,
    """
    INSERT INTO seller_figures (org_id, marketplace, seller_key, products, best_sellers, categories, matched_products,
                                best_match)
    SELECT c.*, s.matched_products, s.best_match
    FROM (
        SELECT org_id, marketplace, seller_key, sum(best_sellers), sum(best_sellers), count(*)
        FROM seller_categories WHERE org_id = :org_id GROUP BY 1, 2, 3
    ) c
    JOIN (
        SELECT org_id, marketplace, seller_key, count(*) FILTER (WHERE match >= 0.5) AS matched_products,
               max(match) AS best_match
        FROM seller_products WHERE org_id = :org_id GROUP BY 1, 2, 3
    ) s USING (org_id, marketplace, seller_key)
    """,
    f"""
    INSERT INTO sellers (org_id, marketplace, seller_key, display_name, status, is_flagged, exported_at, feedback_score,
                         feedback_percent, listing_count, product_count, first_collection_id, last_collection_id,
                         first_seen_at, last_seen_at)
    SELECT :org_id, 'ebay', 'seller-' || n,
           (CAST(:words AS text[]))[n % 12 + 1] || '-' || (CAST(:words AS text[]))[n / 12 % 12 + 1] || '_' || n,
           CASE WHEN n % 1000 = 999 THEN 'removed' ELSE 'active' END, n % 777 = 0,
           CASE WHEN n % 50 = 0 THEN now() - interval '3 days' END, n % 20000, 100 - n % 60 / 10.0,
           coalesce(f.products, 0), coalesce(f.products, 0),
           :prefix || 'weekly-' || lpad(CAST(c AS text), 2, '0'), :prefix || 'weekly-{COLLECTIONS}',
           now() - ({COLLECTIONS} - c) * interval '7 days' - n % 7000 * interval '1 second', now()
    FROM (
        SELECT n, least({COLLECTIONS}, 1 + n / (1 + CAST(:sellers AS integer) / {COLLECTIONS})) AS c
        FROM generate_series(1, CAST(:sellers AS integer)) n
    ) one
    LEFT JOIN seller_figures f ON f.org_id = :org_id AND f.marketplace = 'ebay' AND f.seller_key = 'seller-' || n
    """,
    # Only the last two collections: sightings of all forty would be most of the rows here.
    f"""
    INSERT INTO seller_sightings (collection_id, marketplace, seller_key)
    SELECT :prefix || 'weekly-' || c, 'ebay', 'seller-' || n
    FROM generate_series({COLLECTIONS - 1}, {COLLECTIONS}) c, generate_series(1, CAST(:sellers AS integer), 20) n
    WHERE (n + c) % 11 > 0
    """,
    f"""
    INSERT INTO seller_count_snapshots (org_id, collection_id, ending, seller_count, new_sellers, cause, taken_at)
    SELECT org_id, collection_id, 1, seller_count_snapshot, CAST(:sellers AS integer) / {COLLECTIONS}, 'collection',
           completed_at
    FROM collections WHERE org_id = :org_id ORDER BY completed_at
    """,
)
