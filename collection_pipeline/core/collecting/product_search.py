"""Searching one product on eBay, page by page: each is committed with its evidence before the next is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from collection_pipeline.core.collecting.listings import (
    Listing,
    ListingPage,
    ListingQuery,
    ListingSource,
    broken_rule,
    distinct,
    query_text,
)
from collection_pipeline.core.collecting.product_match import matched
from collection_pipeline.core.collecting.requester import Requester
from collection_pipeline.core.collecting.searches import PlannedSearch, SearchedPage, SearchStatus, skip_reason
from collection_pipeline.core.errors import SourceError
from collection_pipeline.core.money import BandRule


@dataclass(frozen=True)
class SearchRules:
    """What every search of a run obeys: the price band, how many pages, and the politeness between them."""

    band: BandRule = field(default_factory=BandRule)
    pages: int = 3
    pause_between_pages_s: float = 0.2


@dataclass(frozen=True)
class PageResult:
    """One step of a search: what to commit, and the error that ended the search, if one did."""

    page: SearchedPage
    listings: Sequence[Listing]
    error: SourceError | None = None


async def search_product(
    source: ListingSource, search: PlannedSearch, rules: SearchRules, requester: Requester
) -> AsyncIterator[PageResult]:
    """The pages of one product's search, or the reason why it cannot be searched. Failures are results, not raised.

    Whether a search is done or empty is not known before its last page; `SearchStatus.DONE` on the last result means
    "at its end", and the store, which has all pages, says EMPTY where no page had evidence.
    """
    text = query_text(search.title)
    reason = skip_reason(search, text, rules.band)
    if reason is not None or search.price is None:
        yield PageResult(SearchedPage(search.asin, SearchStatus.SKIPPED, reason=reason), [])
        return
    query = ListingQuery(text, rules.band.band(search.price))
    # With fewer pages wished for than are done, there is nothing to go on with: the search starts anew.
    first = search.pages_done + 1 if search.pages_done < rules.pages else 1
    for number in range(first, rules.pages + 1):
        if number > first:
            await requester.sleep(rules.pause_between_pages_s)
        result = await _search_page(source, search, query, number, rules, requester)
        yield result
        if result.page.status is not SearchStatus.PLANNED:
            return


async def _search_page(
    source: ListingSource,
    search: PlannedSearch,
    query: ListingQuery,
    number: int,
    rules: SearchRules,
    requester: Requester,
) -> PageResult:
    began, calls = requester.activity.clock(), requester.calls
    params: dict[str, str | int] = {"q": query.text, "band": str(query.band), "page": number}
    answer, error = None, None
    try:
        answer = await requester.send(partial(source.search, query, number), params)
    except SourceError as raised:
        error = raised
    items = distinct(answer.listings) if answer else []
    is_last = answer is not None and (not answer.has_more or number == rules.pages)
    page = SearchedPage(
        asin=search.asin,
        status=SearchStatus.FAILED if error else SearchStatus.DONE if is_last else SearchStatus.PLANNED,
        query=query.text,
        band=query.band,
        reason=error.kind if error else None,
        error_stage=error.stage if error else None,
        error_message=str(error) if error else None,
        pages=1 if answer else 0,
        saw_everything=answer is not None and not answer.has_more,
        calls=requester.calls - calls,
        rejected=_rejected(items, query, answer),
        duration_ms=round((requester.activity.clock() - began).total_seconds() * 1000),
    )
    evidence = [item for item in items if broken_rule(item, query) is None]
    return PageResult(page, matched(search.title, evidence), error)


def _rejected(items: list[Listing], query: ListingQuery, answer: ListingPage | None) -> dict[str, int]:
    rejected = Counter[str](rule for item in items if (rule := broken_rule(item, query)))
    if answer is not None and answer.unreadable:
        rejected["unreadable"] = answer.unreadable
    return dict(rejected)
