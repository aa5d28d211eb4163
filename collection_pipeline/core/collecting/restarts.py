"""How often a category may be started: a few attempts after each command, and never a storm of them.

Whatever goes wrong with the bookkeeping of runs, nothing may start runs without a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

RUN_ATTEMPTS = 3
"""Runs that may die on one category after somebody asked for it; a person can still resume it."""

MOST_STARTS = 10
WITHIN = timedelta(minutes=15)
"""A category that was started so often in so short a time is not started again, whoever asks: something is wrong."""

STARTED_TOO_OFTEN = "started_too_often"
"""The reason of a category that was stopped for it."""


def starts_too_often(starts: Sequence[datetime], now: datetime) -> bool:
    """Whether one more start would be part of a storm."""
    return sum(now - start < WITHIN for start in starts) >= MOST_STARTS


def too_often(category: str) -> str:
    """The sentence that people read about it."""
    minutes = int(WITHIN.total_seconds() / 60)
    return (
        f"{category} was started {MOST_STARTS} times within {minutes} minutes and is not started again: its runs in "
        "Dagster show how each of them ended. Mend the cause, and resume the collection after that time."
    )
