"""eBay's result pages: what a card says, what a page says, and that nobody is taken for a seller who is none."""

from collections.abc import Iterator
from decimal import Decimal
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collection_pipeline.core.collecting.listings import (
    Listing,
    ListingPage,
    ListingQuery,
    SellerFacts,
    broken_rule,
    query_text,
)
from collection_pipeline.core.collecting.usage import Call
from collection_pipeline.core.errors import Malformed
from collection_pipeline.core.money import BandRule, Money, PriceBand
from collection_pipeline.core.sellers.identity import seller_key
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.ebay.pages import LOOSE_SELLER
from collection_pipeline.simulator.server import RunningSimulator, running
from collection_pipeline.sources.ebay.result_pages import job, listing_page, page_address
from collection_pipeline_tests.sources.asking import NODE, Ledger, query_for, search_page

BAND = PriceBand(Decimal("18.00"), Decimal("22.00"), "USD")
QUERY = ListingQuery("coffee machine", BAND)
REWRITE = "class='srp-river-answer srp-river-answer--REWRITE_START'"
DIVIDER = f"<li {REWRITE} data-view='mi:1706|iid:61'>Results matching fewer words</li>"
OUTER_DIVIDER = f"<div {REWRITE} data-view='mi:1706|iid:1'>Results matching fewer words</div>"
CORRECTED = f"<li {REWRITE} data-view='mi:4721|iid:1'>Including results for earbuds. Search instead for airbuds</li>"
PLACEHOLDER = (
    "<li class=s-card data-listingid=2500219655424533><a href='https://ebay.com/itm/123456?hash=1'><div"
    " class=s-card__title>Shop on eBay</div></a><span class=s-card__price>$20.00</span></li>"
)
NEXT = '<a class="pagination__next icon-link" href="https://www.ebay.com/sch/i.html?_pgn=2">'


def card(
    number: str = "110555",
    seller: str = "<div class=s-card__attribute-row><span>Deal_Hunter</span> <span>99.4% positive (1.2K)</span></div>",
    price: str = "$20.00",
    subtitle: str = "Brand New",
    rows: str = "<div class=s-card__attribute-row>Free delivery</div>",
) -> str:
    return (
        f'<li class="s-card s-card--horizontal" data-listingid={number}><div class=s-card__title><span>Coffee Machine'
        "</span><span class=clipped>Opens in a new window or tab</span></div>"
        f"<div class=s-card__subtitle-row><div class=s-card__subtitle>{subtitle}</div></div>"
        f"<div class=s-card__attribute-row><span class=s-card__price>{price}</span></div>{rows}"
        f"<div class=su-card-container__attributes__secondary>{seller}</div></li>"
    )


def old_card(seller: str = "<span class=s-item__seller-info-text>gamesgalaxy (1,493) 100%</span>") -> str:
    return (
        "<li class=s-item><a href='https://www.ebay.com/itm/Coffee-Machine/110777?hash=1'><div class=s-item__title>"
        "<span class=LIGHT_HIGHLIGHT>New Listing</span>Coffee Machine</div></a>"
        "<div class=s-item__subtitle><span class=SECONDARY_INFO>Brand New</span> · Acme</div>"
        "<span class=s-item__price>$19.00<span class=DEFAULT> to </span>$30.00</span>"
        f"<span class=s-item__detail>Free shipping</span>{seller}</li>"
    )


def heading(count: str) -> str:
    return f"<h1 class=srp-controls__count-heading><span class=BOLD>{count}</span> results for <span>coffee</span></h1>"


def read(*cards: str, around: str = "", before: str = "") -> ListingPage:
    html = f"{before}<ul class='srp-results srp-list clearfix'>{''.join(cards)}</ul>{around}"
    body = {"results": [{"status_code": 200, "content": html}]}
    return listing_page(body, "eBay page", "https://www.ebay.com/sch/i.html")


def only(*cards: str) -> Listing:
    [listing] = read(*cards).listings
    return listing


