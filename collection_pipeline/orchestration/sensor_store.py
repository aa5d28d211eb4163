"""The tables as sensors and schedules need them: opened by themselves, to say why they cannot be reached.

A resource that cannot be opened fails the tick before the sensor's own code runs. The stores stay open from one tick to
the next, because opening them costs a hundred times what a tick with nothing to do costs.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import dagster as dg
import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.full_disks import disk_full
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.stores import open_store
from collection_pipeline.tables.store import Store

KEPT_FOR_S = 60
"""Then they are opened again, so that a schema that somebody has migrated meanwhile is noticed."""

SensorOutcome = dg.SensorResult | dg.SkipReason
"""What a sensor that looked at the tables answers."""


class _Kept:
    """The stores that this process has open, for the settings that it last looked with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings: Settings | None = None
        self._opened_at = 0.0
        self._stack = ExitStack()
        self._store: Store | None = None

    def open(self, settings: Settings) -> Store:
        """The stores; those of other settings are closed. Raises PipelineError if they cannot be reached."""
        with self._lock:
            is_old = time.monotonic() - self._opened_at > KEPT_FOR_S
            if self._store is None or self._settings != settings or is_old:
                self._close()
                self._store = self._stack.enter_context(open_store(settings))
                self._settings, self._opened_at = settings, time.monotonic()
            return self._store

    def close(self) -> None:
        """Has the next look open them again, with a fresh look at the schema."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._store = self._settings = None
        self._stack.close()


_kept = _Kept()


@contextmanager
def kept_store(settings: Settings) -> Iterator[Store]:
    """The stores. Raises PipelineError if they cannot be reached."""
    try:
        yield _kept.open(settings)
    except (PipelineError, sa.exc.DBAPIError):
        _kept.close()
        raise


def with_store(settings: Settings, look: Callable[[Store], SensorOutcome]) -> SensorOutcome:
    """The result of a sensor's look at the tables; where they cannot be reached, a skip that moves no cursor."""
    try:
        with kept_store(settings) as store:
            return look(store)
    except PipelineError as error:
        return dg.SensorResult(skip_reason=str(error))
    except sa.exc.DBAPIError as error:
        if (full := disk_full(error)) is not None:
            return dg.SensorResult(skip_reason=str(full))
        return dg.SensorResult(skip_reason=f"The database failed ({type(error.orig).__name__}). It is tried again.")
