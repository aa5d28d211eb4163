"""Pages composed of everything that was ever seen on one: what comes out is what was put in, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from html import escape

from hypothesis import given, settings
from hypothesis import strategies as st

from collection_pipeline.core.collecting.listings import Listing, SellerFacts
from collection_pipeline.core.money import Money
from collection_pipeline.sources.ebay.cards import read_cards

SCORES = {"0": 0, "7": 7, "1,493": 1493, "1.2K": 1200, "114.4K": 114_400, "2.1M": 2_100_000}
CONDITIONS = {"Brand New": "1000", "New (Other)": "1500", "Open Box": "1500", "Pre-Owned": "3000", "Parts Only": "7000"}
DELIVERIES = {
    "Free delivery": True,
    "Free International Shipping": True,
    "Free 2-4 day delivery": True,
    "Free shipping": True,
    "+$24.78 delivery": False,
    "+$5.00 delivery in 2-4 days": False,
    "+$1.00 shipping estimate": False,
    "Shipping not specified": None,
}
PLACES = {"Located in United States": "US", "from United Kingdom": "GB", "from China": "CN", "": "US"}
ASIDES = ("Customs services and international tracking provided", "Direct from Acme", "or Best Offer", "Free returns")
SELLERS_OWN = ("", "NEW | FREE SHIPPING", "Part # 4711 | USED ONCE", "Like New inside")
SELLER_FORMS = ("row", "badge", "tooltip", "old", "etrs")


@dataclass(frozen=True)
class Shown:
    """A card's facts, as a page writes them."""

    number: int
    title: str
    price: str
    seller: str
    percent: str
    score: str
    condition: str
    delivery: str
    place: str
    asides: tuple[str, ...]
    words: str
    seller_form: str
    is_new: bool
    is_struck: bool

    @property
    def is_old(self) -> bool:
        return self.seller_form in ("old", "etrs")

    def listing(self) -> Listing:
        score = SCORES[self.score]
        is_rated = not (Decimal(self.percent) == 0 and score == 0)
        return Listing(
            listing_id=str(self.number),
            title=" ".join(self.title.split()),
            url=f"https://www.ebay.com/itm/{self.number}",
            price=Money(Decimal(self.price), "USD"),
            condition_id=CONDITIONS[self.condition],
            is_fixed_price=True,
            is_delivery_free=DELIVERIES[self.delivery],
            country=PLACES[self.place],
            seller=SellerFacts(
                self.seller, score, Decimal(self.percent).quantize(Decimal("0.1")) if is_rated else None
            ),
        )

    def html(self) -> str:
        return self._old() if self.is_old else self._new()

    def _new(self) -> str:
        rows = "".join(f"<div class=s-card__attribute-row><span>{escape(row)}</span></div>" for row in self._rows())
        struck = "<span class='su-styled-text strikethrough s-card__price'>$9,999.00</span>" if self.is_struck else ""
        new = "<span class=s-card__new-listing>New Listing</span>" if self.is_new else ""
        subtitles = [
            f"<div class=s-card__subtitle>{escape(part)}</div>" for part in (self.words, self.condition) if part
        ]
        return (
            f"<li class='s-card s-card--horizontal' data-listingid={self.number} data-view='mi:1686|iid:1'>"
            f"<a class=s-card__link href=https://www.ebay.com/itm/{self.number}?_skw=coffee&hash=item1>"
            f"<div class=s-card__title role=heading>{new}<span>{escape(self.title)}</span>"
            "<span class=clipped>Opens in a new window or tab</span></div></a>"
            f"<div class=s-card__subtitle-row>{''.join(subtitles)}</div><div class=su-card-container__attributes>"
            f"<div class=su-card-container__attributes__primary><div class=s-card__attribute-row>{struck}"
            f"<span class='su-styled-text s-card__price'>${Decimal(self.price):,.2f}</span></div>{rows}</div>"
            f"<div class=su-card-container__attributes__secondary>{self._seller()}</div></div></li>"
        )

    def _old(self) -> str:
        rows = "".join(f"<span class='s-item__detail s-item__dynamic'>{escape(row)}</span>" for row in self._rows())
        kind = "s-item__seller-info-text" if self.seller_form == "old" else "s-item__etrs-text"
        said = (
            f"{escape(self.seller)} ({self.score}) {self.percent}%"
            if self.seller_form == "old"
            else f"<span>{escape(self.seller)}</span> {self.percent}% positive ({self.score})"
        )
        new = "<span class=LIGHT_HIGHLIGHT>New Listing</span>" if self.is_new else ""
        subtitle = " · ".join(part for part in (self.words, self.condition) if part)
        return (
            f"<li class='s-item s-item__pl-on-bottom'><a class=s-item__link href='https://www.ebay.com/itm/{self.number}'>"
            f"<div class=s-item__title><span role=heading>{new}{escape(self.title)}</span></div></a>"
            f"<div class=s-item__subtitle><span class=SECONDARY_INFO>{escape(subtitle)}</span></div>"
            f"<span class=s-item__price>${Decimal(self.price):,.2f}</span>{rows}<span class={kind}>{said}</span></li>"
        )

    def _rows(self) -> list[str]:
        return [row for row in (*self.asides, self.delivery, self.place) if row]

    def _seller(self) -> str:
        said = f"<span>{escape(self.seller)}</span><!-- --> <span>{self.percent}% positive ({self.score})</span>"
        if self.seller_form == "row":
            return f"<div class=s-card__attribute-row>{said}</div>"
        if self.seller_form == "tooltip":
            said = (
                f"<span class=tooltip><span class=tooltip__host>{said}</span>"
                "<span class=tooltip__overlay>Top Rated Plus Sellers, highest buyer ratings 100% positive</span></span>"
            )
        else:
            said = f"<span aria-label='Top Rated Plus'></span>{said}"
        kind = "s-card__program-badge-container"
        return f"<div class='{kind} {kind}--sellerOrStoreInfo'>{said}</div>"


