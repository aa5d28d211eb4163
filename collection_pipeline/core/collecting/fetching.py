"""Fetching a category's best sellers: all of its pages or none of them, each kept as soon as it came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from collection_pipeline.core.collecting.products import BestSellerPage, BestSellerSource, require_another_page
from collection_pipeline.core.collecting.requester import Requester
from collection_pipeline.core.errors import SourceError


async def fetch_best_sellers(
    source: BestSellerSource,
    node: str,
    requester: Requester,
    *,
    kept: Sequence[BestSellerPage],
    keep: Callable[[BestSellerPage], None],
) -> list[BestSellerPage]:
    """All pages of a browse node; the first one says how many there are. Raises SourceError if any cannot be had.

    Pages that an interrupted run has `kept` are not fetched again. Half a list would be worse than none: it would look
    as if the other products were no best sellers any more.
    """
    pages = {page.page: page for page in kept}
    number = 1
    while number == 1 or number <= pages[1].pages:
        if number not in pages:
            pages[number] = await _page(source, node, number, requester)
            if number > 1:
                require_another_page(pages[number], pages[number - 1])
            await asyncio.to_thread(keep, pages[number])
        number += 1
    return [pages[number] for number in sorted(pages)]


async def _page(source: BestSellerSource, node: str, number: int, requester: Requester) -> BestSellerPage:
    """One page. What failed for a reason that passes is asked for in a second pass, as searches are."""
    request = partial(source.best_sellers, node, number)
    params: dict[str, str | int] = {"node": node, "page": number}
    try:
        return await requester.send(request, params)
    except SourceError as error:
        if not error.retryable:
            raise
    return await requester.send(request, params)
