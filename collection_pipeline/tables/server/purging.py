"""Removing what has been kept long enough, and writing down what was removed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from collection_pipeline.core.retention import Purge
from collection_pipeline.tables.schema.tables import metadata, purges


class PurgeStore:
    """Purges tables."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def count(self, due: Iterable[Purge]) -> dict[str, int]:
        """How many rows each purge would remove, by table; removes nothing."""
        with self._engine.connect() as connection:
            return {
                purge.rule.table: connection.scalar(
                    sa.select(sa.func.count()).select_from(_table(purge)).where(_too_old(purge))
                )
                or 0
                for purge in due
            }

    def run(self, due: Iterable[Purge]) -> dict[str, int]:
        """Removes the rows, each table in a transaction with its row in `purges`; how many, by table."""
        removed: dict[str, int] = {}
        for purge in due:
            with self._engine.begin() as connection:
                count = connection.execute(_table(purge).delete().where(_too_old(purge))).rowcount
                removed[purge.rule.table] = count
                _note(connection, purge.rule.table, purge.older_than, count)
        return removed

    def note(self, table_name: str, older_than: datetime, removed: int) -> None:
        """Writes down a removal from a table of another database."""
        with self._engine.begin() as connection:
            _note(connection, table_name, older_than, removed)


def _note(connection: sa.Connection, table_name: str, older_than: datetime, removed: int) -> None:
    if removed:
        connection.execute(purges.insert().values(table_name=table_name, older_than=older_than, removed=removed))


def _table(purge: Purge) -> sa.Table:
    return metadata.tables[purge.rule.table]


def _too_old(purge: Purge) -> sa.ColumnElement[bool]:
    return (_table(purge).c[purge.rule.column] < purge.older_than) & sa.text(purge.rule.only)
