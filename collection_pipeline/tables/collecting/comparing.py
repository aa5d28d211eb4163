"""The timeline of all collections with what each found and took, and two of them compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

import sqlalchemy as sa

from collection_pipeline.tables.schema.paging import Column, Order, Page, PageReader

Change = Literal["came", "left"]


@dataclass(frozen=True, slots=True)
class CollectionFigures:
    """One collection: what it found, what it took, and what failed."""

    collection_id: str
    status: str
    preset: str | None
    started_at: datetime
    completed_at: datetime | None
    categories: int
    categories_done: int
    categories_failed: int
    products: int
    products_failed: int
    new_sellers: int
    seller_count: int | None
    """Sellers on the list when it ended; null while it runs."""
    calls: int
    cost: Decimal
    calls_per_new_seller: Decimal | None
    """Null where it brought none."""


@dataclass(frozen=True, slots=True)
class CollectionsCompared:
    """Two collections side by side. Sellers are those that each of them saw."""

    first: CollectionFigures
    second: CollectionFigures
    came: int
    """Sellers that the second saw and the first did not."""
    left: int
    stayed: int
    only_in_first: Sequence[str]
    """Categories that only the first collected: its sellers there were not looked for again."""
    only_in_second: Sequence[str]


@dataclass(frozen=True, slots=True)
class ComparedSeller:
    """A seller that only one of two collections saw; without a name where it is not on the list."""

    marketplace: str
    seller_key: str
    display_name: str | None
    status: str | None
    product_count: int | None
    feedback_score: int | None


@dataclass(frozen=True, slots=True)
class _Counts:
    came: int
    left: int
    stayed: int


@dataclass(frozen=True, slots=True)
class _CategoryOf:
    category: str
    is_in_first: bool


_FIGURES = """
    SELECT c.*, c.seller_count_snapshot AS seller_count, k.*, f.products_failed,
           round(c.calls / nullif(k.new_sellers, 0)::numeric, 1) AS calls_per_new_seller
    FROM ({collections}) c
    CROSS JOIN LATERAL (
        SELECT count(*) AS categories, count(*) FILTER (WHERE u.status = 'done') AS categories_done,
               count(*) FILTER (WHERE u.status = 'failed') AS categories_failed,
               coalesce(sum(u.products), 0)::bigint AS products,
               coalesce(sum(u.new_sellers), 0)::bigint AS new_sellers
        FROM collection_categories u WHERE u.collection_id = c.collection_id
    ) k
    CROSS JOIN LATERAL (
        SELECT count(*) AS products_failed FROM product_searches p
        WHERE p.collection_id = c.collection_id AND p.status = 'failed'
    ) f
"""
_ORDER = Order((Column("c.started_at", "timestamptz"), Column("c.collection_id")), is_descending=True)

# Each side is read once in the order of its key, so that neither is sorted or looked up seller by seller.
_COUNTS = """
    SELECT count(*) FILTER (WHERE a.seller_key IS NULL) AS came, count(*) FILTER (WHERE b.seller_key IS NULL) AS left,
           count(*) FILTER (WHERE a.seller_key IS NOT NULL AND b.seller_key IS NOT NULL) AS stayed
    FROM (SELECT marketplace, seller_key FROM seller_sightings WHERE collection_id = :first) a
    FULL JOIN (SELECT marketplace, seller_key FROM seller_sightings WHERE collection_id = :second) b
    USING (marketplace, seller_key)
"""
_DIFFERENT_CATEGORIES = """
    SELECT category, bool_or(collection_id = :first) AS is_in_first FROM collection_categories
    WHERE collection_id IN (:first, :second) GROUP BY category HAVING count(*) = 1 ORDER BY category
"""
_SELLERS_ORDER = Order((Column("b.marketplace"), Column("b.seller_key")))


class CollectionBrowser:
    """Reads collections. Changes nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._reader = PageReader(engine)

    def page(self, org_id: str, after: str | None = None, limit: int = 20) -> Page[CollectionFigures]:
        """Some collections of an organisation, newest first. Raises PipelineError for a place that is none."""
        query, values = timeline_query(org_id, after)
        return self._reader.page(CollectionFigures, query, limit, **values)

    def one(self, org_id: str, collection_id: str) -> CollectionFigures | None:
        """One collection of an organisation, if it has one of that id."""
        of_id = "SELECT * FROM collections WHERE collection_id = :collection_id AND org_id = :org_id"
        query = _FIGURES.format(collections=of_id)
        return self._reader.one(CollectionFigures, query, org_id=org_id, collection_id=collection_id)

    def compared(self, first: CollectionFigures, second: CollectionFigures) -> CollectionsCompared:
        """How many sellers came and left from one collection to the other."""
        ids = {"first": first.collection_id, "second": second.collection_id}
        counts = self._reader.one(_Counts, _COUNTS, **ids)
        assert counts is not None, "count() always returns a row"
        categories = self._reader.rows(_CategoryOf, _DIFFERENT_CATEGORIES, **ids)
        return CollectionsCompared(
            first,
            second,
            counts.came,
            counts.left,
            counts.stayed,
            only_in_first=[one.category for one in categories if one.is_in_first],
            only_in_second=[one.category for one in categories if not one.is_in_first],
        )

    def changed(
        self, org_id: str, first: str, second: str, change: Change, after: str | None = None, limit: int = 50
    ) -> Page[ComparedSeller]:
        """Who came, or left, from one collection to the other. Raises PipelineError for a place that is none."""
        query, values = changed_query(org_id, first, second, change, after)
        return self._reader.page(ComparedSeller, query, limit, **values)


def timeline_query(org_id: str, after: str | None) -> tuple[str, dict[str, object]]:
    """The statement of a page of collections and its values, `:limit` apart."""
    beyond, place = _ORDER.after(after)
    some = f"""
        SELECT c.*, {_ORDER.places} FROM collections c
        WHERE c.org_id = :org_id AND {beyond} ORDER BY {_ORDER.clause} LIMIT :limit
    """  # noqa: S608
    return f"{_FIGURES.format(collections=some)} ORDER BY {_ORDER.outer_clause}", {"org_id": org_id, **place}


def changed_query(
    org_id: str, first: str, second: str, change: Change, after: str | None
) -> tuple[str, dict[str, object]]:
    """The statement of a page of sellers that only one of two collections saw; `:limit` apart."""
    seen_in, missing_in = (second, first) if change == "came" else (first, second)
    beyond, place = _SELLERS_ORDER.after(after)
    query = f"""
        SELECT b.*, s.display_name, s.status, s.product_count, s.feedback_score FROM (
            SELECT b.marketplace, b.seller_key, {_SELLERS_ORDER.places} FROM seller_sightings b
            WHERE b.collection_id = :seen_in AND {beyond} AND NOT EXISTS (
                SELECT FROM seller_sightings a WHERE a.collection_id = :missing_in
                  AND a.marketplace = b.marketplace AND a.seller_key = b.seller_key)
            ORDER BY {_SELLERS_ORDER.clause} LIMIT :limit
        ) b
        LEFT JOIN LATERAL (
            SELECT * FROM sellers s
            WHERE s.org_id = :org_id AND s.marketplace = b.marketplace AND s.seller_key = b.seller_key OFFSET 0
        ) s ON true
        ORDER BY {_SELLERS_ORDER.outer_clause}
    """  # noqa: S608
    return query, {"org_id": org_id, "seen_in": seen_in, "missing_in": missing_in, **place}
