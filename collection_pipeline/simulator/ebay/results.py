"""One eBay search: which listings answer, in which order, and how they fall on pages (docs/sources.md 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import ceil
from typing import Literal, TypeVar, get_args

from collection_pipeline.simulator.ebay.filters import Filter
from collection_pipeline.simulator.ebay.words import Words
from collection_pipeline.simulator.world.draws import number
from collection_pipeline.simulator.world.listings import Listing, Listings
from collection_pipeline.simulator.world.products import Products

T = TypeVar("T")
Sort = Literal["best", "price", "-price", "newlyListed", "endingSoonest", "distance"]
SORTS = frozenset(get_args(Sort)) - {"best"}
LARGEST_WINDOW = 10_000


def results(words: Words, filter_: Filter, sort: str, products: Products, listings: Listings) -> list[Listing]:
    """Every listing that answers, each once, in order."""
    found = [
        listing
        for product in words.products(products)
        for listing in listings.of(product)
        if filter_.passes(listing) and words.match(listing)
    ]
    if sort in {"price", "-price"}:
        found.sort(key=_total_price, reverse=sort == "-price")
    elif sort == "newlyListed":
        found.sort(key=lambda listing: listing.age_days)
    return found


def page_of(found: Sequence[T], offset: int, limit: int, *, repeats: bool) -> Sequence[T]:
    """The items at an offset. Under best match a page begins with the last item of the page before, once more.

    So items repeat across pages, as seen live, yet none is out of reach: the rest only moves back.
    """
    if not repeats or limit < 3 or offset == 0:
        return found[offset : offset + limit]
    # Each page after the first brings one item fewer that is new, so `page` of them lie between here and there.
    page = offset // limit
    start = offset - page
    return found[start : start + limit] if start + 1 < len(found) else []


def served(found: Sequence[object], limit: int, *, repeats: bool) -> int:
    """How many items all pages hold together, repetitions included: where `next` ends."""
    if not repeats or limit < 3 or len(found) <= limit:
        return len(found)
    later_pages = ceil((len(found) - limit) / (limit - 1))
    return len(found) + later_pages


def reachable(found: Sequence[T], limit: int, max_pages: int) -> Sequence[T]:
    """The listings that the first pages show under best match."""
    if limit < 3:
        return found[: limit * max_pages]
    return found[: limit + (max_pages - 1) * (limit - 1)]


def estimated_total(seed: int, exact: int, offset: int, limit: int) -> int:
    """The `total` that eBay gives: right where one page holds everything, else an estimate that drifts."""
    if exact <= limit:
        return exact
    drift = max(1, exact // 40)
    return max(1, exact + number(seed, "total", exact, offset) % (2 * drift + 1) - drift)


def _total_price(listing: Listing) -> Decimal:
    """What sort=price goes by: price and shipping together."""
    facts = listing.indexed
    shipping = facts.shipping.cost if facts.shipping and facts.shipping.cost is not None else Decimal(0)
    return (facts.price if facts.price is not None else facts.bid or Decimal(0)) + shipping
