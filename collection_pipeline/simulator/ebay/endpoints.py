"""eBay's endpoints: token, item search, rate limits (docs/sources.md 1.1 to 1.5)."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import Response

from collection_pipeline.simulator.answers import answer, dumps, edge_page, spoilt
from collection_pipeline.simulator.credentials import is_client
from collection_pipeline.simulator.ebay.errors import ACCESS_DENIED, INVALID_TOKEN, QUOTA_GONE, Problem, Refused
from collection_pipeline.simulator.ebay.filters import ACCOUNT_TYPE_MARKETPLACES, Context, Filter, parse_filter
from collection_pipeline.simulator.ebay.items import item_summary
from collection_pipeline.simulator.ebay.results import (
    LARGEST_WINDOW,
    SORTS,
    estimated_total,
    page_of,
    results,
    served,
)
from collection_pipeline.simulator.ebay.words import Words
from collection_pipeline.simulator.faults import Fault
from collection_pipeline.simulator.state import Simulator
from collection_pipeline.simulator.world.listings import Listing
from collection_pipeline.simulator.world.world import World

SCOPE = "https://api.ebay.com/oauth/api_scope"
_OTHER_MARKETPLACES = ("AU", "CA", "HK", "MY", "NL", "PH", "SG", "TW", "US", "MOTORS_US")
MARKETPLACES = frozenset(ACCOUNT_TYPE_MARKETPLACES) | {f"EBAY_{country}" for country in _OTHER_MARKETPLACES}
_UNCOUNTED = {401, 403, 429}
"""Statuses of faults that strike before a call is counted; every other try costs quota."""
_FIELDGROUPS = {
    "MATCHING_ITEMS",
    "EXTENDED",
    "FULL",
    "ASPECT_REFINEMENTS",
    "BUYING_OPTION_REFINEMENTS",
    "CATEGORY_REFINEMENTS",
    "CONDITION_REFINEMENTS",
    "ADDITIONAL_SELLER_DETAILS",
}


class Ebay:
    """The endpoints of one simulated eBay."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._results = lru_cache(maxsize=5_000)(self._search)
        # Summaries are cached as bytes: to write them is most of the work of a search.
        self._item = lru_cache(maxsize=60_000)(_item_bytes)

    async def token(self, request: Request) -> Response:
        """Hands out an application token for a client's id and secret."""
        simulator = self._simulator
        body = (await request.body()).decode("utf-8", "replace")
        fault = simulator.faults.pick("ebay.token", "")
        await simulator.delay(simulator.config.ebay_latency_s, fault)
        if fault is not None and fault.name == "ebay.token_server_error":
            return edge_page(503, "Service Unavailable")
        if fault is not None or not is_client(
            request.headers.get("authorization", ""), simulator.config.ebay_credentials
        ):
            return answer({"error": "invalid_client", "error_description": "client authentication failed"}, 401)
        form = parse_qs(body) if "x-www-form-urlencoded" in request.headers.get("content-type", "") else {}
        if form.get("grant_type") != ["client_credentials"]:
            description = "grant type in request is not supported by the authorization server"
            return answer({"error": "unsupported_grant_type", "error_description": description}, 400)
        scopes = " ".join(form.get("scope", [])).split()
        if not scopes or not all(scope == SCOPE or scope.startswith(f"{SCOPE}/") for scope in scopes):
            description = (
                "The requested scope is invalid, unknown, malformed, or exceeds the scope granted to the client"
            )
            return answer({"error": "invalid_scope", "error_description": description}, 400)
        config = simulator.config
        token = simulator.tokens.issue(simulator.now(), config.token_lifetime_s, f"AAAA{config.seed}")
        lifetime = int(config.token_lifetime_s)
        return answer({"access_token": token, "expires_in": lifetime, "token_type": "Application Access Token"})

    async def search(self, request: Request) -> Response:
        """Answers one search, or does what the fault that strikes it does."""
        simulator = self._simulator
        config = simulator.config
        query = request.query_params
        simulator.stats.searches[query.get("q", ""), query.get("filter", ""), _whole(query.get("offset"), 0)] += 1
        fault = simulator.faults.pick("ebay.search", query.get("q", ""))
        await simulator.delay(config.ebay_latency_s, fault)
        refused = self._refused(request, fault)
        if refused is not None:
            return refused
        try:
            return _spoilt(self._answer(request, fault), fault)
        except Refused as refusal:
            return answer({"errors": [refusal.problem.body()]}, refusal.status)

    async def rate_limits(self, request: Request) -> Response:
        """How much of the day's quota is used, as eBay's own late count has it."""
        simulator = self._simulator
        config = simulator.config
        denied = self._denied(request)
        if denied is not None:
            return denied
        if config.rate_limits_empty:
            return Response(status_code=204)
        now = simulator.now()
        limit = 5000 if config.ebay_daily_quota is None else config.ebay_daily_quota
        used = simulator.quota.seen(now, timedelta(seconds=config.rate_limits_lag_s))
        reset = simulator.quota.resets_at(now).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        resources = [
            {
                "name": name,
                "rates": [
                    {
                        "limit": of,
                        "remaining": max(0, of - count),
                        "count": count,
                        "reset": reset,
                        "timeWindow": 86400,
                    }
                ],
            }
            for name, of, count in (("buy.browse", limit, used), ("buy.browse.item.bulk", 5000, 0))
        ]
        limits = {"apiContext": "buy", "apiName": "Browse", "apiVersion": "v1", "resources": resources}
        return answer({"rateLimits": [limits]})

    def _denied(self, request: Request) -> Response | None:
        header = request.headers.get("authorization")
        if header is None:
            return edge_page(403, "Access Denied")
        kind, _, token = header.partition(" ")
        if kind != "Bearer" or not self._simulator.tokens.is_good(self._simulator.now(), token.strip()):
            return answer({"errors": [INVALID_TOKEN]}, 401)
        return None

    def _refused(self, request: Request, fault: Fault | None) -> Response | None:
        """What keeps a request from being read at all: the token, the limits, or a fault."""
        simulator = self._simulator
        config = simulator.config
        if fault is not None and fault.name == "ebay.tokens_revoked":
            simulator.tokens.revoke_all()
        denied = self._denied(request)
        if denied is not None:
            return denied
        struck = self._fault(fault)
        if struck is not None and struck.status_code in _UNCOUNTED:
            return struck
        if not simulator.ebay_window.take(simulator.monotonic(), 1, config.ebay_rate_per_s):
            return edge_page(429, "Too Many Requests")
        if not simulator.quota.take(simulator.now(), config.ebay_daily_quota):
            return answer({"errors": [QUOTA_GONE]}, 429)
        return struck

    def _fault(self, fault: Fault | None) -> Response | None:
        config = self._simulator.config
        match fault.name if fault else None:
            case "ebay.rate_limited":
                return edge_page(429, "Too Many Requests")
            case "ebay.quota_exhausted":
                return answer({"errors": [QUOTA_GONE]}, 429)
            case "ebay.unauthorised":
                return answer({"errors": [INVALID_TOKEN]}, 401)
            case "ebay.access_denied":
                return answer({"errors": [ACCESS_DENIED]}, 403)
            case "ebay.forbidden_edge_403":
                return edge_page(403, "Access Denied")
            case "ebay.server_error":
                return answer({"errors": [Problem(12000).body()]}, 500)
            case "ebay.bad_gateway_html":
                return edge_page(502, "Bad Gateway")
            case "ebay.offset_12515":
                return answer({"errors": [Problem(12515).body()]}, 400)
            case "ebay.too_large_12023":
                return answer({"errors": [Problem(12023).body()]}, 400)
            case "ebay.bulk_threshold":
                error = {
                    "errorId": config.bulk_threshold_code,
                    "domain": "API_BROWSE",
                    "category": "REQUEST",
                    "message": "BULK_DATA_TRANSFER_THRESHOLD REACHED",
                    "longMessage": "The threshold for retrieving US user data has been reached.",
                }
                return answer({"errors": [error]}, config.bulk_threshold_status)
        return None

    def _answer(self, request: Request, fault: Fault | None) -> Response:
        simulator = self._simulator
        config = simulator.config
        query = request.query_params
        marketplace = request.headers.get("x-ebay-c-marketplace-id", "")
        marketplace = marketplace if marketplace in MARKETPLACES else "EBAY_US"
        q = query.get("q", "").strip()
        limit, offset = _paging(query.get("limit"), query.get("offset"))
        if not q and not any(query.get(name) for name in ("category_ids", "epid", "gtin")):
            raise Refused(12001)
        if offset >= LARGEST_WINDOW and config.ebay_window == "error":
            raise Refused(12029)
        sort, warnings = _other_warnings(query)
        filter_text = query.get("filter", "")
        if fault is not None and fault.name == "ebay.warning_unfiltered":
            filter_text = f"{filter_text},unheardOf:1"
        found, filter_warnings = self._results(
            simulator.world, q, filter_text, sort, marketplace, config.whole_words_only
        )
        repeats = sort == "best"
        items = page_of(found, offset, limit, repeats=repeats) if offset < LARGEST_WINDOW else ()
        has_more = bool(items) and offset + limit < min(served(found, limit, repeats=repeats), LARGEST_WINDOW)
        total = estimated_total(config.seed, len(found), offset, limit) if offset < LARGEST_WINDOW else 0

        head: dict[str, object] = {"href": _href(request, offset, limit), "total": total}
        if has_more:
            head["next"] = _href(request, offset + limit, limit)
        if offset > 0:
            head["prev"] = _href(request, max(0, offset - limit), limit)
        head |= {"limit": limit, "offset": offset}
        warned = [problem.body() for problem in (*filter_warnings, *warnings)]
        if warned:
            head["warnings"] = warned
        summaries = [self._item(listing, offset // limit, marketplace, config.seller_ids) for listing in items]
        if fault is not None and fault.name == "ebay.bad_item" and summaries:
            summaries[0] = dumps({"title": "?", "price": {"value": "N/A", "currency": "USD"}, "buyingOptions": []})
        body = dumps(head)
        if summaries:  # without a hit the key is absent
            body = body[:-1] + b',"itemSummaries":[' + b",".join(summaries) + b"]}"
        return Response(body, media_type="application/json")

    def _search(
        self, world: World, q: str, filter_text: str, sort: str, marketplace: str, whole_words_only: bool
    ) -> tuple[list[Listing], tuple[Problem, ...]]:
        context = Context(marketplace, world.listings.sellers, q)
        filter_: Filter = parse_filter(filter_text, context)
        words = Words.parse(q, whole_words_only=whole_words_only) if q else Words.everything()
        return results(words, filter_, sort, world.products, world.listings), filter_.warnings


def _item_bytes(listing: Listing, variation: int, marketplace: str, seller_ids: bool) -> bytes:
    return dumps(item_summary(listing, variation, marketplace, seller_ids=seller_ids))


def _spoilt(whole: Response, fault: Fault | None) -> Response:
    return spoilt(whole, fault.name.removeprefix("ebay.")) if fault else whole


_INTEGER = re.compile(r"[+-]?\d{1,18}")


def _paging(limit: str | None, offset: str | None) -> tuple[int, int]:
    """Limit and offset, each checked as eBay does. Raises Refused."""
    limit, offset = limit or "50", offset or "0"
    if not _INTEGER.fullmatch(limit):
        raise Refused(12007)
    if not 1 <= int(limit) <= 200:
        raise Refused(12006)
    if not _INTEGER.fullmatch(offset):
        raise Refused(12005)
    if int(offset) < 0:
        raise Refused(12004)
    if int(offset) % int(limit):
        raise Refused(12515)
    return int(limit), int(offset)


def _other_warnings(query: Any) -> tuple[str, list[Problem]]:
    """The sort order, and what is wrong with everything that is no filter: such a parameter is ignored."""
    warnings: list[Problem] = []
    sort = query.get("sort", "")
    if sort and sort not in SORTS:
        warnings.append(Problem(12008, {"sort": sort}))
        sort = ""
    categories = query.get("category_ids", "")
    if categories and not re.fullmatch(r"\d+(,\d+)*", categories):
        warnings.append(Problem(12009, {"category_ids": categories}))
    elif "," in categories:
        raise Refused(12030, allowedMaxCategories="1")
    groups = query.get("fieldgroups", "")
    if groups and not set(groups.split(",")) <= _FIELDGROUPS:
        warnings.append(Problem(12016, {"fieldgroups": groups}))
    if query.get("aspect_filter") and "categoryId:" not in query["aspect_filter"]:
        warnings.append(Problem(12017, {"aspect_filter": query["aspect_filter"]}))
    for name, code in (("epid", 12021), ("gtin", 12022)):
        if query.get(name) and not query[name].isdigit():
            warnings.append(Problem(code, {name: query[name]}))
    if query.get("auto_correct") and query["auto_correct"] != "KEYWORD":
        raise Refused(12027)
    return sort or "best", warnings


def _href(request: Request, offset: int, limit: int) -> str:
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in {"limit", "offset"}]
    pairs += [("limit", str(limit)), ("offset", str(offset))]
    return f"{request.url.replace(query='')}?{urlencode(pairs)}"


def _whole(text: str | None, default: int) -> int:
    return int(text) if text is not None and _INTEGER.fullmatch(text) else default
