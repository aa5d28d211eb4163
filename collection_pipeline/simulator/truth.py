"""The truth: what a perfect collection of some categories would find, to compare a real one with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from collection_pipeline.simulator.ebay.filters import Context, parse_filter
from collection_pipeline.simulator.ebay.items import shown_name
from collection_pipeline.simulator.ebay.results import reachable
from collection_pipeline.simulator.state import Simulator
from collection_pipeline.simulator.world.kinds import DEFAULT_HIGH, DEFAULT_LOW, NEW, Band, Facts
from collection_pipeline.simulator.world.listings import Listing
from collection_pipeline.simulator.world.names import seller_key
from collection_pipeline.simulator.world.products import Product


@dataclass(frozen=True)
class Collection:
    """How a collection searches: its band, and how far it reads. Raises ValueError."""

    low: Decimal = DEFAULT_LOW
    high: Decimal = DEFAULT_HIGH
    max_pages: int = 3
    limit: int = 200
    sees_condition: bool = True
    """False where a page may show the seller's own words in place of the condition that was asked for."""

    def __post_init__(self) -> None:
        if not (self.low.is_finite() and self.high.is_finite() and 0 < self.low <= self.high):
            raise ValueError("low and high must be numbers, low above 0 and not above high.")
        if self.max_pages < 1 or not 1 <= self.limit <= 200:
            raise ValueError("max_pages must be at least 1, and limit from 1 to 200.")


def filter_of(band: Band) -> str:
    """The filter of a perfect search: new, fixed price, in the band, free delivery in and from the US."""
    return (
        f"conditionIds:{{1000}},buyingOptions:{{FIXED_PRICE}},price:[{band.low}..{band.high}],priceCurrency:USD,"
        "maxDeliveryCost:0,deliveryCountry:US,itemLocationCountry:US"
    )


def truth(simulator: Simulator, nodes: Sequence[str], collection: Collection) -> dict[str, object]:
    """Per category its products, per product its sellers, and all sellers together, on the simulator's day.

    The listings and sellers of a product obey the rules of the search; those that offer the product itself, and nothing
    that only looks like it, are `same_product_listings` and `same_product_sellers`.
    """
    categories: list[dict[str, object]] = []
    products: dict[str, Product] = {}
    for node in nodes:
        listed = _listed(simulator, node)
        products |= {product.asin: product for _, product in listed}
        rows = [
            {"position": position, "asin": product.asin, "price": _text(product.amazon_price)}
            for position, product in listed
        ]
        categories.append({"node": node, "products": rows})
    found = {asin: matching(simulator, product, collection) for asin, product in products.items()}
    keys = _keys(simulator, (listing for listings in found.values() for listing in listings))
    same = {asin: [listing for listing in listings if listing.offers == "same"] for asin, listings in found.items()}
    return {
        "day": simulator.config.day,
        "categories": categories,
        "products": {
            asin: {
                "title": product.amazon_title,
                "price": _text(product.amazon_price),
                "sellers": _sellers(simulator, found[asin]),
                "listings": [listing.id for listing in found[asin]],
                "same_product_listings": [listing.id for listing in same[asin]],
                "same_product_sellers": sorted(_keys(simulator, same[asin])),
            }
            for asin, product in products.items()
        },
        "sellers": sorted(keys),
        "same_product_sellers": sorted(_keys(simulator, (each for listings in same.values() for each in listings))),
        "seller_count": len(keys),
        "product_count": len(products),
        "searchable_product_count": sum(product.amazon_price is not None for product in products.values()),
        "listing_count": sum(map(len, found.values())),
    }


def matching(simulator: Simulator, product: Product, collection: Collection) -> list[Listing]:
    """The listings of a product that verifiably match and are within reach; none where the page shows no price."""
    if product.amazon_price is None:
        return []
    band = Band.around(product.amazon_price, collection.low, collection.high)
    filter_ = parse_filter(filter_of(band), Context("EBAY_US", simulator.listings.sellers))
    passed = [listing for listing in simulator.listings.of(product) if filter_.passes(listing)]
    seen = reachable(passed, collection.limit, collection.max_pages)
    return [listing for listing in seen if _as_read(listing, collection).matches(band)]


def _as_read(listing: Listing, collection: Collection) -> Facts:
    shown = listing.shown
    return replace(shown, condition=NEW) if shown.condition is None and not collection.sees_condition else shown


def _listed(simulator: Simulator, node: str) -> list[tuple[int, Product]]:
    """A node's products by position; the one that is listed twice keeps its better place."""
    if not simulator.products.is_known(node):
        return []
    best: dict[str, tuple[int, Product]] = {}
    for page in simulator.products.pages(node):
        for row in page:
            best.setdefault(row.product.asin, (row.position, row.product))
    return sorted(best.values(), key=lambda each: each[0])


def _sellers(simulator: Simulator, listings: Sequence[Listing]) -> list[dict[str, object]]:
    names: dict[str, set[str]] = {}
    for listing in listings:
        name, key = _name(simulator, listing)
        names.setdefault(key, set()).add(name)
    return [{"key": key, "names": sorted(spellings)} for key, spellings in sorted(names.items())]


def _keys(simulator: Simulator, listings: Iterable[Listing]) -> set[str]:
    return {_name(simulator, listing)[1] for listing in listings}


def _name(simulator: Simulator, listing: Listing) -> tuple[str, str]:
    name = shown_name(listing, seller_ids=simulator.config.seller_ids)
    return name, seller_key(name)


def _text(price: Decimal | None) -> str | None:
    return None if price is None else f"{price:.2f}"