def test_the_address_asks_for_every_rule_and_the_job_for_the_us() -> None:
    address = page_address(QUERY, 2)
    for asked in ("_nkw=coffee+machine", "LH_ItemCondition=1000", "LH_BIN=1", "LH_Free=1", "LH_PrefLoc=1"):
        assert asked in address
    assert "_udlo=18.00&_udhi=22.00&_ipg=60&_pgn=2" in address
    assert "_dmd=1" in address, "the list view: galleries name no seller"
    assert "_blrs=spell_auto_correct" in address, "our words, not those that eBay takes them for"
    assert job(address) == {"source": "ebay", "url": address, "geo_location": "United States"}


def test_a_card_of_the_new_layout_is_evidence() -> None:
    listing = only(card())
    assert (listing.listing_id, listing.title) == ("110555", "Coffee Machine")
    assert listing.price == Money(Decimal("20.00"), "USD")
    assert listing.seller == SellerFacts("Deal_Hunter", 1200, Decimal("99.4"))
    assert broken_rule(listing, QUERY) is None


def test_a_card_of_the_old_layout_is_evidence() -> None:
    listing = only(old_card())
    assert (listing.listing_id, listing.title) == ("110777", "Coffee Machine")
    assert listing.price == Money(Decimal("19.00"), "USD")
    assert listing.seller == SellerFacts("gamesgalaxy", 1493, Decimal("100.0"))
    assert broken_rule(listing, QUERY) is None


def test_a_top_rated_seller_stands_elsewhere_and_is_found() -> None:
    badge = (
        "<div class=s-card__attribute-row>Customs services and international tracking provided</div>"
        '<div class="s-card__program-badge-container s-card__program-badge-container--sellerOrStoreInfo">'
        '<span aria-label="Top Rated Plus"></span><span>best_seller</span><span>100% positive (114.4K)</span></div>'
    )
    assert only(card(seller=badge)).seller == SellerFacts("best_seller", 114_400, Decimal("100.0"))


@pytest.mark.parametrize(
    ("shown", "rule"),
    [
        ({"price": "$17.99"}, "price_band"),
        ({"price": "C $20.00"}, "no_price"),
        ({"price": "20.00"}, "no_price"),
        ({"price": "IDR320,000.00"}, "no_price"),
        ({"price": ""}, "no_price"),
        ({"subtitle": "Pre-Owned"}, "condition"),
        ({"subtitle": "NEW | FREE SHIPPING · Pre-Owned"}, "condition"),
        ({"subtitle": "NEW | FREE SHIPPING</div><div class=s-card__subtitle>Open Box"}, "condition"),
        ({"subtitle": "USED ONCE | Brand New"}, None),
        ({"subtitle": "Part # 4711 | FREE SHIPPING"}, None),
        ({"rows": "<div class=s-card__attribute-row>+$5.00 delivery in 2-4 days</div>"}, "delivery"),
        ({"rows": "<div class=s-card__attribute-row>Shipping not specified</div>"}, "delivery"),
        ({"rows": ""}, "delivery"),
        (
            {"rows": "<p class=s-card__attribute-row>Free delivery<p class=s-card__attribute-row>3 bids"},
            "buying_option",
        ),
        ({"rows": "<p class=s-card__attribute-row>Free delivery<p class=s-card__attribute-row>from China"}, "location"),
        ({"rows": "<p class=s-card__attribute-row>Free delivery<p class=s-card__attribute-row>from US"}, None),
    ],
)
def test_each_rule_is_checked_again_on_the_card(shown: dict[str, str], rule: str | None) -> None:
    page = read(card(**shown), card("110556"))
    assert broken_rule(page.listings[0], QUERY) == rule


@pytest.mark.parametrize("said", ["Direct from Acme", "Brand New", "99% positive", "Deal Hunter 99% positive (3)", ""])
def test_a_row_that_names_no_seller_makes_none(said: str) -> None:
    page = read(card(seller=f"<div class=s-card__attribute-row>{said}</div>"), card("110556"))
    assert page.listings[0].seller is None


def test_a_title_that_looks_like_a_seller_makes_none() -> None:
    fake = card(seller="").replace("Coffee Machine", "fake_seller 100% positive (9)")
    page = read(fake, card("110556"))
    assert [listing.seller and listing.seller.name for listing in page.listings] == [None, "Deal_Hunter"]


TOOLTIP = (
    "<div class='s-card__program-badge-container s-card__program-badge-container--sellerOrStoreInfo'>"
    "<span class=tooltip><span class=tooltip__host><span>best_seller</span> <span>100% positive (9.6K)</span></span>"
    "<span class=tooltip__overlay>Top Rated Plus Sellers with highest buyer ratings</span></span></div>"
)


