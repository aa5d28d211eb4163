"""Listings: what is on eBay for a product. Some are what the pipeline looks for; the others each miss one rule.

A listing has two faces: what eBay's index says of it, by which filters decide, and what its summary shows. They differ
where the index lags or a field is not sent; a client that does not check again is caught by those.

The listings of day 0 are drawn first; on a later day each place of a product holds the listing that is there by then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.world.draws import draw, number
from collection_pipeline.simulator.world.kinds import Band, Facts, draw_facts, draw_kinds
from collection_pipeline.simulator.world.lookalikes import LOOKALIKES, Offer, lookalike_title, own_words
from collection_pipeline.simulator.world.names import listing_title, words
from collection_pipeline.simulator.world.products import Product, Products
from collection_pipeline.simulator.world.sellers import Seller, Sellers
from collection_pipeline.simulator.world.turnover import first_day, life, mean_life, repriced_on


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """One eBay listing. `kind` says which rule it keeps or breaks, for tests and for the truth.

    `offers` says what is in it: the product itself, or what only looks like it. `age_days` is its age on day 0,
    negative where it began later.
    """

    id: str
    kind: str
    title: str
    product: Product
    seller: Seller
    seller_name: str
    indexed: Facts
    shown: Facts
    variations: tuple[str, ...]
    age_days: int
    words: frozenset[str]
    offers: Offer = "same"


class Listings:
    """All listings of one simulated eBay on the day of its configuration, a product at a time."""

    def __init__(self, config: SimulatorConfig, products: Products) -> None:
        self._config = config
        self._products = products
        self.sellers = Sellers(config.seed, config.sellers, config.day)
        # Bounded by listings rather than products: about a kilobyte and a half each.
        self.of = lru_cache(maxsize=max(200, 150_000 // max(1, config.listings_per_product)))(self._of)

    def _of(self, product: Product) -> tuple[Listing, ...]:
        """The product's listings, in eBay's best-match order."""
        config = self._config
        rng = draw(config.seed, "listings", product.asin)
        if rng.random() < config.share_without_listings:
            return ()
        # From three fifths to seven fifths of the average, and at least one where there are any at all.
        count = round(config.listings_per_product * (0.6 + 0.8 * rng.random()))
        count = max(count, min(1, config.listings_per_product))
        kinds = draw_kinds(rng, count, config.share_matching)
        base = number(config.seed, "listing", product.asin) % 9_000_000_000 + 1_000_000_000
        width = 2 if count <= 100 else 3  # twelve digits, as real ids have
        band = Band.around(product.first_price)
        listings: list[Listing] = []
        for index, kind in enumerate(kinds):
            # Now and then the seller of the listing before sells another one.
            again = listings[-1].seller if listings and rng.random() < 0.15 else None
            listings.append(
                _listing(rng, product, f"{base}{index:0{width}}", kind, band, again or self.sellers.pick(rng))
            )
        if config.day == 0:
            return tuple(listings)
        now = (self._now(first, place) for place, first in enumerate(listings))
        return tuple(listing for listing in now if listing is not None)

    def _now(self, first: Listing, place: int) -> Listing | None:
        """The listing in a product's place today; `first` is the one that had it first. None before that began."""
        seed, day, product = self._config.seed, self._config.day, first.product
        mean, began = mean_life(seed, product), first_day(seed, product, place)
        if began > day:
            return None
        turn, seller = 0, first.seller if began == 0 else self.sellers.pick_on(began, product.asin, place, 0)
        while (end := self._end(seller, mean, began, product.asin, place, turn)) <= day:
            turn, began = turn + 1, end
            seller = self.sellers.pick_on(began, product.asin, place, turn)
        listing = first if began == 0 else self._next(first, seller, began, place, turn)
        return self._repriced(listing, began)

    def _end(self, seller: Seller, mean: float, began: int, *key: object) -> int:
        """The day on which a listing is gone: its time is over, or its seller has left."""
        return max(began + 1, int(min(began + life(self._config.seed, mean, *key), seller.leaves_on)))

    def _next(self, first: Listing, seller: Seller, began: int, place: int, turn: int) -> Listing:
        """A seller's listing that takes a place on a day: of the same kind as the first, in the band of that day."""
        seed, product = self._config.seed, first.product
        rng = draw(seed, "next listing", product.asin, place, turn)
        listing_id = str(number(seed, "next listing", product.asin, place, turn) % 900_000_000_000 + 100_000_000_000)
        band = Band.around(self._products.price(product, began))
        listing = _listing(rng, product, listing_id, first.kind, band, seller)
        offers: Offer = "same"
        title = own_words(rng, listing.title, product.model)
        if rng.random() < self._config.share_lookalikes:
            offers = rng.choice(LOOKALIKES)
            title = lookalike_title(rng, product.title, product.model, offers)
        return replace(
            listing,
            title=title,
            words=frozenset(words(title)) - product.words,
            offers=offers,
            age_days=-began,
        )

    def _repriced(self, listing: Listing, began: int) -> Listing:
        """The listing at the price that its seller chose last."""
        seed = self._config.seed
        since = repriced_on(seed, listing.id, began, self._config.day)
        if since == began:
            return listing
        rng = draw(seed, "price", listing.id, since)
        indexed, shown = draw_facts(rng, listing.kind, Band.around(self._products.price(listing.product, since)))
        return replace(listing, indexed=indexed, shown=shown)


def _listing(rng: Random, product: Product, listing_id: str, kind: str, band: Band, seller: Seller) -> Listing:
    indexed, shown = draw_facts(rng, kind, band)
    title = listing_title(rng, product.title)
    name = seller.other_name if seller.other_name and rng.random() < 0.5 else seller.name
    return Listing(
        id=listing_id,
        kind=kind,
        title=title,
        product=product,
        seller=seller,
        seller_name=name,
        indexed=indexed,
        shown=shown,
        variations=tuple(f"{rng.randrange(10**11, 10**12)}" for _ in range(3)) if rng.random() < 0.2 else (),
        age_days=rng.randint(1, 900),
        words=frozenset(words(title)) - product.words,
    )
