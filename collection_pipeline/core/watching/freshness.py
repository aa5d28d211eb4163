"""How old what is known of a category may get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

WARN_AFTER = timedelta(days=32)
STALE_AFTER = timedelta(days=35)
"""Collections are monthly by default; a month has up to 31 days, and a collection takes its time."""


@dataclass(frozen=True, slots=True)
class Stale:
    """What is known of a category is old enough to be said so."""

    age: timedelta

    @property
    def has_failed(self) -> bool:
        """Whether it is too old; until then it only warns."""
        return self.age > STALE_AFTER


def stale(collected_at: Mapping[str, datetime], now: datetime) -> dict[str, Stale]:
    """The categories whose last collection is long ago. One never collected is not stale."""
    ages = {category: now - moment for category, moment in collected_at.items()}
    return {category: Stale(age) for category, age in ages.items() if age > WARN_AFTER}
