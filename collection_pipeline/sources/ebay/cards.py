"""The cards of an eBay result page, in both of its layouts, as listings.

Known from recorded pages of 2025-05 to 2026-05. A card is read by its document tree, never by patterns over markup:
minified pages leave quotes out, and Top Rated sellers stand in other places than the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from collection_pipeline.core.collecting.listings import CONDITION_NEW, Listing, SellerFacts
from collection_pipeline.core.money import Money, parse_amount
from collection_pipeline.sources.ebay.words import CONDITIONS, COUNTRIES
from collection_pipeline.sources.http import LONGEST_QUOTE

PLACEHOLDER = "123456"
"""The listing that the "Shop on eBay" cards link to. Their data-listingid is any number."""

_LIST = "ul.srp-results"
_ANSWER = "srp-river-answer"
_DIVIDER = f"{_ANSWER}--REWRITE_START"
_CARDS_AND_DIVIDERS = f"li.s-card, li.s-item, .{_DIVIDER}"
_SELLERS = (
    ".su-card-container__attributes__secondary .s-card__attribute-row, "
    ".s-card__program-badge-container--sellerOrStoreInfo, .s-item__seller-info-text, .s-item__etrs-text"
)
_ROWS = (
    ".s-card__attribute-row, .s-item__detail, .s-item__shipping, .s-item__logisticsCost, .s-item__location, "
    ".s-item__itemLocation, .s-item__bids, .s-item__purchase-options"
)
_PRICES = ".s-card__price:not(.strikethrough), .s-item__price:not(.STRIKETHROUGH)"
_ASIDES = ".clipped, .LIGHT_HIGHLIGHT, .s-card__new-listing, .s-item__new-listing"
"""Parts of a title that are none of it: what only screen readers hear, and "New Listing"."""

# "deal_hunter 99.4% positive (1.2K)" on a card of the new layout, "deal_hunter (1,493) 99.4%" on one of the old
_SELLER = re.compile(
    r"(?P<name>\S+) (?P<percent>\d{1,3}(?:\.\d)?)% positive(?: \((?P<score>[\d.,]+[KM]?)\))?(?: .*)?"
    r"|(?P<old_name>\S+) \((?P<old_score>[\d.,]+[KM]?)\) (?P<old_percent>\d{1,3}(?:\.\d)?)%(?: .*)?"
)
_DOLLARS = re.compile(r"(?:US ?)?\$ ?\d")
_FREE = re.compile(r"free\b.*\b(?:delivery|shipping|postage)\b|送料無料", re.IGNORECASE)
_PAID = re.compile(r"\+.*(?:\b(?:delivery|shipping|postage)\b|送料)", re.IGNORECASE)
_PLACE = re.compile(r"(?:located in|from) (?P<place>.+)", re.IGNORECASE)
_BIDS = re.compile(r"\d+ bids?\b", re.IGNORECASE)
_AT_ONCE = re.compile(r"\bbuy it now\b", re.IGNORECASE)
_COUNT = re.compile(r"(?P<count>\d[\d,.]*)\+? results?\b", re.IGNORECASE)
_FEWER_WORDS = re.compile(r"fewer words|international sellers", re.IGNORECASE)
_TIMES = {"K": 1_000, "M": 1_000_000}


@dataclass(frozen=True, slots=True)
class Cards:
    """What a page shows that matches its search, before eBay goes on with results that match fewer words.

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
    total = _total(page)
    cards, is_cut = _exact(page)
    cards = cards if total is None else cards[:total]
    foreign = [price for card in cards if (price := _price_text(card)) and not _DOLLARS.match(price)]
    following = page.css_first("a.pagination__next[href]")
    return Cards(
        listings=tuple(listing for card in cards if (listing := _listing(card)) is not None),
        count=len(cards),
        has_more=bool(cards) and not is_cut and following is not None and _is_enabled(following),
        says_none=total == 0 or (is_cut and not cards),
        foreign_prices=tuple(price[:LONGEST_QUOTE] for price in foreign),
    )


def _total(page: LexborHTMLParser) -> int | None:
    """How many results there are, as the heading says; no page has more cards that match. None if it does not say."""
    said = _COUNT.match(_text(page.css_first(".srp-controls__count-heading")))
    digits = re.sub(r"\D", "", said["count"]) if said else ""
    return int(digits) if 0 < len(digits) <= 12 else None


