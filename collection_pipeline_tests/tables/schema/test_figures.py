"""Figures that the database keeps: equal to what counting everything anew gives, whatever was done and by how many."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collection_pipeline.core.matching import DEFAULT_THRESHOLD
from collection_pipeline.tables.schema.figures import SAME_PRODUCT
from collection_pipeline.tables.server.filling import TO_BE_FILLED, fill_figures
from collection_pipeline.tables.store import Store

PRODUCTS = """
    SELECT f.org_id, f.asin, f.categories, f.listings, f.sellers, f.price_low, f.price_median, f.price_high
    FROM product_figures f WHERE f.listings > 0 OR f.categories <> '{}'
"""
PRODUCTS_COUNTED = """
    SELECT coalesce(l.org_id, p.org_id), coalesce(l.asin, p.asin), coalesce(p.categories, '{}'),
           coalesce(l.listings, 0), coalesce(l.sellers, 0), l.low, l.median, l.high
    FROM (SELECT org_id, asin, count(*) AS listings, count(DISTINCT (marketplace, seller_key)) AS sellers,
                 min(price) AS low, max(price) AS high,
                 percentile_cont(0.5) WITHIN GROUP (ORDER BY price)::numeric(12, 2) AS median
          FROM ebay_listings WHERE gone_at IS NULL GROUP BY 1, 2) l
    FULL JOIN (SELECT org_id, asin, array_agg(category ORDER BY category) AS categories
               FROM amazon_products GROUP BY 1, 2) p ON (p.org_id, p.asin) = (l.org_id, l.asin)
"""
PAIRS = "SELECT org_id, asin, marketplace, seller_key, listings, match FROM seller_products"
PAIRS_COUNTED = """
    SELECT org_id, asin, marketplace, seller_key, count(*), max(match)
    FROM ebay_listings WHERE gone_at IS NULL GROUP BY 1, 2, 3, 4
"""
CATEGORIES = "SELECT org_id, marketplace, seller_key, category, best_sellers FROM seller_categories"
CATEGORIES_COUNTED = """
    SELECT l.org_id, l.marketplace, l.seller_key, p.category, count(DISTINCT l.asin)
    FROM ebay_listings l JOIN amazon_products p ON (p.org_id, p.asin) = (l.org_id, l.asin)
    WHERE l.gone_at IS NULL GROUP BY 1, 2, 3, 4
"""
SELLERS = """
    SELECT org_id, marketplace, seller_key, products, best_sellers, categories, matched_products, best_match
    FROM seller_figures
"""
SELLERS_COUNTED = """
    SELECT l.org_id, l.marketplace, l.seller_key, count(DISTINCT l.asin), count(DISTINCT p.asin),
           count(DISTINCT p.category), count(DISTINCT l.asin) FILTER (WHERE l.match >= 0.5), max(l.match)
    FROM ebay_listings l LEFT JOIN amazon_products p ON (p.org_id, p.asin) = (l.org_id, l.asin)
    WHERE l.gone_at IS NULL GROUP BY 1, 2, 3
"""
KEPT_AND_COUNTED = [
    (PRODUCTS, PRODUCTS_COUNTED),
    (PAIRS, PAIRS_COUNTED),
    (CATEGORIES, CATEGORIES_COUNTED),
    (SELLERS, SELLERS_COUNTED),
]

ADD = sa.text("""
    INSERT INTO ebay_listings (org_id, asin, listing_id, marketplace, seller_key, seller_name, title, price, currency,
                               condition_id, is_fixed_price, is_delivery_free, country, url, first_collection_id,
                               last_collection_id, match)
    SELECT :org, 'B' || a, 'l' || n, 'ebay', 'seller-' || (n * 7 + :seed) % 9, 'Seller', 'Title', 10 + (n + :seed) % 13,
           'USD', '1000', true, true, 'US', 'https://e.example', 'c', 'c', nullif((n * 3 + a + :seed) % 7, 6) / 5.0
    FROM unnest(CAST(:asins AS integer[])) a, generate_series(:first, :first + 3) n
    ON CONFLICT (org_id, asin, listing_id) DO UPDATE
    SET price = excluded.price, seller_key = excluded.seller_key, gone_at = NULL, match = excluded.match
""")
REMATCHED = sa.text("""
    UPDATE ebay_listings SET match = nullif(:seed % 7, 6) / 5.0
    WHERE org_id = :org AND asin = (CAST(:names AS text[]))[1] AND listing_id = 'l' || :first
