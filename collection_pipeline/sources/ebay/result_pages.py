"""eBay listings from eBay's own result pages, fetched through Oxylabs (docs/sources.md 2.4 and 3).

For teams without a Browse API key. What the filters of the Browse API say is said by the page's address here.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from collection_pipeline.core.collecting.listings import ListingPage, ListingQuery
from collection_pipeline.core.collecting.usage import Call
from collection_pipeline.core.errors import Malformed
from collection_pipeline.sources.ebay.cards import Cards, read_cards
from collection_pipeline.sources.http import text
from collection_pipeline.sources.oxylabs.jobs import OxylabsJobs, finished

PAGE_SIZE = 60
"""Cards that a page is asked to hold: the size of every page that the parser was written from (docs/sources.md 3)."""

_CALL = Call("oxylabs", "search_page")


class EbayResultPages:
    """Listings of eBay.com. Implements core.listings.ListingSource; one call a page."""

    def __init__(self, jobs: OxylabsJobs) -> None:
        self._jobs = jobs

    async def search(self, query: ListingQuery, page: int) -> ListingPage:
        """Page `page` (from 1) of what eBay finds for a query. Takes some 20 s. Raises SourceError."""
        what, address = f"eBay result page for {query.text!r}, page {page}", page_address(query, page)
        body, _ = await self._jobs.run(job(address), _CALL, what)
        return listing_page(body, what, address)


def page_address(query: ListingQuery, page: int) -> str:
    """The page's address: new, to be bought at once, delivered free, located in the US, inside the band."""
    parameters = {
        "_nkw": query.text,
        "LH_ItemCondition": "1000",
        "LH_BIN": "1",
        "LH_Free": "1",
        "LH_PrefLoc": "1",
        "_udlo": f"{query.band.low:.2f}",
        "_udhi": f"{query.band.high:.2f}",
        "_ipg": str(PAGE_SIZE),
        "_pgn": str(page),
        "_dmd": "1",  # the list view: galleries name no seller
        "_blrs": "spell_auto_correct",  # our words as they are: a corrected spelling is another product's
    }
    return f"https://www.ebay.com/sch/i.html?{urlencode(parameters)}"


def job(address: str) -> dict[str, object]:
    """The job that fetches a page as somebody in the US sees it; else prices are in the exit node's currency."""
    return {"source": "ebay", "url": address, "geo_location": "United States"}


def listing_page(body: dict[str, Any], what: str, url: str) -> ListingPage:
    """A page from a reply with HTTP 200. Unknown is not empty: a page without a card has to say itself that it is.

    Raises SourceError; Malformed for a bot wall or consent page, for a layout that names no seller, and for prices
    that all are in the currency of somewhere else.
    """
    html = text(finished(body, what, url, "eBay").get("content"))
    if html is None:
        raise Malformed(f"{what}: Oxylabs sent no page.", url=url)
    cards = read_cards(html)
    if not cards.count and not cards.says_none:
        raise Malformed(f"{what}: the page holds no results; eBay may have asked for proof of being human.", url=url)
    _require_usable(cards, what, url)
    return ListingPage(cards.listings, cards.has_more, url, unreadable=cards.count - len(cards.listings))


def _require_usable(cards: Cards, what: str, url: str) -> None:
    if cards.count and not any(listing.seller for listing in cards.listings):
        raise Malformed(
            f"{what}: none of {cards.count} cards names a seller, as in eBay's gallery layout.",
            url=url,
            stage="seller_extraction",
        )
    if cards.foreign_prices and not any(listing.price for listing in cards.listings):
        raise Malformed(
            f"{what}: no price is in dollars ({cards.foreign_prices[0]!r}); the page was not fetched from the US.",
            url=url,
            stage="price_parsing",
        )
