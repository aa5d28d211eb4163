"""Searching one product on eBay: its pages, what of them is evidence, and the outcome to commit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from collection_pipeline.core.errors import SourceError
from collection_pipeline.core.listings import (
    Listing,
    ListingPage,
    ListingQuery,
    ListingSource,
    distinct,
    query_text,
    unmet,
)
from collection_pipeline.core.money import BandRule
from collection_pipeline.core.requests import Requester
from collection_pipeline.core.searches import PlannedSearch, SearchOutcome, SearchStatus, skip_reason


@dataclass(frozen=True)
class SearchRules:
    """What every search of a run obeys: the price band, how many pages, and the politeness between them."""

    band: BandRule = field(default_factory=BandRule)
    pages: int = 3
    pause_between_pages_s: float = 0.2


@dataclass(frozen=True)
class SearchResult:
    """What one search came to. Listings that were paid for before an error are evidence all the same."""

    outcome: SearchOutcome
    listings: list[Listing]
    error: SourceError | None = None


@dataclass(frozen=True)
class Pages:
    """The pages that came back, and the error that ended them early, if any."""

    answers: list[ListingPage]
    error: SourceError | None


async def search_product(
    source: ListingSource, search: PlannedSearch, rules: SearchRules, requester: Requester
) -> SearchResult:
    """Searches one product, or says why it cannot be searched. Never raises SourceError: a failure is an outcome."""
    text = query_text(search.title)
    reason = skip_reason(search, text, rules.band)
    if reason is not None or search.price is None:
        return SearchResult(SearchOutcome(search.asin, SearchStatus.SKIPPED, reason=reason), [])
    query = ListingQuery(text, rules.band.band(search.price))
    began = requester.activity.clock()
    pages = await _fetch_pages(source, query, rules, requester)
    items = distinct(item for answer in pages.answers for item in answer.listings)
    evidence = [item for item in items if unmet(item, query) is None]
    elapsed = requester.activity.clock() - began
    return SearchResult(
        SearchOutcome(
            asin=search.asin,
            status=_status(evidence, pages.error),
            query=text,
            band=query.band,
            reason=pages.error.kind if pages.error else None,
            error_stage=pages.error.stage if pages.error else None,
            error_message=str(pages.error) if pages.error else None,
            pages=len(pages.answers),
            calls=requester.calls,
            rejected=_rejected(items, query, unreadable=sum(answer.unreadable for answer in pages.answers)),
            duration_ms=round(elapsed.total_seconds() * 1000),
        ),
        evidence,
        pages.error,
    )


async def _fetch_pages(source: ListingSource, query: ListingQuery, rules: SearchRules, requester: Requester) -> Pages:
    answers: list[ListingPage] = []
    for page in range(1, rules.pages + 1):
        if page > 1:
            await requester.sleep(rules.pause_between_pages_s)
        params: dict[str, str | int] = {"q": query.text, "band": str(query.band), "page": page}
        try:
            answer = await requester.send(partial(source.search, query, page), params)
        except SourceError as error:
            return Pages(answers, error)
        answers.append(answer)
        if not answer.has_more:
            break
    return Pages(answers, None)


def _status(evidence: list[Listing], error: SourceError | None) -> SearchStatus:
    if error is not None:
        return SearchStatus.FAILED
    return SearchStatus.DONE if evidence else SearchStatus.EMPTY


def _rejected(items: list[Listing], query: ListingQuery, *, unreadable: int) -> dict[str, int]:
    rejected = Counter[str](rule for item in items if (rule := unmet(item, query)))
    if unreadable:
        rejected["unreadable"] = unreadable
    return dict(rejected)
