"""Activity events at rest: written in an order that readers can rely on, and announced to whoever listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege

from collection_pipeline.core.activity import ActivityEvent
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.schema.locking import lock_turn
from collection_pipeline.tables.schema.notices import CHANNELS, announce
from collection_pipeline.tables.schema.tables import activity_events

_COLUMNS = [field.name for field in fields(ActivityEvent)]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of a collection somebody wants to see: of one run, of one worker, of some actions. Empty is all."""

    run_id: str | None = None
    worker_id: int | None = None
    actions: frozenset[str] = frozenset()

    def includes(self, event: ActivityEvent) -> bool:
        """Whether the event is wanted."""
        return (
            (self.run_id is None or event.run_id == self.run_id)
            and (self.worker_id is None or event.worker_id == self.worker_id)
            and (not self.actions or event.action in self.actions)
        )

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The same in SQL."""
        columns, conditions = activity_events.c, list[sa.ColumnElement[bool]]()
        if self.run_id is not None:
            conditions.append(columns.run_id == self.run_id)
        if self.worker_id is not None:
            conditions.append(columns.worker_id == self.worker_id)
        if self.actions:
            conditions.append(columns.action.in_(sorted(self.actions)))
        return conditions


EVERYTHING = EventFilter()


def topic(collection_id: str) -> str:
    """What a collection is called in announcements: its id, cut so that it fits NOTIFY's 8,000 bytes in any script.

    Collections that share a topic wait for each other and wake each other's readers for nothing, which harms nobody.
    """
    return collection_id[:1_000]


class ActivityStore:
    """Keeps what happened, in the order in which it arrives."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def append(self, events: Sequence[ActivityEvent]) -> None:
        """Commits events, all or none, and announces their collections at that moment.

        Who writes to a collection waits for whoever is at it, so that its events become visible in the order of their
        ids: without that, a reader who asks for "later than 7" could see 9, ask for "later than 9", and miss 8.
        """
        rows = [
            {name: getattr(event, name) for name in _COLUMNS} | {"api_params": dict(event.api_params)}
            for event in events
        ]
        if rows:
            with self._engine.begin() as connection:
                # Sorted, so that two who write to the same collections cannot wait for each other.
                for collection_id in sorted({event.collection_id for event in events}):
                    lock_turn(connection, f"activity: {topic(collection_id)}")
                    announce(connection, topic(collection_id))
                connection.execute(activity_events.insert(), rows)

    def require_listener(self) -> None:
        """Raises PipelineError where this login may not know of new events at the moment of their commit."""
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql(CHANNELS)
        except sa.exc.ProgrammingError as error:
            if not isinstance(error.orig, InsufficientPrivilege):
                raise
            raise PipelineError(
                "This login may not follow collections live. Use one of collection_pipeline; docs/access.md says how."
            ) from None

    def since(
        self, collection_id: str, event_id: int, limit: int = 100, wanted: EventFilter = EVERYTHING
    ) -> list[tuple[int, ActivityEvent]]:
        """The newest events of a collection after `event_id`, at most `limit`, oldest first, each with its id."""
        newest = _later(collection_id, event_id, wanted).order_by(activity_events.c.id.desc()).limit(limit)
        return self._read(newest)[::-1]

    def after(
        self, collection_id: str, event_id: int, limit: int, wanted: EventFilter = EVERYTHING
    ) -> list[tuple[int, ActivityEvent]]:
        """The next events of a collection after `event_id`, at most `limit`, oldest first, each with its id."""
        return self._read(_later(collection_id, event_id, wanted).order_by(activity_events.c.id).limit(limit))

    def last_id(self, collection_id: str) -> int:
        """The id of a collection's newest event; 0 if it has none."""
        newest = sa.select(sa.func.max(activity_events.c.id)).where(activity_events.c.collection_id == collection_id)
        with self._engine.connect() as connection:
            return connection.scalar(newest) or 0

    def _read(self, query: sa.Select[tuple[object, ...]]) -> list[tuple[int, ActivityEvent]]:
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [(row.id, ActivityEvent(**{name: getattr(row, name) for name in _COLUMNS})) for row in rows]


def _later(collection_id: str, event_id: int, wanted: EventFilter) -> sa.Select[tuple[object, ...]]:
    return activity_events.select().where(
        activity_events.c.collection_id == collection_id, activity_events.c.id > event_id, *wanted.conditions()
    )