def _exact(page: LexborHTMLParser) -> tuple[list[LexborNode], bool]:
    """The real cards above the divider, and whether there is a divider: below it nothing matches the query.

    Where nothing matches exactly, the divider stands before the list.
    """
    has_list = page.css_first(_LIST) is not None
    cards: list[LexborNode] = []
    for node in page.css(_CARDS_AND_DIVIDERS):
        if _DIVIDER in _classes(node):
            if _is_divider(node):
                return cards, True
        elif _is_result(node, has_list=has_list):
            cards.append(node)
    return cards, False


def _is_divider(answer: LexborNode) -> bool:
    """Whether what follows matches fewer words. The same element also says that a spelling was corrected (mi:4721)."""
    view = answer.attributes.get("data-view")
    return view.startswith("mi:1706") if view else _FEWER_WORDS.search(_text(answer)) is not None


def _is_result(card: LexborNode, *, has_list: bool) -> bool:
    """Whether a card is one of the search's: in its list, not in a carousel among it, and no placeholder."""
    if _linked_id(card) == PLACEHOLDER:
        return False
    if not has_list:
        return True
    ancestor = card.parent
    while ancestor is not None:
        classes = _classes(ancestor)
        if _ANSWER in classes:
            return False
        if ancestor.tag == "ul" and "srp-results" in classes:
            return True
        ancestor = ancestor.parent
    return False


def _classes(node: LexborNode) -> list[str]:
    return (node.attributes.get("class") or "").split()


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
    number = _linked_id(card) or card.attributes.get("data-listingid")
    return number if number and number.isascii() and number.isdigit() and len(number) <= 20 else None


def _linked_id(card: LexborNode) -> str | None:
    link = card.css_first('a[href*="/itm/"]')
    found = re.search(r"/itm/(?:[^/?#]*/)?(\d+)", (link.attributes.get("href") or "") if link else "")
    return found[1] if found else None


def _title(card: LexborNode) -> str:
    """The title as a person reads it."""
    title = card.css_first(".s-card__title, .s-item__title")
    if title is None:
        return ""
    for aside in title.css(_ASIDES):
        aside.decompose()
    return _text(title)


def _price_text(card: LexborNode) -> str:
    return _text(card.css_first(_PRICES), separator="")


def _price(card: LexborNode) -> Money | None:
    """The price in dollars. Another currency's is none: the collection compares dollars."""
    price = _price_text(card)
    amount = parse_amount(price) if _DOLLARS.match(price) else None
    return None if amount is None else Money(amount, "USD")


def _condition(card: LexborNode) -> str:
    """The condition: the last of the subtitle's parts that names one. What stands before are the seller's own words.

    A card that names none is new, because that is what was asked for.
    """
    subtitles = card.css(".s-card__subtitle, .s-item__subtitle")
    parts = [part for subtitle in subtitles for part in re.split(r"[·|]", _text(subtitle))]
    known = [CONDITIONS[word] for part in parts if (word := part.strip().casefold()) in CONDITIONS]
    return known[-1] if known else CONDITION_NEW


def _is_delivery_free(rows: list[str]) -> bool | None:
    if any(map(_FREE.match, rows)):
        return True
    return False if any(map(_PAID.match, rows)) else None


def _country(rows: list[str]) -> str | None:
    """Where the item is: US, unless the card names another country, since US was asked for. None for one unknown."""
    places = [found["place"].strip().casefold() for row in rows if (found := _PLACE.fullmatch(row))]
    return COUNTRIES.get(places[0]) if places else "US"


def _seller(card: LexborNode) -> SellerFacts | None:
    """Who sells it. Scores above a thousand are rounded by the page: "1.2K"."""
    found = next(_named(card), None)
    if found is None:
        return None
    name = found["name"] or found["old_name"]
    percent = Decimal(found["percent"] or found["old_percent"])
    score = _score(found["score"] or found["old_score"])
    # 0 % of no feedback at all is a new seller, not a bad one (docs/sources.md 4).
    is_rated = percent <= 100 and not (percent == 0 and not score)
    return SellerFacts(name, score, percent.quantize(Decimal("0.1")) if is_rated else None)


def _named(card: LexborNode) -> Iterator[re.Match[str]]:
    for row in card.css(_SELLERS):
        for aside in row.css(".tooltip__overlay, .clipped"):  # what a tooltip explains of Top Rated Plus
            aside.decompose()
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
