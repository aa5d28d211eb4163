"""A category's figures over its collections: what a new figure is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

LAST = 12
"""How many earlier collections count: a year of monthly ones."""

# Each gives one figure of the category in the collection c, and when it was taken; nulls where there is none.
_PRODUCTS = """
    SELECT count(*)::float8 AS figure, max(h.seen_at) AS at
    FROM amazon_product_history h WHERE h.collection_id = c.collection_id AND h.category = :category
"""
_SHARE_WITHOUT_PRICE = """
    SELECT (count(*) FILTER (WHERE h.price IS NULL))::float8 / nullif(count(*), 0) AS figure, max(h.seen_at) AS at
    FROM amazon_product_history h WHERE h.collection_id = c.collection_id AND h.category = :category
"""
_LISTINGS_PER_PRODUCT = """
    SELECT sum(s.listings)::float8 / nullif(count(*), 0) AS figure, max(s.searched_at) AS at
    FROM product_searches s
    WHERE s.collection_id = c.collection_id AND s.category = :category AND s.status IN ('done', 'empty')
"""
_NEW_SELLERS = """
    SELECT max(u.new_sellers)::float8 AS figure, max(u.started_at) AS at
    FROM collection_categories u
    WHERE u.collection_id = c.collection_id AND u.category = :category AND u.sellers_found IS NOT NULL
"""
_MEDIAN_MATCH = """
    SELECT max(u.median_match)::float8 AS figure, max(u.started_at) AS at
    FROM collection_categories u
    WHERE u.collection_id = c.collection_id AND u.category = :category AND u.median_match IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure of one collection, None where there is none, and the same of earlier ones, newest first."""

    figure: float | None
    earlier: tuple[float, ...]


class TrendStore:
    """Reads the figures of one category of one organisation."""

    def __init__(self, engine: sa.Engine, org_id: str, category: str) -> None:
        self._engine = engine
        self._scope = {"org_id": org_id, "category": category}

    def products(self, collection_id: str) -> Trend:
        """Best sellers."""
        return self._trend(_PRODUCTS, collection_id)

    def share_without_price(self, collection_id: str) -> Trend:
        """Share of best sellers whose price was not shown."""
        return self._trend(_SHARE_WITHOUT_PRICE, collection_id)

    def listings_per_product(self, collection_id: str) -> Trend:
        """Listings that matched, per product searched."""
        return self._trend(_LISTINGS_PER_PRODUCT, collection_id)

    def new_sellers(self, collection_id: str) -> Trend:
        """Sellers that the category was the first to bring."""
        return self._trend(_NEW_SELLERS, collection_id)

    def median_match(self, collection_id: str) -> Trend:
        """How likely its listings are the products they were found for: the median."""
        return self._trend(_MEDIAN_MATCH, collection_id)

    def _trend(self, figures: str, collection_id: str) -> Trend:
        # Aggregates in LATERAL are looked up per collection, however few or many the planner takes them for.
        query = sa.text(f"""
            SELECT f.figure, c.collection_id FROM collections c CROSS JOIN LATERAL ({figures}) f
            WHERE c.org_id = :org_id AND f.at IS NOT NULL ORDER BY f.at DESC LIMIT {LAST + 1}
        """)  # noqa: S608
        with self._engine.connect() as connection:
            found = connection.execute(query, self._scope).all()
        own = [row.figure for row in found if row.collection_id == collection_id]
        earlier = [row.figure for row in found if row.collection_id != collection_id]
        return Trend(own[0] if own else None, tuple(earlier[:LAST]))
