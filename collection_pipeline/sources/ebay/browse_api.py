"""eBay listings through the Browse API's item summary search (docs/sources.md 1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from collection_pipeline.core.collecting.listings import CONDITION_NEW, Listing, ListingPage, ListingQuery, SellerFacts
from collection_pipeline.core.collecting.usage import Call, CallLedger
from collection_pipeline.core.errors import Malformed, Rejected, Unauthorised
from collection_pipeline.core.money import Money, PriceBand, parse_amount
from collection_pipeline.sources.ebay.errors import described, is_past_the_window, search_error
from collection_pipeline.sources.ebay.token import NOT_SHARED, EbayAccount, EbayTokens, SharedToken
from collection_pipeline.sources.http import count, json_object, mapping, send, sequence, shown, text

READ_TIMEOUT_S = 30
"""A search takes 0.4 to 0.9 s (docs/sources.md 1.5); a page of 200 somewhat longer."""

PAGE_SIZE = 200
"""The largest there is: a call costs one of the day's 5,000, however many listings it brings."""

WINDOW = 10_000
"""eBay pages through no more results than this (docs/sources.md 1.4)."""

_SEARCH = "/buy/browse/v1/item_summary/search"
_CALL = Call("ebay", "search")


class EbayListings:
    """Listings of one eBay marketplace. Implements core.listings.ListingSource; one call a page.

    Sorted by eBay's best match, which brought 38 distinct sellers in 100 items where sort=price brought 11.
    """

    def __init__(
        self,
        account: EbayAccount,
        client: httpx.AsyncClient,
        ledger: CallLedger,
        *,
        clock: Callable[[], datetime],
        page_size: int = PAGE_SIZE,
        shared: SharedToken = NOT_SHARED,
    ) -> None:
        if not 1 <= page_size <= PAGE_SIZE:
            raise ValueError(f"page_size is {page_size}; eBay takes 1 to {PAGE_SIZE}.")
        self._marketplace = account.marketplace
        self._client = client
        self._ledger = ledger
        self._clock = clock
        self._page_size = page_size
        self._tokens = EbayTokens(account, client, ledger, clock, shared)

    async def search(self, query: ListingQuery, page: int) -> ListingPage:
        """Page `page` (from 1) of what eBay finds for a query. Raises SourceError."""
        what = f"eBay search for {query.text!r}, page {page}"
        parameters = search_parameters(query, page, self._page_size)
        response = await self._authorised(parameters, what)
        if is_past_the_window(response):
            return ListingPage((), has_more=False, url=shown(response.request.url))
        if response.status_code != 200:
            raise search_error(response, what, self._clock())
        body = json_object(response, what)
        if warnings := body.get("warnings"):
            # A warned request was answered without the filter that the warning is about (docs/sources.md 1.2).
            raise Rejected(
                f"{what}: eBay ignored part of the request ({described(sequence(warnings) or [warnings])}), "
                "so its answer is of no use.",
                url=shown(response.request.url),
            )
        return listing_page(body, page, self._page_size, what, shown(response.request.url))

    async def _authorised(self, parameters: dict[str, str], what: str) -> httpx.Response:
        """The response to a search. A refused token is replaced once: tokens can be revoked before they expire."""
        for _ in range(2):
            token = await self._tokens.current()
            request = self._client.build_request("GET", _SEARCH, params=parameters, headers=self._headers(token))
            async with self._ledger.call(_CALL):
                response = await send(self._client, request, what)
            if response.status_code != 401:
                return response
            self._tokens.refuse(token)
        raise Unauthorised(
            f"{what}: eBay refuses even a new token. Check EBAY_CLIENT_ID and EBAY_CLIENT_SECRET, and that they "
            "belong to the environment of EBAY_API_URL.",
            url=shown(response.request.url),
        )

    def _headers(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "X-EBAY-C-MARKETPLACE-ID": self._marketplace,
            "X-EBAY-C-ENDUSERCTX": "contextualLocation=country%3DUS",
        }


def search_parameters(query: ListingQuery, page: int, page_size: int) -> dict[str, str]:
    """A query as eBay's parameters. The offset has to be a multiple of the limit, so the limit never changes."""
    return {
        "q": query.text,
        "filter": _filter(query.band),
        "limit": str(page_size),
        "offset": str((page - 1) * page_size),
    }


