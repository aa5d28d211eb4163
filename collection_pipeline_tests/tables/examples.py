"""Small, valid facts for tests of the tables."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from collection_pipeline.core.collecting.collections import CategoryStatus, CollectionPlan, Settlement
from collection_pipeline.core.collecting.listings import Listing, SellerFacts
from collection_pipeline.core.collecting.products import Product
from collection_pipeline.core.collecting.searches import SearchedPage, SearchStatus
from collection_pipeline.core.money import BandRule, Money
from collection_pipeline.tables.store import Store

ORG = "default"
BAND = BandRule()


def product(asin: str, position: int = 1, price: str | None = "100.00") -> Product:
    money = Money(Decimal(price), "USD") if price else None
    return Product(asin, position, f"Title of {asin}", money, Decimal("4.5"), 10, f"https://amazon.example/dp/{asin}")


def listing(listing_id: str, seller: str, price: str = "200.00") -> Listing:
    return Listing(
        listing_id=listing_id,
        title=f"Listing {listing_id}",
        url=f"https://ebay.example/itm/{listing_id}",
        price=Money(Decimal(price), "USD"),
        condition_id="1000",
        is_fixed_price=True,
        is_delivery_free=True,
        country="US",
        seller=SellerFacts(seller, 12, Decimal("99.4")),
    )


def done(asin: str, status: SearchStatus = SearchStatus.DONE, reason: str | None = None) -> SearchedPage:
    band, came = BAND.band(Money(Decimal("100.00"), "USD")), int(status is not SearchStatus.SKIPPED)
    return SearchedPage(asin, status, query="title", band=band, reason=reason, pages=came, calls=came)


def start(store: Store, collection_id: str, *categories: str) -> None:
    store.collections.start(CollectionPlan(collection_id, categories, BAND))


def collect(store: Store, collection_id: str, category: str, found: dict[str, list[Listing]]) -> None:
    """One category collected from start to finish: products, searches, listings, sellers."""
    store.control.enter(collection_id, category, "run-1", org_id=ORG)
    products = [product(asin, position) for position, asin in enumerate(found, start=1)]
    store.products.replace(ORG, collection_id, category, products, calls=2)
    searches = store.products.searches(ORG, collection_id, category)
    store.searches.add(collection_id, category, searches)
    checkpoints = store.searches.checkpoints(ORG, collection_id)
    for asin in store.searches.pending(collection_id, category):
        checkpoints.record(done(asin), found[asin])
    store.sellers.merge(ORG, collection_id, category, actor="run run-1")


def finish(store: Store, collection_id: str) -> bool:
    """All runs of a collection have succeeded, and it is closed for its snapshot."""
    units = store.collections.units(collection_id)
    store.control.settle(
        collection_id, [Settlement(unit.category, unit.attempt, CategoryStatus.DONE) for unit in units]
    )
    return store.control.begin_finishing(collection_id)


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    with store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]
