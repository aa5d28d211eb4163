"""Listings as people look at them: what each offers, and how likely it is the product."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.identity import MARKETPLACE
from collection_pipeline.tables.schema.tables import amazon_products, ebay_listings


@dataclass(frozen=True, slots=True)
class ListingChoice:
    """Which current listings are meant. One of the first three is needed: nobody looks at all there are."""

    asin: str | None = None
    category: str | None = None
    seller_key: str | None = None
    below: Decimal | None = None
    """Only those whose match is below this."""


@dataclass(frozen=True, slots=True)
class MatchedListing:
    """A current listing with its match, None where that is not known."""

    asin: str
    listing_id: str
    match: Decimal | None
    match_reasons: str | None
    title: str
    price: Decimal
    currency: str
    seller_key: str


_COLUMNS = [ebay_listings.c[name] for name in MatchedListing.__dataclass_fields__]


class ListingViews:
    """Reads listings. Changes nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def list(self, org_id: str, choice: ListingChoice, limit: int) -> list[MatchedListing]:
        """The chosen listings, the most likely first, those without a match last. Raises PipelineError."""
        if choice.asin is None and choice.category is None and choice.seller_key is None:
            raise PipelineError("Say which listings: of a product, of a category or of a seller.")
        query = (
            sa.select(*_COLUMNS)
            .where(*_conditions(org_id, choice))
            .order_by(ebay_listings.c.match.desc().nulls_last(), ebay_listings.c.asin, ebay_listings.c.listing_id)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [MatchedListing(*row) for row in connection.execute(query)]


def _conditions(org_id: str, choice: ListingChoice) -> list[sa.ColumnElement[bool]]:
    listing, product = ebay_listings.c, amazon_products.c
    conditions = [listing.org_id == org_id, listing.gone_at.is_(None)]
    if choice.asin is not None:
        conditions.append(listing.asin == choice.asin)
    if choice.category is not None:
        of_category = sa.select(product.asin).where(product.org_id == org_id, product.category == choice.category)
        conditions.append(listing.asin == sa.any_(sa.func.array(of_category.scalar_subquery())))
    if choice.seller_key is not None:
        conditions += [listing.marketplace == MARKETPLACE, listing.seller_key == choice.seller_key]
    if choice.below is not None:
        conditions.append(listing.match < choice.below)
    return conditions
