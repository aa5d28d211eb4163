"""Faults: everything that can go wrong on demand, and when it does. How each looks is up to its vendor's endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from collection_pipeline.simulator.world.draws import unit

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "ebay.rate_limited": "429 from the edge, an HTML page without errorId: slow down and try again.",
        "ebay.quota_exhausted": "429 with errorId 2001: the day's quota is gone until midnight Pacific.",
        "ebay.unauthorised": "401 with errorId 1001 although the token is good; a new token helps.",
        "ebay.tokens_revoked": "All tokens issued so far become invalid, then 401 with errorId 1001.",
        "ebay.access_denied": "403 with errorId 1100: the application may not use this resource.",
        "ebay.forbidden_edge_403": "403 from the edge, an HTML page instead of JSON.",
        "ebay.server_error": "500 with errorId 12000.",
        "ebay.bad_gateway_html": "502 from the edge, an HTML page instead of JSON.",
        "ebay.slow": "The right answer, `seconds` late.",
        "ebay.reset": "The connection is dropped in the middle of the answer.",
        "ebay.truncated_json": "200 whose JSON ends half-way.",
        "ebay.null_body": "200 whose JSON is null.",
        "ebay.html_page": "200 from the edge, an HTML page instead of JSON.",
        "ebay.warning_unfiltered": "200 with warning 12002 and results to which no filter was applied.",
        "ebay.offset_12515": "400 with errorId 12515 although the offset is a multiple of the limit.",
        "ebay.too_large_12023": "400 with errorId 12023: the answer would be too large.",
        "ebay.bulk_threshold": "The error of the bulk data transfer threshold (its code is configurable).",
        "ebay.bad_item": "200 in which one item has neither id nor seller, and a price that is no number.",
        "ebay.token_refused": "The token endpoint answers 401 invalid_client.",
        "ebay.token_server_error": "The token endpoint answers 503 with an HTML page.",
        "oxylabs.faulted_613": "200 whose job is faulted, with one result of status_code 613 and no content.",
        "oxylabs.faulted_400": "200 whose job is faulted, with one result of status_code 400 and no content.",
        "oxylabs.faulted_204": "204 with the header x-oxylabs-job-status: faulted and no body at all.",
        "oxylabs.timed_out_408": '408 {"message":"Timed out."} without a job id.',
        "oxylabs.rate_limited": "429 without Retry-After.",
        "oxylabs.unauthorised_empty": "401 with an empty body, as for wrong credentials.",
        "oxylabs.server_error": "500 with an HTML page.",
        "oxylabs.gateway_524": "524 with an HTML page: the gateway gave up waiting.",
        "oxylabs.parse_failure_empty": 'A done job whose result has type parsed and content "".',
        "oxylabs.parse_failure_12002": "A done job whose parsed content is only a parse_status_code of 12002.",
        "oxylabs.partial_12004": "A page with parse_status_code 12004 and _warnings: some fields could not be read.",
        "oxylabs.parse_unknown_12007": "A page with parse_status_code 12007: the outcome of parsing is unknown.",
        "oxylabs.short_page": "A page with implausibly few rows.",
        "oxylabs.wrong_page": "The first page again, which says so only in content.page.",
        "oxylabs.first_page_again": "The first page again, labelled as the page that was asked for.",
        "oxylabs.warnings": "A page with parse_status_code 12000 and _warnings: some fields could not be read.",
        "oxylabs.wrong_query": "The page of another node, which says so only in content.query.",
        "oxylabs.bad_row": "A page in which one row has no ASIN, no title, and a price that is no number.",
        "oxylabs.slow": "The right answer, `seconds` late.",
        "oxylabs.ebay_bot_wall": "An eBay page that asks for proof of being human, with status 200 and no card.",
        "oxylabs.ebay_gallery": "An eBay page in the gallery layout, which names no seller at all.",
        "oxylabs.ebay_local_currency": "An eBay page with prices in the currency of the exit node's country.",
        "oxylabs.reset": "The connection is dropped in the middle of the answer.",
        "oxylabs.truncated_json": "200 whose JSON ends half-way.",
        "oxylabs.null_body": "200 whose JSON is null.",
        "oxylabs.html_page": "200 from the edge, an HTML page instead of JSON.",
    }
)
"""Every fault there is, `vendor.name`, with what it looks like from outside."""


@dataclass(frozen=True)
class Fault:
    """One fault and when it strikes: on a share of requests, the nth one, every so many; on all if none is given.

    Requests are counted per fault, and only those that it could strike. `contains` narrows it to requests whose node
    or `q` contains that text, `limit` ends it after so many strikes.
    """

    name: str
    share: float | None = None
    nth: int | None = None
    every: int | None = None
    limit: int | None = None
    contains: str | None = None
    seconds: float = 2.0
    """How late a slow answer is."""

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            raise ValueError(f"There is no fault {self.name!r}. There are: {', '.join(FAULTS)}.")
        if self.share is not None and not 0 <= self.share <= 1:
            raise ValueError(f"{self.name}: share is {self.share}; it must be from 0 to 1.")
        for field in ("nth", "every", "limit"):
            value = getattr(self, field)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ValueError(f"{self.name}: {field} is {value}; it must be a whole number, at least 1.")
        if sum(when is not None for when in (self.share, self.nth, self.every)) > 1:
            raise ValueError(f"{self.name}: give only one of share, nth and every.")
        if not 0 <= self.seconds <= 3600:
            raise ValueError(f"{self.name}: seconds is {self.seconds}; it must be from 0 to 3600.")

    def strikes(self, seed: int, count: int) -> bool:
        """Whether it strikes the count-th request (from 1) that it could strike."""
        if self.share is not None:
            return unit(seed, "fault", self.name, count) < self.share
        if self.nth is not None:
            return count == self.nth
        return self.every is None or count % self.every == 0


class FaultBoard:
    """The faults that are switched on, and how often each has struck."""

    def __init__(self, seed: int, faults: Iterable[Fault] = ()) -> None:
        self._seed = seed
        self.struck = Counter[str]()
        self.set(faults)

    def set(self, faults: Iterable[Fault]) -> None:
        """Replaces what is switched on; counting starts again."""
        self.faults = tuple(faults)
        self._seen = [0] * len(self.faults)
        self._strikes = [0] * len(self.faults)

    def pick(self, endpoint: str, subject: str) -> Fault | None:
        """The fault that strikes this request, the first in the list if several would."""
        chosen: Fault | None = None
        for index, fault in enumerate(self.faults):
            if endpoint_of(fault.name) != endpoint or (fault.contains is not None and fault.contains not in subject):
                continue
            self._seen[index] += 1
            is_spent = fault.limit is not None and self._strikes[index] >= fault.limit
            if chosen is None and not is_spent and fault.strikes(self._seed, self._seen[index]):
                self._strikes[index] += 1
                self.struck[fault.name] += 1
                chosen = fault
        return chosen


def endpoint_of(name: str) -> str:
    """Which endpoint a fault strikes: ebay.token, ebay.search, oxylabs.query (any job) or oxylabs.ebay (its pages)."""
    if name.startswith("oxylabs.ebay_"):
        return "oxylabs.ebay"
    if name.startswith("oxylabs."):
        return "oxylabs.query"
    return "ebay.token" if name.startswith("ebay.token_") else "ebay.search"
