"""The seller list a page at a time: searched, filtered and sorted, however long it is.

Where a category is chosen, or something is searched for, those few sellers are found first and then looked up by key;
otherwise an index in the order of the list is read until the page is full (schema/tables.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa

from collection_pipeline.tables.schema.paging import Column, Order, Page, PageReader
from collection_pipeline.tables.schema.word_search import word_query, word_vector

MOST_COUNTED = 10_000
"""Up to so many sellers are counted, and so many names are considered by a search: nobody reads further."""


class SellerSort(StrEnum):
    """What the list can be sorted by. Nothing that every collection changes, which would make its updates expensive."""

    NAME = "name"
    PRODUCTS = "products"
    NEWEST = "first_seen"


@dataclass(frozen=True, slots=True)
class SellerFilter:
    """Which sellers are shown. Without any choice: the active ones."""

    words: str | None = None
    """Beginnings of words of the name."""
    category: str | None = None
    """Sells a current best seller of it."""
    new_in: str | None = None
    """Came onto the list by this collection."""
    since: datetime | None = None
    """Came onto the list at this moment or later."""
    min_products: int | None = None
    min_feedback: int | None = None
    min_feedback_percent: Decimal | None = None
    min_match: Decimal | None = None
    """Has a listing that is known to match its product as much."""
    is_flagged: bool | None = None
    is_exported: bool | None = None
    status: str | None = "active"
    """active or removed; None is both."""


@dataclass(frozen=True, slots=True)
class BrowsedSeller:
    """One seller as the list shows it, with what it sells at this moment."""

    marketplace: str
    seller_key: str
    display_name: str
    status: str
    note: str | None
    is_flagged: bool
    exported_at: datetime | None
    feedback_score: int | None
    feedback_percent: Decimal | None
    listing_count: int
    product_count: int
    best_sellers: int
    categories: int
    matched_products: int
    """Products that a listing of it matches, rather than not."""
    best_match: Decimal | None
    first_collection_id: str | None
    last_collection_id: str | None
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class _Key:
    seller_key: str


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are. Beyond MOST_COUNTED it only says that there are more."""

    count: int
    is_more: bool


_KEY = (Column("s.seller_key"), Column("s.marketplace"))
_COLUMNS = {
    SellerSort.NAME: Column("lower(s.display_name)"),
    SellerSort.PRODUCTS: Column("s.product_count", "integer"),
    SellerSort.NEWEST: Column("s.first_seen_at", "timestamptz"),
}

# As an expression of its own: see the indexes that begin with it.
_OF_ORG = "(s.org_id || '') = :org_id"
_WORDS = word_vector("s.display_name")

_BY_CATEGORY = """
    SELECT marketplace, seller_key FROM seller_categories
    WHERE category = :category AND org_id = :org_id AND best_sellers > 0
"""
_BY_WORDS = f"""
    SELECT s.marketplace, s.seller_key FROM sellers s
    WHERE {_WORDS} @@ to_tsquery('simple', :words) AND s.org_id = :org_id LIMIT {MOST_COUNTED + 1}
"""  # noqa: S608
_WHOLE = """
    SELECT seller_count_snapshot AS count, false AS is_more FROM seller_audit_log
    WHERE org_id = :org_id ORDER BY id DESC LIMIT 1
"""
FIGURES = """
    coalesce(f.best_sellers, 0) AS best_sellers, coalesce(f.categories, 0) AS categories,
    coalesce(f.matched_products, 0) AS matched_products, f.best_match
"""
_MATCHES = """
    (SELECT f.best_match FROM seller_figures f
     WHERE f.org_id = s.org_id AND f.marketplace = s.marketplace AND f.seller_key = s.seller_key) >= :min_match
"""
_MEANT = """
    WITH meant AS MATERIALIZED ({meant})
    SELECT {what} FROM meant m CROSS JOIN LATERAL (
        SELECT * FROM sellers s
        WHERE s.org_id = :org_id AND s.marketplace = m.marketplace AND s.seller_key = m.seller_key OFFSET 0
    ) s
"""


