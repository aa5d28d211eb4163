"""One small pool of connections per process and address, shared by Dagster's three storages and by every instance.

It replaces the engines of dagster-postgres, which use NullPool: a connection for every statement, because a process
makes many instances (one per sensor tick) and a pool in each of them ends in "too many clients". Instances also inspect
the schema, when they are made and at every tick; here the first one of a process does, and forked processes inherit
what it found.

Unnecessary once dagster-postgres takes an engine, or a pool, from its configuration (dagster issues 20325 and 33935).
Works through PgBouncer in transaction mode: nothing is kept in a session.
"""

import os
import threading
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import TypeVar, cast

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log.migration import ASSET_KEY_INDEX_COLS
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    ConcurrencySlotsTable,
    DynamicPartitionsTable,
)
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage

from collection_pipeline.orchestration.instance.event_batches import BatchingEventLogStorage
from collection_pipeline.tables.server.database import replace_broken_connections

POOL_SIZE = 4
"""Opened as they are needed, and then kept: a run needs one or two, and the daemon's dozen threads seldom more."""

MAX_OVERFLOW = 2
"""Opened for a moment beyond that, and closed again."""

_engines: dict[tuple[str, int | None], sa.Engine] = {}
_complete: set[str] = set()
"""Addresses whose tables are known to be there."""

_schema_facts: set[tuple[str, str, str]] = set()
"""What is known to be there, by address, storage and thing."""

_lock = threading.Lock()


def shared_engine(postgres_url: str, statement_timeout_ms: int | None = None) -> sa.Engine:
    """The process's one engine for an address; the server ends statements that take longer than the timeout."""
    with _lock:
        key = (postgres_url, statement_timeout_ms)
        if key not in _engines:
            _engines[key] = _create_engine(*key)
        return _engines[key]


def _create_engine(postgres_url: str, statement_timeout_ms: int | None) -> sa.Engine:
    engine = sa.create_engine(
        postgres_url,
        isolation_level="AUTOCOMMIT",  # as in dagster-postgres, whose transactions ask for theirs
        pool_size=POOL_SIZE,
        max_overflow=MAX_OVERFLOW,
        pool_use_lifo=True,
    )
    replace_broken_connections(engine)
    if statement_timeout_ms is not None:
        _limit_every_statement(engine, statement_timeout_ms)
    return engine


def _limit_every_statement(engine: sa.Engine, milliseconds: int) -> None:
    """Sends the limit along with each statement: one that were set once would stay in a session that a pooler lends."""
    limit = f"SET LOCAL statement_timeout = {milliseconds}; "

    @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
    def limited(_: object, __: object, statement: str, parameters: object, *___: object) -> tuple[str, object]:
        return limit + statement, parameters


def close_pools() -> None:
    """Closes the connections that nobody uses at the moment; the next statement opens one."""
    for engine in _engines.values():
        engine.dispose()


def look_at_schema(instance: dg.DagsterInstance) -> None:
    """Asks for all that a run wants to know of the schema, so that the processes forked from this one know it."""
    events, runs = instance.event_log_storage, instance.run_storage
    if isinstance(events, _EventLogStorage) and isinstance(runs, _RunStorage):
        runs.has_run_stats_index_cols()
        runs.has_backfill_id_column()
        events.has_asset_key_index_cols()
        events.has_secondary_index(ASSET_KEY_INDEX_COLS)
        for table in (AssetEventTagsTable, AssetCheckExecutionsTable, DynamicPartitionsTable, ConcurrencySlotsTable):
            events.has_table(table.name)


def _start_anew_after_fork() -> None:
    """A forked process must neither speak through its parent's connections nor close them."""
    global _lock
    _lock = threading.Lock()
    for engine in _engines.values():
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_start_anew_after_fork)


class _Pooled:
    """Makes a storage of dagster-postgres use the shared engine. Its tables are there."""

    def __init__(self, postgres_url: str) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False)  # type: ignore[call-arg]
        self.postgres_url = postgres_url
        self._engine = shared_engine(postgres_url)

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """Limits statements. The pool stays as it is; dagster-postgres would make one per storage here."""
        del pool_recycle, max_overflow
        self._engine = shared_engine(self.postgres_url, statement_timeout)

    def _is_known(self, fact: str, ask: Callable[[], bool]) -> bool:
        """Whether the schema has something. Once it has, it is not asked again: migrations only add."""
        known = (self.postgres_url, type(self).__name__, fact)
        if known not in _schema_facts and ask():
            _schema_facts.add(known)
        return known in _schema_facts


class _RunStorage(_Pooled, PostgresRunStorage):
    def has_built_index(self, migration_name: str) -> bool:
        return self._is_known(migration_name, partial(super().has_built_index, migration_name))

    def has_backfill_id_column(self) -> bool:
        return self._is_known("backfill_id", super().has_backfill_id_column)

    def has_run_stats_index_cols(self) -> bool:
        return self._is_known("run_stats", super().has_run_stats_index_cols)


class _EventLogStorage(_Pooled, BatchingEventLogStorage):
    def has_table(self, table_name: str) -> bool:
        return self._is_known(table_name, partial(super().has_table, table_name))

    def has_secondary_index(self, name: str) -> bool:
        return self._is_known(f"index {name}", partial(super().has_secondary_index, name))

    def has_asset_key_index_cols(self) -> bool:
        return self._is_known("asset_key_index", super().has_asset_key_index_cols)


class _ScheduleStorage(_Pooled, PostgresScheduleStorage):
    def has_instigators_table(self) -> bool:
        return self._is_known("instigators", super().has_instigators_table)

    def _has_instigators_table(self, conn: sa.Connection) -> bool:
        return self._is_known("instigators", partial(super()._has_instigators_table, conn))

    def has_built_index(self, migration_name: str) -> bool:
        return self._is_known(migration_name, partial(super().has_built_index, migration_name))


S = TypeVar("S", bound=_Pooled)


_made: dict[tuple[type[_Pooled], str], _Pooled] = {}


def _storage(kind: type[S], postgres_url: str) -> S:
    """A storage of an instance's own. It is a copy, because making one makes an engine that is thrown away at once."""
    if (kind, postgres_url) not in _made:
        _made[kind, postgres_url] = kind(postgres_url)
    return cast("S", copy(_made[kind, postgres_url]))


class PooledPostgresStorage(DagsterPostgresStorage):
    """DagsterPostgresStorage on the process's shared engine."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        if postgres_url not in _complete:
            # Creates the tables where they are missing, through engines of its own.
            DagsterPostgresStorage(postgres_url, should_autocreate_tables=True)
            _complete.add(postgres_url)
        super(DagsterPostgresStorage, self).__init__()  # type: ignore[no-untyped-call]  # its own makes three engines
        self.postgres_url = postgres_url
        self.should_autocreate_tables = False
        self._inst_data = inst_data
        self._run_storage = _storage(_RunStorage, postgres_url)
        self._event_log_storage = _storage(_EventLogStorage, postgres_url)
        self._schedule_storage = _storage(_ScheduleStorage, postgres_url)
