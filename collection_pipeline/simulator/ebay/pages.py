"""eBay's result pages as a browser gets them: both card layouts, and what stands between (docs/sources.md 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from random import Random
from urllib.parse import parse_qs, urlsplit

from collection_pipeline.simulator.ebay.filters import Context, parse_filter
from collection_pipeline.simulator.ebay.items import shown_name
from collection_pipeline.simulator.ebay.results import page_of, results, served
from collection_pipeline.simulator.ebay.words import Words
from collection_pipeline.simulator.state import Simulator
from collection_pipeline.simulator.world.draws import draw
from collection_pipeline.simulator.world.kinds import Facts
from collection_pipeline.simulator.world.listings import Listing

SEARCH_ADDRESS = "https://www.ebay.com/sch/i.html"
SIZES = (60, 120, 240)
LOOSE_SELLER = "loose_seller"
"""Begins the names of those whose cards stand below the divider: nobody may take them for sellers of the product."""

_BOT_WALL = "<!DOCTYPE html><html><head><title>Pardon Our Interruption...</title></head><body><h1>Checking your browser"
_PLACES = {"US": "United States", "CN": "China", "CA": "Canada", "GB": "United Kingdom"}
_CONDITIONS = {"1000": "Brand New", "1500": "Open Box", "3000": "Pre-Owned"}
_SYMBOLS = {"USD": "$", "CAD": "C $", "GBP": "£", "EUR": "EUR "}

Card = Callable[[Listing, str, Random, str], str]


def query_of(url: str) -> str:
    """What a page's address searches for."""
    return _parameter(url, "_nkw")


def page_number(url: str) -> int:
    """Which page an address asks for, from 1."""
    value = _parameter(url, "_pgn")
    return int(value) if value.isdigit() and int(value) else 1


def result_page(simulator: Simulator, url: str, fault: str) -> str:
    """The page at an address, as `fault` has it ("" for none)."""
    if fault == "oxylabs.ebay_bot_wall":
        return _BOT_WALL
    query, page = query_of(url), page_number(url)
    size = int(_parameter(url, "_ipg") or 0)
    size = size if size in SIZES else SIZES[0]
    found = results(
        Words.parse(query, whole_words_only=simulator.config.whole_words_only),
        parse_filter(_filter(url), Context("EBAY_US", simulator.listings.sellers, query)),
        "best",
        simulator.products,
        simulator.listings,
    )
    offset = (page - 1) * size
    shown = page_of(found, offset, size, repeats=True)
    has_next = bool(shown) and offset + size < served(found, size, repeats=True)
    rng = draw(simulator.config.seed, "page", query)
    return _page(simulator, url, shown, len(found), has_next=has_next, rng=rng, fault=fault)


def _filter(url: str) -> str:
    """The address's filters in the words of the Browse API."""
    said = {
        "LH_ItemCondition": "conditionIds:{%s}",
        "LH_Free": "maxDeliveryCost:0,deliveryCountry:US",
        "LH_PrefLoc": "itemLocationCountry:US",
        "LH_BIN": "buyingOptions:{FIXED_PRICE}",
    }
    filters = [text.replace("%s", value) for name, text in said.items() if (value := _parameter(url, name))]
    low, high = _parameter(url, "_udlo"), _parameter(url, "_udhi")
    if low or high:
        filters.append(f"price:[{low}..{high}],priceCurrency:USD")
    return ",".join(filters)


def _parameter(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query).get(name, [""])[0].strip()


def _page(
    simulator: Simulator, url: str, shown: Sequence[Listing], total: int, *, has_next: bool, rng: Random, fault: str
) -> str:
    query = query_of(url)
    is_new_layout = rng.random() < 0.6
    card = _new_card if is_new_layout else _old_card
    is_gallery = fault == "oxylabs.ebay_gallery" or _parameter(url, "_dmd") != "1"
    layout = "gallery" if is_gallery else "foreign" if fault == "oxylabs.ebay_local_currency" else ""
    names = [shown_name(listing, seller_ids=simulator.config.seller_ids) for listing in shown]
    cards = [card(listing, name, rng, layout) for listing, name in zip(shown, names, strict=True)]
    loose = _loose_cards(simulator, query, card, rng, layout) if not has_next and rng.random() < 0.5 else []
    before = _answer("div", _FEWER_WORDS) if loose and not cards else ""
    if rng.random() < 0.2:
        cards.insert(0, _answer("li", _STREAMLINED))
    cards += [_answer("li", _FEWER_WORDS), *loose] if loose and not before else loose
    html = (
        "<!DOCTYPE html><html><head><title>" + escape(query) + " for sale | eBay</title></head><body>"
        f'<h1 class="srp-controls__count-heading"><span class="BOLD">{total:,}</span> results for '
        f'<span class="BOLD">{escape(query)}</span></h1>{_placeholders(is_new_layout=is_new_layout)}{before}'
        f'<ul class="srp-results srp-list clearfix">{"".join(cards)}</ul>{_pagination(has_next=has_next)}</body></html>'
    )
    return _minified(html) if rng.random() < 0.3 else html


