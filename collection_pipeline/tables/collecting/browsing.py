"""Best sellers a page at a time, and one with its listings and its past on the lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.schema.category_listings import MATCHES
from collection_pipeline.tables.schema.paging import Column, Order, Page, PageReader
from collection_pipeline.tables.schema.word_search import word_query, word_vector

MOST_FOUND = 5_000
"""Titles that a search considers."""

MOST_HISTORY = 500
"""Places of a product that are read, newest first: a year of daily lists of one category and more."""


class ProductSort(StrEnum):
    """What products can be sorted by; the position needs a category, on whose list it is."""

    SELLERS = "sellers"
    SPREAD = "spread"
    POSITION = "position"


@dataclass(frozen=True, slots=True)
class BrowsedProduct:
    """A current best seller with its price, the band that listings were searched in, and what eBay asks for it."""

    asin: str
    title: str
    url: str
    price: Decimal | None
    currency: str | None
    position: int
    category: str
    """The list that `position` is on: the chosen one, or the one where it is placed best."""
    categories: Sequence[str]
    band_low: Decimal | None
    band_high: Decimal | None
    listings: int
    sellers: int
    price_low: Decimal | None
    price_median: Decimal | None
    price_high: Decimal | None


@dataclass(frozen=True, slots=True)
class ProductPlace:
    """Where a product stood on a category's list at one time."""

    category: str
    collection_id: str
    position: int
    price: Decimal | None
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ProductProfile:
    """One product with its places on the lists over time, oldest first; its listings are paged."""

    product: BrowsedProduct
    history: Sequence[ProductPlace]


@dataclass(frozen=True, slots=True)
class ProductListing:
    """A listing that was found for one product; how likely it offers that, and why, are None where not known."""

    listing_id: str
    title: str
    marketplace: str
    seller_key: str
    seller_name: str
    feedback_score: int | None
    price: Decimal
    currency: str
    url: str
    match: Decimal | None
    match_reasons: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None


class ListingSort(StrEnum):
    """What a product's listings can be sorted by, after whether they are current: the cheapest, or the likeliest."""

    PRICE = "price"
    MATCH = "match"


_ORDERS = {
    ProductSort.SELLERS: Column("f.sellers", "integer"),
    ProductSort.SPREAD: Column("coalesce(f.price_high - f.price_low, 0)", "numeric"),
    ProductSort.POSITION: Column("m.position", "integer"),
}
_BY_CATEGORY = "SELECT asin, position FROM amazon_products WHERE category = :category AND org_id = :org_id"
_BY_WORDS = f"""
    SELECT asin, min(position) AS position FROM (
        SELECT asin, position FROM amazon_products
        WHERE ({word_vector("title")} @@ to_tsquery('simple', :words)) AND org_id = :org_id LIMIT {MOST_FOUND}
    ) found GROUP BY asin
"""  # noqa: S608
_MEANT = """
    WITH meant AS MATERIALIZED ({meant})
    SELECT f.*, {places} FROM meant m CROSS JOIN LATERAL (
        SELECT * FROM product_figures f WHERE f.org_id = :org_id AND f.asin = m.asin OFFSET 0
    ) f
"""
_DETAILS = """
    CROSS JOIN LATERAL (
        SELECT title, url, price, currency, position, category FROM amazon_products a
        WHERE a.asin = f.asin AND a.org_id = f.org_id
        ORDER BY (a.category = CAST(:category AS text)) IS TRUE DESC, a.position, a.category LIMIT 1
    ) p
    LEFT JOIN LATERAL (
        SELECT s.price_low AS band_low, s.price_high AS band_high
        FROM product_searches s JOIN collections c USING (collection_id)
        WHERE s.asin = f.asin AND s.searched_at IS NOT NULL AND c.org_id = :org_id
        ORDER BY s.searched_at DESC LIMIT 1
    ) b ON true
"""
_PRODUCT = f"""
    SELECT f.*, p.*, b.* FROM (SELECT * FROM product_figures WHERE org_id = :org_id AND asin = :asin) f {_DETAILS}
"""  # noqa: S608
_HISTORY = f"""
    SELECT * FROM (
        SELECT h.category, h.collection_id, h.position, h.price, h.seen_at
        FROM amazon_product_history h JOIN collections c USING (collection_id)
        WHERE h.asin = :asin AND c.org_id = :org_id ORDER BY h.seen_at DESC LIMIT {MOST_HISTORY}
    ) newest ORDER BY seen_at
"""  # noqa: S608
_LISTINGS_ORDERS = {
    sort: Order((Column("l.gone_at IS NOT NULL", "boolean"), column, Column("l.listing_id")))
    for sort, column in {
        ListingSort.PRICE: Column("l.price", "numeric"),
        ListingSort.MATCH: Column("-coalesce(l.match, -1)", "numeric"),
    }.items()
}