""")
GONE = sa.text("UPDATE ebay_listings SET gone_at = now() WHERE org_id = :org AND asin = ANY (CAST(:names AS text[]))")
PURGED = sa.text("DELETE FROM ebay_listings WHERE org_id = :org AND asin = ANY (CAST(:names AS text[]))")
ALONE = sa.text("LOCK TABLE ebay_listings IN SHARE ROW EXCLUSIVE MODE")
LOCKED = sa.text("SELECT lock_figures(:org, :names)")
RENAMED = sa.text("UPDATE ebay_listings SET seller_key = 'seller-1' WHERE org_id = :org AND seller_key = 'seller-2'")
LISTED = sa.text("""
    INSERT INTO amazon_products (org_id, category, asin, position, title, url, collection_id)
    SELECT :org, 'category-' || :seed % 3, name, 1, 'Title', 'https://a.example', 'c'
    FROM unnest(CAST(:names AS text[])) name
    ON CONFLICT (org_id, category, asin) DO UPDATE SET title = excluded.title
""")
UNLISTED = sa.text("""
    DELETE FROM amazon_products
    WHERE org_id = :org AND category = 'category-' || :seed % 3 AND asin = ANY (CAST(:names AS text[]))
""")
CHANGES = [ADD, ADD, REMATCHED, REMATCHED, GONE, PURGED, RENAMED, LISTED, LISTED, UNLISTED]


def change(connection: sa.Connection, dice: random.Random) -> None:
    """One change as the product makes them: a page is of one product, and whoever changes more locks them first."""
    statement = dice.choice(CHANGES)
    asins = sorted(dice.sample(range(6), 1 if statement is ADD else dice.randint(1, 4)))
    org, names = dice.choice(("default", "acme")), [f"B{one}" for one in asins]
    values = {"org": org, "seed": dice.randint(0, 20), "first": dice.randint(1, 4), "asins": asins, "names": names}
    if statement is RENAMED:
        connection.execute(ALONE)
    if statement in (LISTED, UNLISTED):
        connection.execute(LOCKED, {"org": org, "names": names})
    connection.execute(statement, {name: values[name] for name in statement.compile().params})


def assert_exact(store: Store) -> None:
    with store.engine.connect() as connection:
        for kept, counted in KEPT_AND_COUNTED:
            assert sorted(map(tuple, connection.execute(sa.text(kept)))) == sorted(
                map(tuple, connection.execute(sa.text(counted)))
            )


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_the_figures_are_what_counting_gives(store: Store, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 12)):
        with store.engine.begin() as connection:
            change(connection, dice)
    assert_exact(store)


def test_eight_who_write_at_once_count_each_others_listings(store: Store) -> None:
    troubles: list[BaseException] = []

    def write(seed: int) -> None:
        dice = random.Random(seed)
        try:
            for _ in range(40):
                with store.engine.begin() as connection:
                    change(connection, dice)
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert_exact(store)


def test_the_database_counts_as_the_same_product_what_the_rules_do() -> None:
    assert float(SAME_PRODUCT) == DEFAULT_THRESHOLD


def test_a_transaction_that_ends_in_the_middle_leaves_no_figure_behind(store: Store) -> None:
    dice = random.Random(1)
    with store.engine.begin() as connection:
        change(connection, dice)
    with store.engine.connect() as connection:
        for _ in range(5):
            change(connection, dice)
        connection.rollback()
    assert_exact(store)


@pytest.fixture
def uncounted(store: Store) -> Store:
    """A database that was filled before there were figures."""
    with store.engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        dice = random.Random(3)
        for _ in range(60):
            change(connection, dice)
        connection.execute(sa.text("INSERT INTO locks (name) VALUES (:name)"), {"name": TO_BE_FILLED})
    return store


def test_what_was_there_before_is_counted_afterwards_and_only_once(uncounted: Store) -> None:
    fill_figures(uncounted.engine)
    assert_exact_but_for_products_without_listings(uncounted)
    with uncounted.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM product_figures"))
    fill_figures(uncounted.engine)
    with uncounted.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM product_figures")) == 0


def test_somebody_may_collect_while_it_is_counted(uncounted: Store) -> None:
    stop = threading.Event()

    def write() -> None:
        dice = random.Random(5)
        while not stop.is_set():
            with uncounted.engine.begin() as connection:
                change(connection, dice)

    writer = threading.Thread(target=write)
    writer.start()
    fill_figures(uncounted.engine)
    stop.set()
    writer.join()
    assert_exact_but_for_products_without_listings(uncounted)


def assert_exact_but_for_products_without_listings(store: Store) -> None:
    only_sold: Callable[[str, str], str] = lambda query, column: f"SELECT * FROM ({query}) q WHERE {column} > 0"  # noqa: E731
    with store.engine.connect() as connection:
        kept = connection.execute(sa.text(only_sold(PRODUCTS, "listings"))).all()
        counted = connection.execute(sa.text(f"SELECT * FROM ({PRODUCTS_COUNTED}) q WHERE low IS NOT NULL")).all()
        assert sorted(map(tuple, kept)) == sorted(map(tuple, counted))
        for kept_query, counted_query in KEPT_AND_COUNTED[1:]:
            assert sorted(map(tuple, connection.execute(sa.text(kept_query)))) == sorted(
                map(tuple, connection.execute(sa.text(counted_query)))
            )
