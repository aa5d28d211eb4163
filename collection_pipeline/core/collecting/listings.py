"""Listings: what is asked of eBay for a product, and which of its answers count as evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from collection_pipeline.core.money import Money, PriceBand
from collection_pipeline.core.sellers.identity import is_nameable

QUERY_CHARS = 100
"""eBay cuts `q` at 100 characters (docs/sources.md 1.2), possibly inside a word, which would then match nothing."""

CONDITION_NEW = "1000"

# ( ) , and * are operators in eBay's `q`; quotes ask for phrases; a leading - excludes a word.
_OPERATORS = re.compile(r"""[()\[\]{},*"“”„‟«»‹›|\\<>]|(?<!\w)['’‘`-]+|['’‘`-]+(?!\w)""")

ListingRule = Literal["no_seller", "no_price", "price_band", "condition", "buying_option", "delivery", "location"]
"""Why an item that eBay's own filters let through is not evidence."""


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """What one product is searched by: its cleaned title and its price band; new, free delivery, US, fixed price."""

    text: str
    band: PriceBand


@dataclass(frozen=True, slots=True)
class SellerFacts:
    """A seller as a listing names it. The name is opaque: it may be an immutable id (docs/sources.md 4)."""

    name: str
    feedback_score: int | None
    feedback_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class ListingMatch:
    """How likely a listing is the product it was found for, from 0 to 1 in thousandths, and why in a few words."""

    probability: Decimal
    reasons: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One eBay item as the vendor described it; what was not said is None.

    `match` is ours, and None until the item was compared with a product.
    """

    listing_id: str
    title: str
    url: str
    price: Money | None
    condition_id: str | None
    is_fixed_price: bool
    is_delivery_free: bool | None
    country: str | None
    seller: SellerFacts | None
    match: ListingMatch | None = None


@dataclass(frozen=True, slots=True)
class ListingPage:
    """One page of search results. `unreadable` counts items that could not be read at all."""

    listings: tuple[Listing, ...]
    has_more: bool
    url: str
    unreadable: int = 0

    @property
    def items_count(self) -> int:
        """How many items the page holds."""
        return len(self.listings)


class ListingSource(Protocol):
    """Where listings come from."""

    async def search(self, query: ListingQuery, page: int) -> ListingPage:
        """Page `page` (from 1) of the listings that answer a query. One call. Raises SourceError."""
        ...


def query_text(title: str) -> str:
    """An Amazon title as an eBay query: no operators, whole words only, at most 100 characters.

    Empty where nothing searchable is left, which is a reason to skip the product, never to search for everything.
    """
    words = _OPERATORS.sub(" ", title).split()
    text = ""
    for word in words:
        if not any(character.isalnum() for character in word):
            continue
        longer = f"{text} {word}".strip()
        if len(longer) > QUERY_CHARS:
            # A title without a single space is cut inside its only word rather than not searched.
            return text or word[:QUERY_CHARS]
        text = longer
    return text


def broken_rule(listing: Listing, query: ListingQuery) -> ListingRule | None:
    """The first rule that a listing does not verifiably obey, or None if it is evidence that its seller sells this.

    eBay ignores a wrong filter instead of refusing it, and its index lags, so each rule is checked again. What an item
    does not say it does not obey.
    """
    if listing.seller is None or not is_nameable(listing.seller.name):
        return "no_seller"
    if listing.price is None:
        return "no_price"
    if listing.price not in query.band:
        return "price_band"
    if listing.condition_id != CONDITION_NEW:
        return "condition"
    if not listing.is_fixed_price:
        return "buying_option"
    if listing.is_delivery_free is not True:
        return "delivery"
    if listing.country != "US":
        return "location"
    return None


def distinct(listings: Iterable[Listing]) -> list[Listing]:
    """Each listing once, the first sight of it: pages overlap and variations share one listing id."""
    first: dict[str, Listing] = {}
    for listing in listings:
        first.setdefault(listing.listing_id, listing)
    return list(first.values())