shown = st.builds(
    Shown,
    number=st.integers(10_000_000, 999_999_999_999),
    title=st.from_regex(r"[A-Za-z0-9 &<>\"'().,$%+-]{0,30}[A-Za-z0-9]", fullmatch=True),
    price=st.decimals("0.99", "9999", places=2).map(str),
    seller=st.from_regex(r"[a-z0-9_.\-*!]{1,20}", fullmatch=True),
    percent=st.sampled_from(["100", "99.4", "0", "97"]),
    score=st.sampled_from(sorted(SCORES)),
    condition=st.sampled_from(sorted(CONDITIONS)),
    delivery=st.sampled_from(sorted(DELIVERIES)),
    place=st.sampled_from(sorted(PLACES)),
    asides=st.lists(st.sampled_from(ASIDES), max_size=2).map(tuple),
    words=st.sampled_from(SELLERS_OWN),
    seller_form=st.sampled_from(SELLER_FORMS),
    is_new=st.booleans(),
    is_struck=st.booleans(),
)

ANSWER = "class='srp-river-answer srp-river-answer--REWRITE_START'"
LOOSE = f"<li {ANSWER} data-view='mi:1706|iid:61'>Results matching fewer words</li>"
CORRECTED = f"<div {ANSWER} data-view='mi:4721|iid:1'>Including results for earbuds</div>"
PLACEHOLDER = (
    "<li class=s-card data-listingid=2500219655424533><a href=https://ebay.com/itm/123456?h=1>Shop on eBay</a></li>"
)


@settings(max_examples=150, deadline=None)
@given(st.lists(shown, max_size=6), st.lists(shown, max_size=3), st.booleans(), st.booleans())
def test_what_comes_out_is_what_was_put_in(
    exact: list[Shown], loose: list[Shown], is_corrected: bool, is_minified: bool
) -> None:
    cards = "".join(one.html() for one in exact)
    below = LOOSE + "".join(one.html() for one in loose) if loose else ""
    html = (
        f"<h1 class=srp-controls__count-heading><span>{len(exact)}</span> results for <span>coffee</span></h1>"
        f"<div class=s-clipped>{PLACEHOLDER * 2}</div>{CORRECTED if is_corrected else ''}"
        f"<ul class='srp-results srp-list'>{cards}{below}</ul>"
    )
    page = read_cards(html.replace("</li>", "") if is_minified else html)
    assert list(page.listings) == [one.listing() for one in exact]
    assert (page.count, page.says_none) == (len(exact), not exact)
