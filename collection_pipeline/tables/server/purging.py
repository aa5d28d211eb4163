"""Removing what has been kept long enough, and recording what was removed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from collection_pipeline.core.retention import Purge
from collection_pipeline.tables.schema.tables import activity_events, metadata, purges
from collection_pipeline.tables.server.event_partitions import count_old_events, make_event_weeks, remove_old_events

BATCH = 20_000
"""Rows that go in one transaction: what it locks is free again within a second."""


class PurgeStore:
    """Purges tables."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def count(self, due: Iterable[Purge]) -> dict[str, int]:
        """How many rows each purge would remove, by table; removes nothing."""
        with self._engine.connect() as connection:
            return {purge.rule.table: _count(connection, purge) for purge in due}

    def run(self, due: Iterable[Purge]) -> dict[str, int]:
        """Removes the rows, in transactions that each have their row in `purges`; how many, by table.

        Also makes the partitions that the coming weeks need.
        """
        with self._engine.begin() as connection:
            make_event_weeks(connection)
        return {purge.rule.table: self._remove(purge) for purge in due}

    def _remove(self, purge: Purge) -> int:
        note = partial(_note, purge.rule.table, purge.older_than)
        if purge.rule.table == activity_events.name:
            return remove_old_events(self._engine, purge.older_than, note)
        total, removed = 0, BATCH
        while removed == BATCH:
            with self._engine.begin() as connection:
                removed = connection.execute(_batch(purge)).rowcount
                note(connection, removed)
            total += removed
        return total

    def note(self, table_name: str, older_than: datetime, removed: int) -> None:
        """Records a removal from a table of another database."""
        with self._engine.begin() as connection:
            _note(table_name, older_than, connection, removed)


def _note(table_name: str, older_than: datetime, connection: sa.Connection, removed: int) -> None:
    if removed:
        connection.execute(purges.insert().values(table_name=table_name, older_than=older_than, removed=removed))


def _count(connection: sa.Connection, purge: Purge) -> int:
    if purge.rule.table == activity_events.name:
        return count_old_events(connection, purge.older_than)
    return connection.scalar(sa.select(sa.func.count()).select_from(_table(purge)).where(_too_old(purge))) or 0


def _batch(purge: Purge) -> sa.Delete:
    """Some of the rows, found by their place: the next batch begins where this one ended."""
    table = _table(purge)
    place: sa.ColumnClause[object] = sa.literal_column("ctid")
    some = sa.select(place).select_from(table).where(_too_old(purge)).limit(BATCH)
    return table.delete().where(place == sa.any_(sa.func.array(some.scalar_subquery())))


def _table(purge: Purge) -> sa.Table:
    return metadata.tables[purge.rule.table]


def _too_old(purge: Purge) -> sa.ColumnElement[bool]:
    return (_table(purge).c[purge.rule.column] < purge.older_than) & sa.text(purge.rule.only)
