"""The cards of an eBay result page, in both of its layouts, as listings (SOURCES section 4).

A card is read by its document tree, never by patterns over markup: minified pages leave quotes out, and Top Rated
sellers stand in another place than the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from collection_pipeline.core.listings import CONDITION_NEW, Listing, SellerFacts
from collection_pipeline.core.money import Money, parse_amount
from collection_pipeline.sources.http import LONGEST_QUOTE

PLACEHOLDER = "123456"
"""The listing number of the two "Shop on eBay" cards that begin every page."""

_CARDS = "li.s-card, li.s-item, li.srp-river-answer--REWRITE_START"
_SELLERS = (
    ".su-card-container__attributes__secondary .s-card__attribute-row, "
    ".s-card__program-badge-container--sellerOrStoreInfo, .s-item__seller-info-text"
)
_ROWS = ".s-card__attribute-row, .s-item__detail, .s-item__shipping, .s-item__location, .s-item__bids"

# "deal_hunter 99.4% positive (1.2K)" on a card of the new layout, "deal_hunter (1,493) 99.4%" on one of the old
_SELLER = re.compile(
    r"(?P<name>\S+) (?P<percent>\d{1,3}(?:\.\d)?)% positive(?: \((?P<score>[\d.,]+[KM]?)\))?"
    r"|(?P<old_name>\S+) \((?P<old_score>[\d.,]+[KM]?)\) (?P<old_percent>\d{1,3}(?:\.\d)?)%"
)
_DOLLARS = re.compile(r"(?:US ?)?\$ ?\d")
_FREE = re.compile(r"free\b.*\b(?:delivery|shipping|postage)\b", re.IGNORECASE)
_PAID = re.compile(r"\+.*\b(?:delivery|shipping|postage)\b", re.IGNORECASE)
_PLACE = re.compile(r"(?:located in|from) (?P<place>.+)", re.IGNORECASE)
_BIDS = re.compile(r"\d+ bids?\b", re.IGNORECASE)
_AT_ONCE = re.compile(r"\bbuy it now\b", re.IGNORECASE)
_NO_RESULTS = re.compile(r"0 results\b", re.IGNORECASE)
_TIMES = {"K": 1_000, "M": 1_000_000}

CONDITIONS = {
    "brand new": CONDITION_NEW,
    "new": CONDITION_NEW,
    "new (other)": "1500",
    "open box": "1500",
    "new with defects": "1750",
    "certified - refurbished": "2000",
    "excellent - refurbished": "2010",
    "very good - refurbished": "2020",
    "good - refurbished": "2030",
    "seller refurbished": "2500",
    "refurbished": "2500",
    "like new": "2750",
    "pre-owned": "3000",
    "used": "3000",
    "parts only": "7000",
    "for parts or not working": "7000",
}
"""What a card's subtitle may say of the condition, with eBay's number of it."""


@dataclass(frozen=True, slots=True)
class Cards:
    """What a page shows before the point where eBay goes on with results that match fewer words.

    `count` is how many cards there are, readable or not; `says_none` whether the page itself says that nothing was
    found; `foreign_prices` holds prices that are not in dollars.
    """

    listings: tuple[Listing, ...]
    count: int
    has_more: bool
    says_none: bool
    foreign_prices: tuple[str, ...]


def read_cards(html: str) -> Cards:
    """Reads a page, whatever it holds."""
    page = LexborHTMLParser(html)
    cards, is_cut = _exact(page)
    foreign = [price for card in cards if (price := _price_text(card)) and not _DOLLARS.match(price)]
    following = page.css_first("a.pagination__next[href]")
    heading = _text(page.css_first(".srp-controls__count-heading"))
    return Cards(
        listings=tuple(listing for card in cards if (listing := _listing(card)) is not None),
        count=len(cards),
        has_more=bool(cards) and not is_cut and following is not None and _is_enabled(following),
        says_none=_NO_RESULTS.match(heading) is not None,
        foreign_prices=tuple(price[:LONGEST_QUOTE] for price in foreign),
    )


def _exact(page: LexborHTMLParser) -> tuple[list[LexborNode], bool]:
    """The real cards above the divider, and whether there is a divider: below it nothing matches the query."""
    cards: list[LexborNode] = []
    for card in page.css(_CARDS):
        if "srp-river-answer--REWRITE_START" in (card.attributes.get("class") or ""):
            return cards, True
        if _listing_id(card) != PLACEHOLDER:
            cards.append(card)
    return cards, False


def _listing(card: LexborNode) -> Listing | None:
    """A card as a listing, or None if it has no number or no title. What it does not say is None."""
    listing_id, title = _listing_id(card), _title(card)
    if listing_id is None or not title:
        return None
    rows = [_text(row) for row in card.css(_ROWS)]
    return Listing(
        listing_id=listing_id,
        title=title,
        url=f"https://www.ebay.com/itm/{listing_id}",
        price=_price(card),
        condition_id=_condition(card),
        is_fixed_price=not any(map(_BIDS.match, rows)) or any(map(_AT_ONCE.search, rows)),
        is_delivery_free=_is_delivery_free(rows),
        country=_country(rows),
        seller=_seller(card),
    )


def _listing_id(card: LexborNode) -> str | None:
    number = card.attributes.get("data-listingid")
    if number is None:
        link = card.css_first('a[href*="/itm/"]')
        found = re.search(r"/itm/(?:[^/?#]*/)?(\d+)", (link.attributes.get("href") or "") if link else "")
        number = found[1] if found else None
    return number if number and number.isascii() and number.isdigit() and len(number) <= 20 else None


def _title(card: LexborNode) -> str:
    """The title without what only screen readers hear ("Opens in a new window") and without "New listing"."""
    title = card.css_first(".s-card__title, .s-item__title")
    if title is None:
        return ""
    for aside in title.css(".clipped, .LIGHT_HIGHLIGHT"):
        aside.decompose()
    return _text(title)


def _price_text(card: LexborNode) -> str:
    return _text(card.css_first(".s-card__price, .s-item__price"), separator="")


def _price(card: LexborNode) -> Money | None:
    """The price in dollars. Another currency's is none: the collection compares dollars."""
    price = _price_text(card)
    amount = parse_amount(price) if _DOLLARS.match(price) else None
    return None if amount is None else Money(amount, "USD")


