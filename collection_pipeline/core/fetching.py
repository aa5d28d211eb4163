"""Fetching a category's best sellers: all of its pages or none of them."""

from __future__ import annotations

from functools import partial

from collection_pipeline.core.products import BestSellerPage, BestSellerSource
from collection_pipeline.core.requests import Requester


async def fetch_best_sellers(source: BestSellerSource, node: str, requester: Requester) -> list[BestSellerPage]:
    """All pages of a browse node; the first one says how many there are. Raises SourceError if any cannot be had.

    Half a list would be worse than none: it would look as if the other products were no best sellers any more.
    """
    pages = [await _fetch_page(source, node, 1, requester)]
    for number in range(2, pages[0].pages + 1):
        pages.append(await _fetch_page(source, node, number, requester))
    return pages


async def _fetch_page(source: BestSellerSource, node: str, page: int, requester: Requester) -> BestSellerPage:
    return await requester.send(partial(source.best_sellers, node, page), {"node": node, "page": page})
