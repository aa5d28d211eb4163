"""Calls to the marketplaces, counted before they are made."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

Source = Literal["oxylabs", "ebay"]
Operation = Literal["best_sellers", "search", "search_page", "token"]

VENDOR_TIME_ZONES: dict[Source, ZoneInfo] = {
    # eBay's daily quota starts anew at midnight Pacific (docs/sources.md 1.5); Oxylabs stamps its jobs in UTC.
    "ebay": ZoneInfo("America/Los_Angeles"),
    "oxylabs": ZoneInfo("UTC"),
}


LARGEST_COST = 1_000_000_000
"""Calls that a cost cap may allow; no vendor sells as many."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that is about to be made."""

    source: Source
    operation: Operation


COSTS: dict[Call, Decimal] = {
    # One call of the day's quota each. Minting tokens has a limit of its own and costs nothing of the search quota.
    Call("ebay", "search"): Decimal(1),
    Call("ebay", "token"): Decimal(0),
    # One result each, billed by Oxylabs as one.
    Call("oxylabs", "best_sellers"): Decimal(1),
    Call("oxylabs", "search_page"): Decimal(1),
}
"""What a call costs, in the vendor's own unit: eBay quota calls, Oxylabs results."""


def vendor_day(source: Source, moment: datetime) -> date:
    """The day to whose quota a call at `moment` (aware) counts, in the vendor's time zone."""
    return moment.astimezone(VENDOR_TIME_ZONES[source]).date()


def next_day(source: Source, moment: datetime) -> datetime:
    """When the vendor's next day begins, in UTC: its quota starts anew then."""
    local = moment.astimezone(VENDOR_TIME_ZONES[source])
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Limits:
    """What all runs on all machines together may ask of one source. `calls_per_day` None is without limit."""

    requests_per_s: float
    in_flight: int
    calls_per_day: int | None = None


DEFAULT_LIMITS: dict[Source, Limits] = {
    # Far below Oxylabs' 13 rendered requests a second (docs/sources.md 2.3); a page takes it 20 s and more.
    "oxylabs": Limits(requests_per_s=5, in_flight=25),
    # eBay documents no rate but 5,000 calls a day for a new application (docs/sources.md 1.5).
    "ebay": Limits(requests_per_s=10, in_flight=25, calls_per_day=5_000),
}


class CallLedger(Protocol):
    """Lets calls through one by one, politely and within the budget, and remembers them."""

    def call(self, call: Call) -> AbstractAsyncContextManager[None]:
        """Is entered when the call may be made, having counted it; lasts as long as the call.

        Raises QuotaExhausted or BudgetSpent where it may not be made at all.
        """
        ...

    async def observed(self, source: Source, requests_per_s: float) -> None:
        """Takes note of the rate that the vendor itself says it allows."""
        ...


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """What an answer may be at most: its size in bytes, unpacked, and the seconds until all of it is there.

    A page of 200 listings takes 0.5 MB and a rendered result page 2 MB; Oxylabs gives up on a page after 150 s.
    """

    largest: int = 32 * 2**20
    deadline_s: float = 240.0