def _condition(card: LexborNode) -> str:
    """The condition that the subtitle names. It may hold the seller's own words instead; new is what was asked for."""
    for subtitle in card.css(".s-card__subtitle, .s-item__subtitle"):
        for part in re.split(r"[·|]", _text(subtitle)):
            if (condition := CONDITIONS.get(part.strip().casefold())) is not None:
                return condition
    return CONDITION_NEW


def _is_delivery_free(rows: list[str]) -> bool | None:
    if any(map(_FREE.match, rows)):
        return True
    return False if any(map(_PAID.match, rows)) else None


def _country(rows: list[str]) -> str | None:
    """US, unless the card names another country: it was asked for what is located there, and need not repeat it."""
    places = [found["place"].strip() for row in rows if (found := _PLACE.fullmatch(row))]
    return "US" if all(place.casefold() in ("united states", "us", "usa") for place in places) else None


def _seller(card: LexborNode) -> SellerFacts | None:
    """Who sells it. Scores above a thousand are rounded by the page: "1.2K"."""
    found = next(_named(card), None)
    if found is None:
        return None
    name = found["name"] or found["old_name"]
    percent = Decimal(found["percent"] or found["old_percent"])
    score = _score(found["score"] or found["old_score"])
    # 0 % of no feedback at all is a new seller, not a bad one (section 5).
    is_rated = percent <= 100 and not (percent == 0 and not score)
    return SellerFacts(name, score, percent.quantize(Decimal("0.1")) if is_rated else None)


def _named(card: LexborNode) -> Iterator[re.Match[str]]:
    for row in card.css(_SELLERS):
        if found := _SELLER.fullmatch(_text(row)):
            yield found


def _score(shown: str | None) -> int | None:
    if not shown:
        return None
    digits, times = shown.rstrip("KM").replace(",", ""), _TIMES.get(shown[-1], 1)
    if not re.fullmatch(r"\d{1,9}(\.\d{1,3})?", digits):
        return None
    score = int(Decimal(digits) * times)
    return score if score < 2**31 else None


def _is_enabled(link: LexborNode) -> bool:
    return link.attributes.get("aria-disabled") != "true"


def _text(node: LexborNode | None, separator: str = " ") -> str:
    """What a person reads there, its white space single; `separator` stands between the texts of two elements."""
    return "" if node is None else " ".join(node.text(separator=separator).split())
