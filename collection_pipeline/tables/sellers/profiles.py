"""One seller with everything that is known of it: what it sells, what became of it, and who sells the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from collection_pipeline.core.sellers.seller_list import AuditAction
from collection_pipeline.tables.schema.category_listings import MATCHES
from collection_pipeline.tables.schema.paging import Column, Order, Page, PageReader
from collection_pipeline.tables.sellers.browsing import FIGURES, BrowsedSeller

COMPARED_PRODUCTS = 200
"""Products of a seller that an overlap is counted over."""

COMPARED_SELLERS = 500
"""Sellers of each that are compared with it."""


@dataclass(frozen=True, slots=True)
class SellerCategory:
    """A category whose best sellers somebody sells, and how many of them."""

    category: str
    name: str | None
    best_sellers: int


@dataclass(frozen=True, slots=True)
class SellerState:
    """A state that a seller was in, newest first, and the change that brought it about."""

    audit_id: int
    changed_at: datetime
    action: str
    actor: str
    source: str
    collection_id: str | None
    detail: str | None
    display_name: str
    status: str
    note: str | None
    is_flagged: bool
    can_be_undone: bool


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another seller that sells some of the same products. `products` is all that it sells."""

    marketplace: str
    seller_key: str
    display_name: str
    shared: int
    products: int


@dataclass(frozen=True, slots=True)
class SellerProfile:
    """One seller and what belongs to it; its listings are paged."""

    seller: BrowsedSeller
    categories: Sequence[SellerCategory]
    past: Sequence[SellerState]
    overlap: Sequence[Overlap]
    compared_products: int
    """Of how many of its products the overlap was counted."""


@dataclass(frozen=True, slots=True)
class SellerListing:
    """A listing of one seller, with the product that it was found for."""

    asin: str
    product_title: str | None
    product_price: Decimal | None
    listing_id: str
    title: str
    price: Decimal
    currency: str
    url: str
    match: Decimal | None
    match_reasons: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None


_THE_SELLER = "org_id = :org_id AND marketplace = :marketplace AND seller_key = :seller_key"
_SELLER = f"""
    SELECT s.*, {FIGURES}
    FROM (SELECT * FROM sellers WHERE {_THE_SELLER}) s
    LEFT JOIN seller_figures f USING (org_id, marketplace, seller_key)
"""  # noqa: S608
_CATEGORIES = f"""
    SELECT s.category, c.name, s.best_sellers
    FROM (SELECT * FROM seller_categories WHERE {_THE_SELLER} AND best_sellers > 0) s
    LEFT JOIN categories c USING (category)
    ORDER BY s.best_sellers DESC, s.category LIMIT 50
"""  # noqa: S608
_FOR_GOOD = ", ".join(
    repr(str(action))
    for action in (AuditAction.DISCOVERED, AuditAction.RETURNED, AuditAction.ERASED, AuditAction.REKEYED)
)
_PAST = f"""
    SELECT v.*, a.created_at AS changed_at, a.id AS audit_id, a.action, a.actor, a.source, a.collection_id, a.detail,
           a.action NOT IN ({_FOR_GOOD}) AND NOT EXISTS (SELECT FROM seller_audit_log u WHERE u.undoes = a.id)
           AS can_be_undone
    FROM (SELECT * FROM seller_versions WHERE {_THE_SELLER} ORDER BY from_audit_id DESC LIMIT 100) v
    JOIN seller_audit_log a ON a.id = v.from_audit_id
    ORDER BY v.from_audit_id DESC
"""  # noqa: S608
_OVERLAP = f"""
    WITH mine AS MATERIALIZED (
        SELECT asin FROM seller_products WHERE {_THE_SELLER} ORDER BY asin LIMIT {COMPARED_PRODUCTS}
    ), shared AS MATERIALIZED (
        SELECT o.marketplace, o.seller_key, count(*) AS shared
        FROM mine m CROSS JOIN LATERAL (
            SELECT * FROM seller_products o WHERE o.org_id = :org_id AND o.asin = m.asin LIMIT {COMPARED_SELLERS}
        ) o
        WHERE (o.marketplace, o.seller_key) <> (:marketplace, :seller_key)
        GROUP BY o.marketplace, o.seller_key ORDER BY shared DESC, o.seller_key LIMIT 100
    )
    SELECT o.marketplace, o.seller_key, s.display_name, o.shared, coalesce(f.products, 0) AS products
    FROM shared o
    CROSS JOIN LATERAL (
        SELECT * FROM sellers s
        WHERE s.org_id = :org_id AND s.marketplace = o.marketplace AND s.seller_key = o.seller_key
          AND s.status = 'active' OFFSET 0
    ) s
    LEFT JOIN LATERAL (
        SELECT * FROM seller_figures f
        WHERE f.org_id = :org_id AND f.marketplace = o.marketplace AND f.seller_key = o.seller_key OFFSET 0
    ) f ON true
    ORDER BY o.shared DESC, o.seller_key LIMIT 20
"""  # noqa: S608
_LISTINGS_ORDER = Order((Column("l.gone_at IS NOT NULL", "boolean"), Column("l.asin"), Column("l.listing_id")))


class SellerProfiles:
    """Reads single sellers. Changes nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._reader = PageReader(engine)

    def profile(self, org_id: str, marketplace: str, seller_key: str) -> SellerProfile | None:
        """A seller of an organisation's list, removed or not; None if there is none with this key."""
        who = {"org_id": org_id, "marketplace": marketplace, "seller_key": seller_key}
        seller = self._reader.one(BrowsedSeller, _SELLER, **who)
        if seller is None:
            return None
        return SellerProfile(
            seller,
            categories=self._reader.rows(SellerCategory, _CATEGORIES, **who),
            past=self._reader.rows(SellerState, _PAST, **who),
            overlap=self._reader.rows(Overlap, _OVERLAP, **who),
            compared_products=COMPARED_PRODUCTS,
        )

    def listings(
        self,
        org_id: str,
        marketplace: str,
        seller_key: str,
        after: str | None = None,
        limit: int = 50,
        *,
        min_match: Decimal | None = None,
    ) -> Page[SellerListing]:
        """Its listings, current ones first, by product; with `min_match` only those that are known to match as much.

        Raises PipelineError for a place that is none.
        """
        query, values = listings_query(org_id, marketplace, seller_key, after, min_match)
        return self._reader.page(SellerListing, query, limit, **values)


def listings_query(
    org_id: str, marketplace: str, seller_key: str, after: str | None, min_match: Decimal | None = None
) -> tuple[str, dict[str, object]]:
    """The statement of a page of listings and its values, `:limit` apart."""
    beyond, place = _LISTINGS_ORDER.after(after)
    query = f"""
        SELECT l.*, p.title AS product_title, p.price AS product_price FROM (
            SELECT l.*, {_LISTINGS_ORDER.places} FROM ebay_listings l
            WHERE {_THE_SELLER} AND {MATCHES} AND {beyond} ORDER BY {_LISTINGS_ORDER.clause} LIMIT :limit
        ) l
        LEFT JOIN LATERAL (
            SELECT title, price FROM amazon_products a
            WHERE a.asin = l.asin AND a.org_id = l.org_id ORDER BY position LIMIT 1
        ) p ON true
        ORDER BY {_LISTINGS_ORDER.outer_clause}
    """  # noqa: S608
    return query, {
        "org_id": org_id,
        "marketplace": marketplace,
        "seller_key": seller_key,
        "min_match": min_match,
        **place,
    }