class ProductBrowser:
    """Reads products. Changes nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._reader = PageReader(engine)

    def page(
        self,
        org_id: str,
        *,
        category: str | None = None,
        words: str | None = None,
        sort: ProductSort = ProductSort.SELLERS,
        is_descending: bool = True,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[BrowsedProduct]:
        """Some current best sellers, of one category or of all. `words` are beginnings of words.

        Raises PipelineError for a place that is none, and for a sort by position without a category.
        """
        query, values = page_query(org_id, category, words, sort, is_descending=is_descending, after=after)
        return self._reader.page(BrowsedProduct, query, limit, **values)

    def profile(self, org_id: str, asin: str) -> ProductProfile | None:
        """A current best seller; None if there is none with this number."""
        product = self._reader.one(BrowsedProduct, _PRODUCT, org_id=org_id, asin=asin, category=None)
        if product is None:
            return None
        return ProductProfile(product, self._reader.rows(ProductPlace, _HISTORY, org_id=org_id, asin=asin))

    def listings(
        self,
        org_id: str,
        asin: str,
        after: str | None = None,
        limit: int = 50,
        *,
        sort: ListingSort = ListingSort.PRICE,
        min_match: Decimal | None = None,
    ) -> Page[ProductListing]:
        """Its listings, current ones first; with `min_match` only those that are known to match as much.

        Raises PipelineError for a place that is none.
        """
        order = _LISTINGS_ORDERS[sort]
        beyond, place = order.after(after)
        query = f"""
            SELECT l.*, {order.places} FROM ebay_listings l
            WHERE l.org_id = :org_id AND l.asin = :asin AND {MATCHES} AND {beyond} ORDER BY {order.clause} LIMIT :limit
        """  # noqa: S608
        return self._reader.page(ProductListing, query, limit, org_id=org_id, asin=asin, min_match=min_match, **place)


def page_query(
    org_id: str,
    category: str | None,
    words: str | None,
    sort: ProductSort,
    *,
    is_descending: bool,
    after: str | None,
) -> tuple[str, dict[str, object]]:
    """The statement of a page of products and its values, `:limit` apart."""
    if sort is ProductSort.POSITION and category is None:
        raise PipelineError("Positions are those of one list: choose a category to sort by them.")
    order = Order((_ORDERS[sort], Column("f.asin")), is_descending)
    beyond, place = order.after(after)
    found = word_query(words)
    values: dict[str, object] = {"org_id": org_id, "category": category, **place}
    conditions = ["f.categories <> '{}'", beyond]
    if category is not None:
        source = _MEANT.format(meant=_BY_CATEGORY, places=order.places)
        if found is not None:
            conditions.append(
                "EXISTS (SELECT FROM amazon_products t WHERE t.asin = f.asin AND t.org_id = :org_id "
                f"AND {word_vector('t.title')} @@ to_tsquery('simple', :words))"
            )
    elif found is not None:
        source = _MEANT.format(meant=_BY_WORDS, places=order.places)
    else:
        source = f"SELECT f.*, {order.places} FROM product_figures f"  # noqa: S608
        conditions.append("(f.org_id || '') = :org_id")
    if found is not None:
        values["words"] = found
    elif words:
        conditions.append("false")  # only punctuation: no title has a word like it
    query = f"""
        SELECT f.*, p.*, b.* FROM (
            {source} WHERE {" AND ".join(conditions)} ORDER BY {order.clause} LIMIT :limit
        ) f {_DETAILS} ORDER BY {order.outer_clause}
    """  # noqa: S608
    return query, values
