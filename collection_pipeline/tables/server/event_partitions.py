"""The partitions of `activity_events`: one a week, made five weeks ahead, dropped as a whole when it is old enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa
from psycopg.errors import LockNotAvailable

from collection_pipeline.tables.schema.event_partitions import BEFORE, DEFAULT, TABLE

AHEAD = timedelta(weeks=5)
"""A nightly job that fails for a month still leaves a partition for every event."""

BATCH = 20_000
"""Rows that a transaction removes from what is no week."""

_MAKE = sa.text("SELECT make_event_weeks(now() + :ahead)")
_DROP = sa.text("SELECT name, removed FROM drop_event_week(:older_than)")
_DELETE = sa.text("SELECT delete_events_outside_weeks(:older_than, :most)")

_COUNT = sa.text(f"""
    SELECT count(*) FROM {TABLE}
    WHERE timestamp < :older_than AND (
        timestamp < (SELECT max(until) FROM event_weeks() WHERE until <= :older_than)
        OR tableoid IN (to_regclass('{DEFAULT}'), to_regclass('{BEFORE}'))
    )
""")  # noqa: S608


def make_event_weeks(connection: sa.Connection) -> int:
    """Makes the partitions that are missing from this week on; how many."""
    return int(connection.execute(_MAKE, {"ahead": AHEAD}).scalar_one())


def count_old_events(connection: sa.Connection, older_than: datetime) -> int:
    """How many events `remove_old_events` would remove."""
    return int(connection.execute(_COUNT, {"older_than": older_than}).scalar_one())


def remove_old_events(engine: sa.Engine, older_than: datetime, note: Callable[[sa.Connection, int], None]) -> int:
    """Drops the weeks that ended before a moment, deletes what is as old but in none, and calls `note` with how many
    events each transaction removed, inside of it; how many in all.

    An event of a week is kept until the whole week is old enough. A week that somebody is reading, so that it
    cannot be dropped within a second, stays until the next purge.
    """
    total = 0
    while (removed := _drop_a_week(engine, older_than, note)) is not None:
        total += removed
    removed = BATCH
    while removed == BATCH:
        with engine.begin() as connection:
            removed = int(connection.execute(_DELETE, {"older_than": older_than, "most": BATCH}).scalar_one())
            note(connection, removed)
        total += removed
    return total


def _drop_a_week(engine: sa.Engine, older_than: datetime, note: Callable[[sa.Connection, int], None]) -> int | None:
    """How many events the oldest week held; None where no week is to be dropped, or none can be now."""
    try:
        with engine.begin() as connection:
            week = connection.execute(_DROP, {"older_than": older_than}).one()
            if week.name is None:
                return None
            note(connection, week.removed)
            return int(week.removed)
    except sa.exc.OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            return None
        raise


@contextmanager
def prepared_partitioning(engine: sa.Engine) -> Iterator[None]:
    """Makes ready, beside whoever collects, what migration 0010 needs to turn the table into a partition at once.

    Both the index and the check of every row take long on a large table and block nobody here, but would block all
    inside the migration. Does nothing where the table is missing, partitioned already or small. Where the migration
    then fails, the check goes again: a month later it would refuse new events.
    """
    with engine.connect() as connection:
        is_large = connection.scalar(_IS_LARGE) is True
    if is_large:
        _execute(engine, f"DROP INDEX IF EXISTS {READY_INDEX}")  # one whose making was interrupted is not valid
        _execute(engine, f"CREATE UNIQUE INDEX CONCURRENTLY {READY_INDEX} ON {TABLE} (id, timestamp)")
        _execute(engine, _DROP_CHECK)
        with engine.connect() as connection:
            until = connection.execute(_UNTIL, {"ahead": AHEAD}).scalar_one()
        _execute(engine, f"ALTER TABLE {TABLE} ADD CONSTRAINT {READY_CHECK} CHECK (timestamp < '{until}') NOT VALID")
        _execute(engine, f"ALTER TABLE {TABLE} VALIDATE CONSTRAINT {READY_CHECK}")
    try:
        yield
    except BaseException:
        if is_large:
            _execute(engine, _DROP_CHECK)
        raise


READY_INDEX, READY_CHECK = f"{TABLE}_partition_key", f"{TABLE}_before_partitions"
"""What the migration looks for."""

_IS_LARGE = sa.text(f"""
    SELECT relkind = 'r' AND pg_relation_size(oid) > 8e6 FROM pg_class WHERE oid = to_regclass('{TABLE}')
""")  # noqa: S608

# A Monday that no event is from after, not even one of a machine whose clock was wrong.
_UNTIL = sa.text(f"""
    SELECT date_trunc('week', greatest(now() + :ahead, max(timestamp) + interval '7 days'), 'UTC') FROM {TABLE}
""")  # noqa: S608

_DROP_CHECK = f"ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS {READY_CHECK}"


def _execute(engine: sa.Engine, statement: str) -> None:
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(statement)
