"""What eBay's errors and warnings mean (docs/sources.md 1.2, 1.4, 1.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import httpx

from collection_pipeline.core.collecting.usage import next_day
from collection_pipeline.core.errors import (
    Malformed,
    QuotaExhausted,
    RateLimited,
    Rejected,
    SourceError,
    Transient,
    Unauthorised,
)
from collection_pipeline.sources.http import json_object, mapping, quoted, retry_after_s, sequence, shown, text

PAST_THE_WINDOW = 12029
"""At most 10,000 results can be paged through."""

_QUOTA_GONE = 2001
_INTERNAL = 12000
_RESPONSE_TOO_LARGE = 12023
_OFFSET_NO_MULTIPLE = 12515
"""Came intermittently, since 2025-11-19, for offsets that were multiples; trying again helped (docs/sources.md 1.4)."""

_BULK_DATA = re.compile(r"threshold|bulk.?data", re.IGNORECASE)
"""The bulk data transfer threshold has no published error number: its words tell (docs/sources.md 4)."""


def search_error(response: httpx.Response, what: str, now: datetime) -> SourceError:
    """The SourceError that a search's response, other than a 200 or a 401, means."""
    status, url = response.status_code, shown(response.request.url)
    problems = _problems(response)
    ids = [mapping(problem).get("errorId") for problem in problems]
    said = described(problems) or "no reason given"
    if any(_is_bulk_data(mapping(problem)) for problem in problems):
        # Whatever its status, which is not published either: it may not be taken for a limit that trying again passes.
        return Rejected(
            f"{what}: eBay's limit of user data for a period is reached ({said}). Stop, and ask eBay before going on.",
            url=url,
        )
    if status == 429 and _QUOTA_GONE in ids:
        resets_at = next_day("ebay", now)
        return QuotaExhausted(
            f"{what}: eBay's calls of the day are used up. There are new ones from {resets_at:%Y-%m-%d %H:%M} UTC on.",
            url=url,
            resets_at=resets_at,
        )
    if status == 429:
        return RateLimited(f"{what}: too many requests for eBay.", url=url, retry_after_s=retry_after_s(response, now))
    if status == 403:
        return Unauthorised(
            f"{what}: eBay denies access ({said}). Check that the application EBAY_CLIENT_ID may use the Browse API.",
            url=url,
        )
    if status >= 500 or status == 408 or _INTERNAL in ids or _OFFSET_NO_MULTIPLE in ids:
        return Transient(f"{what}: eBay had a problem (HTTP {status}: {said}). Trying again may help.", url=url)
    if _RESPONSE_TOO_LARGE in ids:
        return Malformed(f"{what}: too many results to answer; a narrower title would be needed ({said}).", url=url)
    return Rejected(f"{what}: eBay refuses the request (HTTP {status}: {said}).", url=url)


def is_past_the_window(response: httpx.Response) -> bool:
    """Whether a response only says that there is nothing more to page through."""
    return response.status_code == 400 and any(
        mapping(problem).get("errorId") == PAST_THE_WINDOW for problem in _problems(response)
    )


def described(problems: Iterable[Any]) -> str:
    """Errors or warnings as `12012 A valid 'price' filter …`, one after the other."""
    return quoted(
        "; ".join(
            f"{quoted(mapping(problem).get('errorId'))} {text(mapping(problem).get('message')) or ''}".strip()
            for problem in problems
        )
    )


def _is_bulk_data(problem: dict[str, Any]) -> bool:
    """Whether eBay's own words say so. Its `parameters` echo our query, and door threshold ramps are sold, too."""
    return any(_BULK_DATA.search(text(problem.get(key)) or "") for key in ("message", "longMessage"))


def _problems(response: httpx.Response) -> list[Any]:
    try:
        return sequence(json_object(response, "").get("errors"))
    except SourceError:
        return []
