"""Asking a source once, over real HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from collection_pipeline.core.collecting.listings import ListingPage, ListingQuery, ListingSource, query_text
from collection_pipeline.core.collecting.products import BestSellerPage
from collection_pipeline.core.collecting.usage import Call, Source
from collection_pipeline.core.money import BandRule, Money
from collection_pipeline.simulator.server import RunningSimulator
from collection_pipeline.sources.ebay.token import EbayAccount
from collection_pipeline.sources.opening import open_best_sellers, open_listings, open_result_pages
from collection_pipeline.sources.oxylabs.jobs import OxylabsAccount

NODE = "172541"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
T = TypeVar("T")


class Ledger:
    """Counts calls in memory: a source needs somebody to tell."""

    def __init__(self) -> None:
        self.calls: Counter[Call] = Counter()

        self.rates: dict[Source, float] = {}

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[None]:
        self.calls[call] += 1
        yield

    async def observed(self, source: Source, requests_per_s: float) -> None:
        self.rates[source] = requests_per_s


def best_sellers(
    simulator: RunningSimulator, node: str = NODE, page: int = 1, ledger: Ledger | None = None
) -> BestSellerPage:
    async def ask() -> BestSellerPage:
        account = OxylabsAccount(simulator.oxylabs_url, "user", "hunter2")
        async with open_best_sellers(account, ledger or Ledger()) as source:
            return await source.best_sellers(node, page)

    return asyncio.run(ask())


def with_ebay(
    simulator: RunningSimulator,
    work: Callable[[ListingSource], Awaitable[T]],
    *,
    ledger: Ledger | None = None,
    page_size: int = 200,
    clock: Callable[[], datetime] = lambda: NOON,
) -> T:
    """What `work` makes of one open eBay source."""

    async def ask() -> T:
        account = EbayAccount(simulator.ebay_url, "id", "hunter3")
        async with open_listings(account, ledger or Ledger(), page_size=page_size, clock=clock) as source:
            return await work(source)

    return asyncio.run(ask())


def search(simulator: RunningSimulator, query: ListingQuery, page: int = 1) -> ListingPage:
    return with_ebay(simulator, lambda source: source.search(query, page))


def search_page(
    simulator: RunningSimulator, query: ListingQuery, page: int = 1, ledger: Ledger | None = None
) -> ListingPage:
    """One of eBay's result pages, fetched through Oxylabs."""

    async def ask() -> ListingPage:
        account = OxylabsAccount(simulator.oxylabs_url, "user", "hunter2")
        async with open_result_pages(account, ledger or Ledger()) as source:
            return await source.search(query, page)

    return asyncio.run(ask())


def query_for(simulator: RunningSimulator) -> ListingQuery:
    """A query for a product that eBay has listings of."""
    products = simulator.truth(NODE)["products"].values()
    product = next(product for product in products if product["listings"])
    return ListingQuery(query_text(product["title"]), BandRule().band(Money(Decimal(product["price"]), "USD")))
