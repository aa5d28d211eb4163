"""Errors by kind, counted as they come: each look reads only the events since the last one.

Counting all of them would read every event of every collection. A counter may begin at zero wherever it is first read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from collection_pipeline.core.errors import SourceError

ErrorKey = tuple[str, str]
"""The phase (amazon or ebay) and the kind of an error."""

PHASES = ("amazon", "ebay")

MOST_EVENTS = 5_000
"""Read at one look, so that none takes long; where more have come, later looks count the rest."""


class ErrorCounts:
    """Counts errors from the first look on. Not for several threads at once.

    Ids are given before events are committed, so that of two collections' events the later ones may be seen first. A
    look therefore begins again where the one before it began, and leaves out what is counted already.
    """

    def __init__(self) -> None:
        self._counts = Counter[ErrorKey]({(phase, kind): 0 for phase in PHASES for kind in known_kinds()})
        self._from: int | None = None
        """Events up to here are settled."""
        self._seen_to = 0
        self._counted: set[int] = set()

    def up_to_now(self, connection: sa.Connection) -> Mapping[ErrorKey, int]:
        """The counts, with what has come since the last look."""
        if self._from is None:
            self._from = self._seen_to = connection.scalar(_NEWEST) or 0
        rows = connection.execute(_SINCE, {"settled": self._from, "most": MOST_EVENTS}).all()
        came = [row for row in rows if row.phase is not None and row.id not in self._counted]
        self._counts.update((row.phase, row.kind) for row in came)
        self._settle({row.id for row in came}, max((row.id for row in rows), default=self._seen_to))
        return dict(self._counts)

    def _settle(self, came: set[int], newest: int) -> None:
        self._from, self._seen_to = self._seen_to, newest
        self._counted = {one for one in self._counted | came if one > self._from}


def known_kinds() -> list[str]:
    """The kinds of errors that a marketplace can cause."""
    return sorted({error.kind for error in _kinds_of(SourceError)})


def _kinds_of(error: type[SourceError]) -> Iterator[type[SourceError]]:
    yield error
    for narrower in error.__subclasses__():
        yield from _kinds_of(narrower)


_NEWEST = sa.text("SELECT id FROM activity_events ORDER BY id DESC LIMIT 1")

# Its last row, without a phase, says how far it has read.
_SINCE = sa.text("""
    WITH since AS MATERIALIZED (
        SELECT id, phase, action, error_type FROM activity_events WHERE id > :settled ORDER BY id LIMIT :most
    )
    SELECT id, phase, coalesce(error_type, action) AS kind FROM since WHERE action IN ('error', 'rate_limited')
    UNION ALL
    SELECT max(id), NULL, NULL FROM since HAVING max(id) IS NOT NULL
""")
