"""Marketplaces that answer from a script, and a clock that only sleeping moves: hours of collecting in milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Lock

from collection_pipeline.core.activity import Action, Activity, ActivityEvent
from collection_pipeline.core.collecting.listings import Listing, ListingPage, ListingQuery, SellerFacts
from collection_pipeline.core.collecting.products import BestSellerPage, Product
from collection_pipeline.core.collecting.searches import PlannedSearch, SearchedPage
from collection_pipeline.core.errors import SourceError
from collection_pipeline.core.money import Money

DOLLARS = Money(Decimal("100.00"), "USD")
Step = ListingPage | SourceError


@dataclass
class Time:
    """A clock and a sleep that belong together. `slept` is every wait in seconds, in the order of asking."""

    now: datetime = datetime(2026, 5, 1, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class Events:
    """Every event of one run, in order."""

    time: Time
    all: list[ActivityEvent] = field(default_factory=list)

    @property
    def activity(self) -> Activity:
        return Activity(self.all.append, self.time.clock, "run", "c1", "coffee", "ebay")

    def of(self, action: Action) -> list[ActivityEvent]:
        return [event for event in self.all if event.action is action]


@dataclass
class ScriptedListings:
    """Answers each product's requests with the steps of its script, in order; its last step for ever after.

    `asked` is every request as (query, page). `on_request` runs before each answer, inside the request.
    """

    script: dict[str, Sequence[Step]]
    time: Time = field(default_factory=Time)
    reply_s: float = 1.0
    on_request: Callable[[str, int], None] = lambda _query, _page: None
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def search(self, query: ListingQuery, page: int) -> ListingPage:
        self.on_request(query.text, page)
        steps = self.script[query.text]
        step = steps[min(self.asks(query.text), len(steps) - 1)]
        self.asked.append((query.text, page))
        self.time.now += timedelta(seconds=self.reply_s)
        await asyncio.sleep(0)
        if isinstance(step, SourceError):
            raise step
        return step

    def asks(self, query: str) -> int:
        return sum(text == query for text, _ in self.asked)


@dataclass
class ScriptedBestSellers:
    """Answers each page's requests with the steps of its script, in order; its last step for ever after."""

    script: dict[int, Sequence[BestSellerPage | SourceError]]
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def best_sellers(self, node: str, page: int) -> BestSellerPage:
        steps = self.script[page]
        step = steps[min(self.asked.count((node, page)), len(steps) - 1)]
        self.asked.append((node, page))
        if isinstance(step, SourceError):
            raise step
        return step


@dataclass
class Committed:
    """What was committed, page by page; called from the workers' threads."""

    pages: list[tuple[SearchedPage, Sequence[Listing]]] = field(default_factory=list)
    on_record: Callable[[SearchedPage], None] = lambda _page: None
    lock: Lock = field(default_factory=Lock)

    def record(self, page: SearchedPage, listings: Sequence[Listing]) -> None:
        with self.lock:
            self.on_record(page)
            self.pages.append((page, listings))

    def of(self, asin: str) -> list[SearchedPage]:
        return [page for page, _ in self.pages if page.asin == asin]


def planned(title: str, price: Money | None = DOLLARS, pages_done: int = 0) -> PlannedSearch:
    """A product whose ASIN and query are its title."""
    return PlannedSearch(title, title, price, pages_done)


def listing(number: int, seller: str = "ann", price: str = "200.00", condition: str = "1000") -> Listing:
    """A listing inside the band of a product of 100 dollars."""
    return Listing(
        listing_id=str(number),
        title=f"Listing {number}",
        url=f"https://ebay.example/itm/{number}",
        price=Money(Decimal(price), "USD"),
        condition_id=condition,
        is_fixed_price=True,
        is_delivery_free=True,
        country="US",
        seller=SellerFacts(seller, 12, Decimal("99.4")),
    )


def page(*listings: Listing, more: bool = False) -> ListingPage:
    return ListingPage(listings, has_more=more, url="https://ebay.example/search")


def best_sellers(number: int, *positions: int, pages: int = 2) -> BestSellerPage:
    products = tuple(
        Product(f"B{position:09}", position, f"Product {position}", DOLLARS, None, None, "https://amazon.example")
        for position in positions
    )
    return BestSellerPage(products, number, pages, "https://amazon.example/gp/bestsellers")
