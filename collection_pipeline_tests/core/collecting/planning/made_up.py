"""Products with a past, for the tests of the plan."""

from __future__ import annotations

from decimal import Decimal

from collection_pipeline.core.collecting.planning.candidates import Candidate, Past
from collection_pipeline.core.money import PriceBand


def band(low: str = "18.00", high: str = "22.00") -> PriceBand:
    return PriceBand(Decimal(low), Decimal(high), "USD")


def candidate(
    asin: str, category: str = "mugs", rank: int = 1, past: Past | None = None, query: str | None = None
) -> Candidate:
    return Candidate(asin, category, rank, query or f"title of {asin}", band(), past=past)


def past(searches: int = 3, last_days_ago: float = 30, found: float = 10, arrived: int = 0, empty: int = 0) -> Past:
    """So many monthly searches; half of the sellers who arrived were on no list before."""
    return Past(
        searches=searches,
        first_days_ago=last_days_ago + 30 * (searches - 1),
        last_days_ago=last_days_ago,
        found=found,
        arrived=arrived,
        first_new=found / 2,
        later_new=arrived / 2,
        empty_in_a_row=empty,
    )