def _loose_cards(simulator: Simulator, query: str, card: Card, rng: Random, layout: str) -> list[str]:
    """Cards of other products, each in every respect but its words like one that is looked for."""
    asked = {product.asin for product in Words.parse(query).products(simulator.products)}
    others = [product for product in simulator.products.common() if product.asin not in asked][:3]
    listings = [listing for product in others for listing in simulator.listings.of(product)[:4]]
    return [card(listing, f"{LOOSE_SELLER}_{number}", rng, layout) for number, listing in enumerate(listings)]


_FEWER_WORDS = ("mi:1706", "Results matching fewer words")
_STREAMLINED = ("mi:4721", "We streamlined the results to show you the best listings")


def _answer(tag: str, said: tuple[str, str]) -> str:
    """What eBay itself says among the results. Both kinds have one class, and only their views tell them apart."""
    view, text = said
    return (
        f'<{tag} class="srp-river-answer srp-river-answer--REWRITE_START" data-view="{view}|iid:1">'
        f'<div class="section-notice">{text}</div></{tag}>'
    )


def _new_card(listing: Listing, name: str, rng: Random, layout: str) -> str:
    facts = listing.shown
    rows = [f'<div class="s-card__attribute-row"><span class="s-card__price">{_price(facts, layout)}</span></div>']
    rows += [f'<div class="s-card__attribute-row"><span>{text}</span></div>' for text in _rows(facts)]
    seller = f"<span>{escape(name)}</span> <span>{_feedback(listing)}</span>"
    row, badge = f'<div class="s-card__attribute-row">{seller}</div>', ""
    if rng.random() < 0.4:
        row = '<div class="s-card__attribute-row"><span>Customs services and tracking provided</span></div>'
        badge = _badge(seller, has_tooltip=rng.random() < 0.5)
    secondary = (
        "" if layout == "gallery" else f'<div class="su-card-container__attributes__secondary">{row}{badge}</div>'
    )
    return (
        f'<li class="s-card s-card--horizontal" data-listingid="{listing.id}"><div class="su-card-container">'
        f'<a class="s-card__link" href="https://www.ebay.com/itm/{listing.id}?hash=item1"><div class="s-card__title">'
        f'{_NEW_LISTING if rng.random() < 0.2 else ""}<span class="su-styled-text">{escape(listing.title)}</span>'
        '<span class="clipped">Opens in a new window or tab</span></div></a>'
        f'<div class="s-card__subtitle-row"><div class="s-card__subtitle">{_subtitle(facts)}</div></div>'
        '<div class="su-card-container__attributes"><div class="su-card-container__attributes__primary">'
        f"{''.join(rows)}</div>{secondary}</div></div></li>"
    )


_NEW_LISTING = '<span class="s-card__new-listing">New Listing</span>'


def _badge(seller: str, *, has_tooltip: bool) -> str:
    """Where a Top Rated seller stands, with or without what explains that."""
    inside = f'<span aria-label="Top Rated Plus"></span>{seller}'
    if has_tooltip:
        inside = (
            f'<span class="tooltip"><span class="tooltip__host">{seller}</span><span class="tooltip__overlay">'
            "Top Rated Plus Sellers with highest buyer ratings, Returns, money back</span></span>"
        )
    kind = "s-card__program-badge-container"
    return f'<div class="{kind} {kind}--sellerOrStoreInfo">{inside}</div>'


