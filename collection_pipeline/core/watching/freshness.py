"""How old what is known of a category may get."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

WARN_AFTER = timedelta(days=32)
STALE_AFTER = timedelta(days=35)
"""Collections are monthly by default; a month has up to 31 days, and a collection takes its time."""


def stale(collected_at: Mapping[str, datetime], now: datetime, after: timedelta = STALE_AFTER) -> dict[str, timedelta]:
    """The categories whose last collection is too long ago, with their age. One never collected is not stale."""
    ages = {category: now - moment for category, moment in collected_at.items()}
    return {category: age for category, age in ages.items() if age > after}