def test_a_tooltip_is_no_part_of_the_seller_it_explains() -> None:
    assert only(card(seller=TOOLTIP)).seller == SellerFacts("best_seller", 9_600, Decimal("100.0"))


def test_the_old_layout_of_2025_07_names_its_sellers_elsewhere() -> None:
    seller = "<span class=s-item__etrs-text><span>best_seller</span> <span>100% positive (9.6K)</span></span>"
    assert only(old_card(seller=seller)).seller == SellerFacts("best_seller", 9_600, Decimal("100.0"))


def test_new_listing_is_no_part_of_a_title() -> None:
    shown = card().replace("<span>Coffee", "<span class=s-card__new-listing>New Listing</span><span>Coffee")
    assert only(shown).title == "Coffee Machine"


@pytest.mark.parametrize(
    ("place", "country"), [("from China", "CN"), ("Located in Japan", "JP"), ("from Nowhere", None)]
)
def test_the_place_of_an_item_comes_out(place: str, country: str | None) -> None:
    assert only(card(rows=f"<div class=s-card__attribute-row>{place}</div>")).country == country


def test_a_price_that_is_crossed_out_is_none() -> None:
    assert only(
        card(price="$59.99</span><span class=s-card__price>$20.00").replace(
            "<span class=s-card__price>$59.99", "<span class='s-card__price strikethrough'>$59.99"
        )
    ).price == Money(Decimal("20.00"), "USD")


def test_a_new_seller_has_no_rating_rather_than_a_bad_one() -> None:
    row = "<div class=s-card__attribute-row>newcomer 0% positive (0)</div>"
    assert only(card(seller=row)).seller == SellerFacts("newcomer", 0, None)


def test_what_matches_fewer_words_is_left_out() -> None:
    page = read(card(), DIVIDER, card("999"), around=NEXT)
    assert [listing.listing_id for listing in page.listings] == ["110555"]
    assert not page.has_more, "below the divider nothing matches, and so it is on later pages"
    assert read(card(), around=NEXT).has_more
    assert not read(card(), around=NEXT.replace("href", "aria-disabled=true href")).has_more


def test_where_nothing_matches_the_divider_stands_before_the_list_and_every_card_is_loose() -> None:
    assert read(card(), card("999"), before=heading("0") + OUTER_DIVIDER, around=NEXT).listings == ()
    assert read(card(), before=OUTER_DIVIDER).listings == ()
    assert read(card(), before=heading("0")).listings == ()


def test_a_corrected_spelling_is_no_divider() -> None:
    assert [one.listing_id for one in read(CORRECTED, card()).listings] == ["110555"]
    assert [one.listing_id for one in read(card(), before=CORRECTED.replace("li", "div")).listings] == ["110555"]


@pytest.mark.parametrize(("said", "count"), [("1", 1), ("2", 2), ("1,200+", 3), ("3", 3), ("x", 3)])
def test_no_page_has_more_results_than_its_heading_says(said: str, count: int) -> None:
    assert len(read(card("1"), card("2"), card("3"), before=heading(said)).listings) == count


def test_placeholders_are_known_by_their_place_and_their_link() -> None:
    outside = f"<div class=s-clipped><ul>{PLACEHOLDER}{card('4711')}</ul></div>"
    assert [one.listing_id for one in read(PLACEHOLDER, card(), before=outside).listings] == ["110555"]
    with pytest.raises(Malformed, match="no price is in dollars"):  # the placeholder's $20.00 is no price
        read(PLACEHOLDER, card(price="IDR320,000.00"), before=outside)


def test_cards_of_a_carousel_among_the_results_are_none_of_them() -> None:
    carousel = f"<li class='srp-river-answer srp-river-answer--CAROUSEL'><ul>{card('999')}</ul></li>"
    assert [one.listing_id for one in read(card(), carousel, card("110556")).listings] == ["110555", "110556"]


def test_no_result_has_to_be_said_by_the_page() -> None:
    assert read(before=heading("0")).listings == ()
    assert read(before=heading("0") + f"<div class=s-clipped>{PLACEHOLDER}</div>").listings == ()
    for nothing in (read_nothing, read_consent, read_placeholders):
        with pytest.raises(Malformed, match="no results"):
            nothing()


