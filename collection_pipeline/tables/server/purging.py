"""Removing what has been kept long enough, and writing down what was removed."""

from __future__ import annotations

from collections.abc import Iterable

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
                if count:
                    connection.execute(
                        purges.insert().values(table_name=purge.rule.table, older_than=purge.older_than, removed=count)
                    )
        return removed


def _table(purge: Purge) -> sa.Table:
    return metadata.tables[purge.rule.table]


def _too_old(purge: Purge) -> sa.ColumnElement[bool]:
    return (_table(purge).c[purge.rule.column] < purge.older_than) & sa.text(purge.rule.only)
