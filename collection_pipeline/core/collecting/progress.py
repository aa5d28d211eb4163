"""How far a collection is, and how long it may still take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from collection_pipeline.core.collecting.collections import CollectionStatus


@dataclass(frozen=True, slots=True)
class Progress:
    """The figures of one collection at one moment, as in the view `collection_progress`.

    `time_left_s` is an estimate from the rate so far, in seconds; None while there is nothing to estimate from, and
    once the collection is over. `failures` counts requests and units that failed, by kind; `cost` is in the vendors'
    units.
    """

    collection_id: str
    org_id: str
    status: CollectionStatus
    started_at: datetime
    completed_at: datetime | None
    departments: int
    categories_total: int
    categories_listed: int
    categories_done: int
    categories_failed: int
    products_found: int
    searches_total: int
    searches_done: int
    searches_failed: int
    searches_skipped: int
    listings_found: int
    sellers_found: int
    new_sellers: int
    calls: int
    cost: Decimal
    cost_cap: Decimal | None
    failures: Mapping[str, int]
    searches_per_minute: float | None
    time_left_s: float | None
    paused_reason: str | None
    paused_until: datetime | None

    @property
    def time_left(self) -> timedelta | None:
        """The estimate as a span of time."""
        return None if self.time_left_s is None else timedelta(seconds=self.time_left_s)

    @property
    def are_sellers_known(self) -> bool:
        """Whether the figures of sellers say something: a category's are merged into the list at its end."""
        return self.categories_done > 0 or self.listings_found == 0

    def has_moved_since(self, earlier: Progress) -> bool:
        """Whether anything has happened; the estimates alone change all the time."""
        as_estimated = replace(earlier, searches_per_minute=self.searches_per_minute, time_left_s=self.time_left_s)
        return self != as_estimated

    @property
    def categories_ended(self) -> int:
        """Categories that are over, one way or the other."""
        return self.categories_done + self.categories_failed

    @property
    def searches_ended(self) -> int:
        """Products that need no more attention."""
        return self.searches_done + self.searches_failed + self.searches_skipped

    @property
    def searches_expected(self) -> int:
        """All products there will be, if the categories not listed yet are like those that are."""
        if not self.categories_listed:
            return 0
        return round(self.searches_total * self.categories_total / self.categories_listed)