def read_nothing() -> None:
    read()


def read_consent() -> None:
    read(around="<h1>Before you continue</h1><button>Accept all</button>")


def read_placeholders() -> None:
    read(PLACEHOLDER, PLACEHOLDER)


def test_a_page_without_any_seller_or_any_dollar_is_not_believed() -> None:
    with pytest.raises(Malformed, match="none of 2 cards names a seller") as gallery:
        read(card(seller=""), card("110556", seller=""))
    assert gallery.value.stage == "seller_extraction"
    with pytest.raises(Malformed, match="no price is in dollars") as abroad:
        read(card(price="IDR320,000.00"), card("110556", price="IDR330,000.00"))
    assert abroad.value.stage == "price_parsing"


@pytest.mark.parametrize("content", [None, "", "   ", 5, {"parse_status_code": 12000}, ["<li>"]])
def test_a_reply_without_a_page_is_malformed(content: object) -> None:
    with pytest.raises(Malformed):
        listing_page({"results": [{"status_code": 200, "content": content}]}, "eBay page", "https://www.ebay.com/sch")


@pytest.fixture(scope="module")
def busy() -> Iterator[RunningSimulator]:
    """Products with more listings than a page holds."""
    with running(SimulatorConfig(products_per_page=10, listings_per_product=260, sellers=400)) as started:
        yield started


def test_every_page_in_both_layouts_gives_the_truth(busy: RunningSimulator) -> None:
    truth = busy.truth(NODE, limit=60, sees_condition="false")
    products = [product for product in truth["products"].values() if product["price"]]
    for product in products:
        query = query_for_product(product)
        found = evidence(busy, query)
        assert sorted(found) == sorted(product["listings"]), product["title"]
        keys = {seller_key(listing.seller.name) for listing in found.values() if listing.seller}
        assert keys == {seller["key"] for seller in product["sellers"]}
        assert not any(key.startswith(LOOSE_SELLER) for key in keys)


def query_for_product(product: dict[str, str]) -> ListingQuery:
    return ListingQuery(query_text(product["title"]), BandRule().band(Money(Decimal(product["price"]), "USD")))


def evidence(simulator: RunningSimulator, query: ListingQuery) -> dict[str, Listing]:
    found: dict[str, Listing] = {}
    for number in (1, 2, 3):
        page = search_page(simulator, query, number)
        found |= {listing.listing_id: listing for listing in page.listings if broken_rule(listing, query) is None}
        if not page.has_more:
            break
    return found


def test_a_page_is_one_call_and_tells_the_rate(simulator: RunningSimulator) -> None:
    ledger = Ledger()
    search_page(simulator, query_for(simulator), 1, ledger)
    assert ledger.calls == {Call("oxylabs", "search_page"): 1}
    assert ledger.rates["oxylabs"] == 50


NAMES = st.from_regex(r"[a-z0-9_.\-*<>&\"']{1,20}", fullmatch=True)
PIECES = st.sampled_from(
    [
        card(),
        old_card(),
        DIVIDER,
        PLACEHOLDER,
        NEXT,
        "<li class=s-card",
        "</li>",
        "<ul>",
        "<script>",
        "<!--",
        "&#0;",
        "$",
    ]
) | st.text(max_size=30)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_any_html_is_a_classified_error_or_sellers_that_the_page_names(pieces: list[str]) -> None:
    try:
        page = read(*pieces)
    except Malformed:
        return
    for listing in page.listings:
        if listing.seller is not None:
            assert listing.seller.name in ("Deal_Hunter", "gamesgalaxy")
            assert listing.listing_id.isdigit()


@settings(max_examples=100, deadline=None)
@given(NAMES, st.integers(0, 100), st.integers(0, 999))
def test_any_name_is_read_as_it_is_shown(name: str, percent: int, score: int) -> None:
    row = (
        f"<div class=s-card__attribute-row><span>{escape(name)}</span> <span>{percent}% positive ({score})</span></div>"
    )
    seller = only(card(seller=row)).seller
    assert seller is not None
    assert (seller.name, seller.feedback_score) == (name, score)