class SellerBrowser:
    """Reads the list. Changes nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._reader = PageReader(engine)

    def page(
        self,
        org_id: str,
        wanted: SellerFilter,
        sort: SellerSort,
        *,
        is_descending: bool,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[BrowsedSeller]:
        """Some sellers, from the place `after` on. Raises PipelineError for a place that is none, and TookTooLong."""
        query, values = page_query(org_id, wanted, sort, is_descending=is_descending, after=after)
        return self._reader.page(BrowsedSeller, query, limit, **values)

    def keys(self, org_id: str, wanted: SellerFilter, most: int) -> list[str]:
        """The keys of all who fit, `most` and one more at most. Raises TookTooLong."""
        source, conditions, values = _source(wanted, "s.seller_key")
        query = f"SELECT seller_key FROM ({source} WHERE {conditions} LIMIT :limit) found"  # noqa: S608
        return [one.seller_key for one in self._reader.rows(_Key, query, org_id=org_id, limit=most + 1, **values)]

    def count(self, org_id: str, wanted: SellerFilter) -> Counted:
        """How many sellers that is, as far as it is worth counting. Raises TookTooLong.

        Without a filter it is what the list's log says after its newest change, however many they are.
        """
        if wanted == SellerFilter() and (whole := self._reader.one(Counted, _WHOLE, org_id=org_id)):
            return whole
        is_searched = wanted.category is None and word_query(wanted.words) is not None
        is_cut = f"(SELECT count(*) FROM meant) > {MOST_COUNTED}" if is_searched else "false"  # noqa: S608
        source, conditions, values = _source(wanted, f"{is_cut} AS is_cut")
        query = f"""
            SELECT least(count(*), {MOST_COUNTED}) AS count,
                   count(*) > {MOST_COUNTED} OR coalesce(bool_or(is_cut), false) AS is_more
            FROM ({source} WHERE {conditions} LIMIT {MOST_COUNTED + 1}) AS counted
        """  # noqa: S608
        counted = self._reader.one(Counted, query, org_id=org_id, **values)
        assert counted is not None, "count() always returns a row"
        return counted


def page_query(
    org_id: str, wanted: SellerFilter, sort: SellerSort, *, is_descending: bool, after: str | None
) -> tuple[str, dict[str, object]]:
    """The statement of a page and its values, `:limit` apart. Raises PipelineError for a place that is none."""
    order = Order((_COLUMNS[sort], *_KEY), is_descending)
    beyond, place = order.after(after)
    source, conditions, values = _source(wanted, f"s.*, {order.places}")
    query = f"""
        SELECT s.*, {FIGURES} FROM (
            {source} WHERE {conditions} AND {beyond} ORDER BY {order.clause} LIMIT :limit
        ) s
        LEFT JOIN LATERAL (
            SELECT * FROM seller_figures f
            WHERE f.org_id = s.org_id AND f.marketplace = s.marketplace AND f.seller_key = s.seller_key OFFSET 0
        ) f ON true
        ORDER BY {order.outer_clause}
    """  # noqa: S608
    return query, {"org_id": org_id, **values, **place}


def _source(wanted: SellerFilter, what: str) -> tuple[str, str, dict[str, object]]:
    """Where the sellers come from, the conditions on them, and the values of both."""
    words = word_query(wanted.words)
    conditions, values = _conditions(wanted)
    if words is not None:
        values["words"] = words
    if wanted.category is not None:
        values["category"] = wanted.category
        if words is not None:
            conditions.append(f"{_WORDS} @@ to_tsquery('simple', :words)")
        source = _MEANT.format(meant=_BY_CATEGORY, what=what)
    elif words is not None:
        source = _MEANT.format(meant=_BY_WORDS, what=what)
    else:
        conditions.append(_OF_ORG)
        source = f"SELECT {what} FROM sellers s"  # noqa: S608
    if wanted.words and words is None:
        conditions.append("false")  # only punctuation: no name has a word like it
    return source, " AND ".join(conditions) or "true", values


def _conditions(wanted: SellerFilter) -> tuple[list[str], dict[str, object]]:
    chosen: Mapping[str, tuple[object, str]] = {
        "status": (wanted.status, "s.status = :status"),
        "new_in": (wanted.new_in, "s.first_collection_id = :new_in"),
        "since": (wanted.since, "s.first_seen_at >= :since"),
        "min_products": (wanted.min_products, "s.product_count >= :min_products"),
        "min_feedback": (wanted.min_feedback, "s.feedback_score >= :min_feedback"),
        "min_match": (wanted.min_match, _MATCHES),
        "min_percent": (wanted.min_feedback_percent, "s.feedback_percent >= :min_percent"),
    }
    given = {name: pair for name, pair in chosen.items() if pair[0] is not None}
    conditions = [condition for _, condition in given.values()]
    if wanted.is_flagged is not None:
        conditions.append("s.is_flagged" if wanted.is_flagged else "NOT s.is_flagged")
    if wanted.is_exported is not None:
        conditions.append(f"s.exported_at IS {'NOT ' if wanted.is_exported else ''}NULL")
    return conditions, {name: value for name, (value, _) in given.items()}
