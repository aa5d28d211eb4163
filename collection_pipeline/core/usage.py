"""Calls to the marketplaces, counted before they are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

Source = Literal["oxylabs", "ebay"]
Operation = Literal["best_sellers", "search", "token"]

VENDOR_TIME_ZONES: dict[Source, ZoneInfo] = {
    # eBay's daily quota starts anew at midnight Pacific (SOURCES section 1.5); Oxylabs stamps its jobs in UTC.
    "ebay": ZoneInfo("America/Los_Angeles"),
    "oxylabs": ZoneInfo("UTC"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call that is about to be made."""

    source: Source
    operation: Operation


COSTS: dict[Call, Decimal] = {
    # One call of the day's quota each. Minting tokens has a limit of its own and costs nothing of the search quota.
    Call("ebay", "search"): Decimal(1),
    Call("ebay", "token"): Decimal(0),
    # One rendered result, billed by Oxylabs as one.
    Call("oxylabs", "best_sellers"): Decimal(1),
}
"""What a call costs, in the vendor's own unit: eBay quota calls, Oxylabs results."""


def vendor_day(source: Source, moment: datetime) -> date:
    """The day to whose quota a call at `moment` (aware) counts, in the vendor's time zone."""
    return moment.astimezone(VENDOR_TIME_ZONES[source]).date()


class CallLedger(Protocol):
    """Lets calls through one by one, and remembers them."""

    async def admit(self, call: Call) -> None:
        """Returns when the call may be made, having counted it. Raises QuotaExhausted where it may not."""
        ...
