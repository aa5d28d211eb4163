"""How far somebody has read a log that grows: a sensor's cursor, as a value.

Rows of a log get their number before they are committed, so that a later number can be seen first. What is younger than
SETTLED is therefore left for the next look; then nothing with a smaller number is still to come.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

SETTLED = timedelta(seconds=5)
"""A commit takes milliseconds."""

LOOK_BACK = timedelta(hours=1)
"""How far the first look goes back: what went wrong shortly before it is still told."""


class Entry(Protocol):
    """One row of a log."""

    @property
    def id(self) -> int: ...  # noqa: D102

    @property
    def at(self) -> datetime: ...  # noqa: D102


AnyEntry = TypeVar("AnyEntry", bound=Entry)


@dataclass(frozen=True)
class LogCursor:
    """What was read: everything up to these numbers, of what happened after `since`."""

    since: datetime
    ids: dict[str, int]

    @classmethod
    def read(cls, cursor: str | None, now: datetime) -> LogCursor:
        """The mark that a cursor holds; a fresh one where it holds none."""
        try:
            kept = json.loads(cursor or "")
            since = datetime.fromisoformat(kept["since"])
            ids = {str(log): int(number) for log, number in kept["ids"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls(now - LOOK_BACK, {})
        return cls(since, ids) if since.tzinfo else cls(now - LOOK_BACK, {})

    def __str__(self) -> str:
        return json.dumps({"since": self.since.isoformat(), "ids": self.ids})

    def of(self, log: str) -> int:
        """The last number that was read of a log."""
        return self.ids.get(log, 0)

    def after(self, log: str, entries: Sequence[Entry]) -> LogCursor:
        """The mark once these entries of a log were read."""
        last = max((entry.id for entry in entries), default=0)
        return replace(self, ids={**self.ids, log: max(last, self.of(log))})


def settled(entries: Sequence[AnyEntry], now: datetime) -> list[AnyEntry]:
    """The entries, in the order of their numbers, before which no other can turn up any more.

    One that claims to be of the future has a wrong clock, and does not hold up the rest.
    """
    ordered = sorted(entries, key=lambda entry: entry.id)
    young = (place for place, entry in enumerate(ordered) if timedelta(0) <= now - entry.at < SETTLED)
    return ordered[: next(young, len(ordered))]