def _filter(band: PriceBand) -> str:
    """New, fixed price, in the band, delivered free within the US. Without its currency a price is ignored (12012)."""
    return ",".join(
        (
            f"conditionIds:{{{CONDITION_NEW}}}",
            "buyingOptions:{FIXED_PRICE}",
            f"price:[{band.low:.2f}..{band.high:.2f}]",
            f"priceCurrency:{band.currency}",
            "maxDeliveryCost:0",
            "deliveryCountry:US",
            "itemLocationCountry:US",
        )
    )


def listing_page(body: dict[str, Any], page: int, page_size: int, what: str, url: str) -> ListingPage:
    """A page from a reply without warnings. Zero hits have no `itemSummaries` at all.

    Unknown is not empty: raises Malformed for a reply that is no result, that promises results on its first page and
    has none, or none of whose items can be read or names a seller.
    """
    total, items = count(body.get("total")), sequence(body.get("itemSummaries"))
    if total is None or body.get("errors") or (page == 1 and total and not items):
        raise Malformed(f"{what}: the reply is no list of results (total {total}, {len(items)} items).", url=url)
    listings = [listing for item in items if (listing := _listing(mapping(item))) is not None]
    if items and not any(listing.seller for listing in listings):
        raise Malformed(f"{what}: none of {len(items)} items names a seller.", url=url, stage="seller_extraction")
    has_more = bool(items) and text(body.get("next")) is not None and page * page_size < WINDOW
    return ListingPage(tuple(listings), has_more, url, unreadable=len(items) - len(listings))


def _listing(item: dict[str, Any]) -> Listing | None:
    """An item as a listing, or None if it has no number or no title. What it does not say is None."""
    listing_id, title = _listing_id(item), text(item.get("title"))
    if listing_id is None or title is None:
        return None
    return Listing(
        listing_id=listing_id,
        title=title,
        url=f"https://www.ebay.com/itm/{listing_id}",
        price=_money(item.get("price")),
        condition_id=text(item.get("conditionId")),
        is_fixed_price="FIXED_PRICE" in sequence(item.get("buyingOptions")),
        is_delivery_free=_is_delivery_free(sequence(item.get("shippingOptions"))),
        country=_country(text(mapping(item.get("itemLocation")).get("country"))),
        seller=_seller(mapping(item.get("seller"))),
    )


def _listing_id(item: dict[str, Any]) -> str | None:
    """The item's number without its variation, which rotates from page to page (docs/sources.md 1.4)."""
    parts = (text(item.get("itemId")) or "").split("|")
    number = text(item.get("legacyItemId")) or (parts[1] if len(parts) == 3 else None)
    return number if number and number.isascii() and number.isdigit() else None


def _money(price: object) -> Money | None:
    amount, currency = parse_amount(mapping(price).get("value")), text(mapping(price).get("currency"))
    return Money(amount, currency) if amount is not None and currency is not None else None


def _country(code: str | None) -> str | None:
    return code if code and len(code) == 2 and code.isascii() else None


def _is_delivery_free(options: list[Any]) -> bool | None:
    """Whether some way of delivery is free; None where nothing says what any of them costs."""
    costs = [text(mapping(mapping(option).get("shippingCost")).get("value")) for option in options]
    known = [_decimal(cost) for cost in costs if cost is not None]
    return None if not known else any(cost == 0 for cost in known)


def _seller(seller: dict[str, Any]) -> SellerFacts | None:
    name = text(seller.get("username"))
    if name is None:
        return None
    score = count(seller.get("feedbackScore"))
    percent = _decimal(text(seller.get("feedbackPercentage")))
    # A new seller has "0.0" and a score of 0: no feedback yet, not a bad one (docs/sources.md 4).
    is_rated = percent is not None and 0 <= percent <= 100 and not (percent == 0 and not score)
    return SellerFacts(name, score, percent.quantize(Decimal("0.1")) if percent is not None and is_rated else None)


def _decimal(value: str | None) -> Decimal | None:
    try:
        number = Decimal(value) if value is not None else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None
