"""A run's events written together: one statement several times a second, in place of two or three for each.

Dagster writes batches of planned events one by one, and others only where all are of one kind. Here a run's events wait
a moment for each other. Whatever reads the log in this process sees what was written before, and the events that change
a run's status are written at once, after all others.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster_postgres.event_log import PostgresEventLogStorage

from collection_pipeline.orchestration.instance.plain_failures import plainly

WRITE_EVERY_S = 0.25
LARGEST_BATCH = 500


class EventBatch:
    """Events that wait to be written. Its methods may be called from any thread."""

    def __init__(self, write: Callable[[Sequence[dg.EventLogEntry]], None]) -> None:
        self._write = write
        self._waiting: list[dg.EventLogEntry] = []
        self._timer: threading.Timer | None = None
        self._lock = threading.RLock()

    def add(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Takes events, in their order. Raises what the storage raises where a full batch cannot be written."""
        with self._lock:
            self._waiting.extend(events)
            if len(self._waiting) >= LARGEST_BATCH:
                self.flush()
            elif self._timer is None:
                self._timer = threading.Timer(WRITE_EVERY_S, self._flush_in_time)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Writes what waits. What could not be written waits on, and the storage's error is raised."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            events, self._waiting = self._waiting, []
            if not events:
                return
            try:
                self._write(events)
            except BaseException:
                self._waiting = events + self._waiting
                raise

    def _flush_in_time(self) -> None:
        with suppress(Exception):  # the next event, or the run's end, tries again, where somebody hears of it
            self.flush()


class BatchingEventLogStorage(PostgresEventLogStorage):
    """PostgresEventLogStorage that writes a run's events in batches, once it is asked to."""

    _batch: EventBatch | None = None
    _materializations: tuple[object, dg.EventRecordsResult] | None = None
    """What was asked for last, and the answer: every check of an asset asks for the same one."""
    _joining = threading.local()
    _partitions: frozenset[tuple[str, str]] = frozenset()
    """Those that were there when they were asked for, as they are for every output of a step."""

    @contextmanager
    def batched(self) -> Iterator[None]:
        """Writes events in batches until the end of the context."""
        self._batch = batch = EventBatch(self._write_batch)
        try:
            yield
        finally:
            self._batch = None
            batch.flush()

    def store_event(self, event: dg.EventLogEntry) -> None:  # noqa: D102
        event = plainly(event)
        self._materializations = None if _materializes(event) else self._materializations
        if self._batch is not None and not _changes_run(event):
            self._batch.add([event])
            return
        if self._batch is not None:
            self._batch.flush()
        super().store_event(event)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:  # noqa: D102
        if self._batch is None:
            self._write_batch(events)
        else:
            self._batch.add(events)

    def fetch_materializations(self, *args: Any, **kwargs: Any) -> dg.EventRecordsResult:  # noqa: D102
        asked = (args, kwargs)
        if self._batch is None:
            return super().fetch_materializations(*args, **kwargs)
        if self._materializations is None or self._materializations[0] != asked:
            self._materializations = (asked, super().fetch_materializations(*args, **kwargs))
        return self._materializations[1]

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:  # noqa: D102
        asked = (partitions_def_name, partition_key)
        if self._batch is None or asked not in self._partitions:
            if not super().has_dynamic_partition(*asked):
                return False
            self._partitions |= {asked}
        return True

    def _connect(self) -> Any:
        if self._batch is not None:
            self._batch.flush()
        return super()._connect()

    def index_connection(self) -> AbstractContextManager[sa.Connection]:  # noqa: D102
        joined: sa.Connection | None = getattr(self._joining, "connection", None)
        return super().index_connection() if joined is None else nullcontext(joined)

    @contextmanager
    def _joined(self) -> Iterator[sa.Connection]:
        """A transaction that every statement of this thread is part of, and so one commit for all of them."""
        with self.index_transaction() as connection:
            self._joining.connection = connection
            try:
                yield connection
            finally:
                self._joining.connection = None

    def _write_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        insert = SqlEventLogStorageTable.insert().returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
        with self._joined() as connection:
            ids = connection.execute(insert, [self._event_to_row(event) for event in events]).scalars().all()
            stored = list(zip(events, ids, strict=True))
            for event, number in stored:
                if event.dagster_event_type in ASSET_CHECK_EVENTS:
                    self.store_asset_check_event(event, number)
            of_assets = [(event, number) for event, number in stored if event.dagster_event_type in ASSET_EVENTS]
            if of_assets:
                self._store_asset_event_tags(connection, *map(list, zip(*of_assets, strict=True)))
            for event, number in _last_of_each_kind(of_assets):  # last, because others wait for these rows
                self._store_asset_event(connection, event, number)


def _last_of_each_kind(events: Sequence[tuple[dg.EventLogEntry, int]]) -> list[tuple[dg.EventLogEntry, int]]:
    """The last event of each asset and kind, which is all that the index of assets keeps.

    In an order that is the same for all runs, whose transactions would otherwise wait for each other's rows.
    """
    last = {
        (str(event.get_dagster_event().asset_key), str(event.dagster_event_type)): (event, number)
        for event, number in events
    }
    return [last[asset_and_kind] for asset_and_kind in sorted(last)]


def _materializes(event: dg.EventLogEntry) -> bool:
    return event.dagster_event_type is dg.DagsterEventType.ASSET_MATERIALIZATION


def _changes_run(event: dg.EventLogEntry) -> bool:
    return event.is_dagster_event and event.get_dagster_event().is_job_event
