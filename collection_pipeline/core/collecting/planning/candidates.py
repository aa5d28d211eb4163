"""What is known of a product before it is searched: its place and price, and what its earlier searches brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import sqrt

from collection_pipeline.core.money import PriceBand

LEAST_DAYS = 1.0
"""Searches that follow each other within hours say little of how fast anything changes: they count as a day apart."""
_WITHIN_90_PERCENT = 1.64


@dataclass(frozen=True, slots=True)
class Past:
    """What the searches of one product brought in one organisation, those that ended well.

    A seller who was new on several products of a collection counts as a part on each, so that sums are right.
    """

    searches: int
    first_days_ago: float
    last_days_ago: float
    found: float
    """Listings that a search found, on average."""
    arrived: int = 0
    """Sellers that the searches after the first found on it for the first time."""
    first_new: float = 0.0
    """New sellers, on no list before, that the first search brought."""
    later_new: float = 0.0
    """Those that the others brought together."""
    calls: int = 1
    """Calls that the last one took."""
    empty_in_a_row: int = 0
    """How many of the last ones found nothing."""

    @property
    def days_between(self) -> float:
        """Days from one search to the next, on average, at least one; 0 where there was only one search."""
        if self.searches < 2:
            return 0.0
        return max(LEAST_DAYS, (self.first_days_ago - self.last_days_ago) / (self.searches - 1))

    @property
    def rested_days(self) -> float:
        """Days since the last search, at least one."""
        return max(LEAST_DAYS, self.last_days_ago)

    @property
    def shown(self) -> float:
        """Listings that the searches after the first showed, roughly."""
        return (self.searches - 1) * self.found


@dataclass(frozen=True, slots=True)
class Candidate:
    """One best seller that could be searched. Without `past` it never was."""

    asin: str
    category: str
    rank: int
    query: str
    band: PriceBand | None
    """Where its listings' prices have to be; None where the product is not known yet."""
    age_days: float | None = None
    """Since it was first seen on a list; None if that is not known."""
    past: Past | None = None

    @property
    def calls(self) -> int:
        """Calls that its search will take: as many as the last time. A first search takes one, as nearly all do."""
        return max(1, self.past.calls) if self.past else 1


@dataclass(frozen=True, slots=True)
class Expected:
    """New sellers that can be expected, and how uncertain that is.

    `variance` is by how much searches differ among each other. `doubt` is the factor by which all of them may be wrong
    together, nine times in ten: the list that they add to is one.
    """

    mean: float
    variance: float = 0.0
    doubt: float = 1.0

    def __add__(self, other: Expected) -> Expected:
        return Expected(self.mean + other.mean, self.variance + other.variance, max(self.doubt, other.doubt))

    def scaled(self, factor: float) -> Expected:
        """So many times as much, and as uncertain."""
        return Expected(self.mean * factor, self.variance * factor**2, self.doubt)

    @property
    def low(self) -> float:
        """Nine times in ten it should be between this and `high`."""
        return max(0.0, self.mean - self._spread) / self.doubt

    @property
    def high(self) -> float:
        """See `low`."""
        return (self.mean + self._spread) * self.doubt

    @property
    def _spread(self) -> float:
        if not self.mean:
            return 0.0
        return _WITHIN_90_PERCENT * sqrt(self.variance + 1)  # one comes by chance, however little is expected

    def __str__(self) -> str:
        return f"{self.mean:,.0f} new sellers ({self.low:,.0f} to {self.high:,.0f})"


NOTHING = Expected(0.0)


def days(span: timedelta) -> float:
    """A span of time in days."""
    return span / timedelta(days=1)
