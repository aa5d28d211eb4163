"""Activity events at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import sqlalchemy as sa

from collection_pipeline.core.activity import ActivityEvent
from collection_pipeline.tables.schema import activity_events

_COLUMNS = [field.name for field in fields(ActivityEvent)]


class ActivityStore:
    """Keeps what happened, in the order in which it arrives."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def append(self, events: Sequence[ActivityEvent]) -> None:
        """Commits events, all or none."""
        rows = [
            {name: getattr(event, name) for name in _COLUMNS} | {"api_params": dict(event.api_params)}
            for event in events
        ]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(activity_events.insert(), rows)

    def since(self, collection_id: str, event_id: int, limit: int = 100) -> list[tuple[int, ActivityEvent]]:
        """The newest events of a collection after `event_id`, at most `limit`, oldest first, each with its id."""
        newest = (
            activity_events.select()
            .where(activity_events.c.collection_id == collection_id, activity_events.c.id > event_id)
            .order_by(activity_events.c.id.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(newest).all()
        return [(row.id, ActivityEvent(**{name: getattr(row, name) for name in _COLUMNS})) for row in reversed(rows)]