def _old_card(listing: Listing, name: str, rng: Random, layout: str) -> str:
    facts = listing.shown
    details = [
        f'<span class="s-item__detail"><span class="s-item__dynamic">{text}</span></span>' for text in _rows(facts)
    ]
    score, percent = listing.seller.feedback_score, listing.seller.feedback_percentage.removesuffix(".0")
    seller = f'<span class="s-item__seller-info-text">{escape(name)} ({score:,}) {percent}%</span>'
    if rng.random() < 0.3:
        seller = f'<span class="s-item__etrs-text">{escape(name)} {_feedback(listing)}</span>'
    return (
        '<li class="s-item s-item__pl-on-bottom"><div class="s-item__info">'
        f'<a class="s-item__link" href="https://www.ebay.com/itm/{listing.id}?hash=item1"><div class="s-item__title">'
        f'<span role="heading"><span class="LIGHT_HIGHLIGHT">New Listing</span>{escape(listing.title)}</span></div></a>'
        f'<div class="s-item__subtitle"><span class="SECONDARY_INFO">{_subtitle(facts)}</span></div>'
        f'<span class="s-item__price">{_price(facts, layout)}</span>{"".join(details)}'
        f"{'' if layout == 'gallery' else seller}</div></li>"
    )


def _subtitle(facts: Facts) -> str:
    """The seller's own words, if any, and behind them the condition, if the listing shows it."""
    words = "NEW | FREE SHIPPING" if facts.condition != "1000" else ""
    parts = [words, "" if facts.condition is None else _CONDITIONS[facts.condition]]
    return " · ".join(filter(None, parts))


def _price(facts: Facts, layout: str) -> str:
    amount = facts.price if facts.price is not None else facts.bid
    if amount is None:
        return ""
    if layout == "foreign":
        return f"IDR{amount * 16_000:,.2f}"
    return f"{_SYMBOLS[facts.currency]}{amount:,.2f}"


def _rows(facts: Facts) -> list[str]:
    """What stands below the price."""
    rows = []
    if facts.bid is not None:
        rows.append("3 bids · 2d 4h left" if facts.price is None else "0 bids · Buy It Now")
    elif "BEST_OFFER" in facts.buying_options:
        rows.append("or Best Offer")
    if facts.shipping is None or facts.shipping.cost is None:
        rows.append("Shipping not specified")
    elif facts.shipping.cost:
        rows.append(f"+${facts.shipping.cost:.2f} delivery in 2-4 days")
    else:
        rows.append("Free delivery")
    if facts.country != "US":
        rows.append(f"from {_PLACES[facts.country]}")
    elif facts.bid is None:
        rows.append("Located in United States")
    return rows


def _feedback(listing: Listing) -> str:
    percent = listing.seller.feedback_percentage.removesuffix(".0")
    return f"{percent}% positive ({_rounded(listing.seller.feedback_score)})"


def _rounded(score: int) -> str:
    return str(score) if score < 1000 else f"{score / 1000:.1f}K".replace(".0K", "K")


def _placeholders(*, is_new_layout: bool) -> str:
    """The two cards in front of the list that nobody sees. Only their link tells them from others."""
    link = '<a href="https://ebay.com/itm/123456?hash=item1">'
    if is_new_layout:
        card = (
            f'<li class="s-card" data-listingid="2500219655424533">{link}<div class="s-card__title"><span>Shop on eBay'
            '</span></div></a><span class="s-card__price">$20.00</span>'
            '<div class="su-card-container__attributes__secondary"><div class="s-card__attribute-row">Brand New</div>'
            "</div></li>"
        )
    else:
        card = (
            f'<li class="s-item">{link}<div class="s-item__title"><span>Shop on eBay</span></div></a>'
            '<span class="s-item__price">$20.00</span></li>'
        )
    return f'<div class="s-clipped"><ul>{card * 2}</ul></div>'


def _pagination(*, has_next: bool) -> str:
    if not has_next:
        return '<nav><a class="pagination__next" aria-disabled="true">Next</a></nav>'
    return f'<nav><a class="pagination__next icon-link" href="{SEARCH_ADDRESS}?_pgn=next">Next</a></nav>'


def _minified(html: str) -> str:
    """The page as eBay also sends it: attributes of a single word without quotes, and list items never closed."""
    for name in ("s-card__attribute-row", "s-card__title", "s-card__price", "s-item__price", "s-item__title", "s-item"):
        html = html.replace(f'class="{name}"', f"class={name}")
    return html.replace("</li>", "")
