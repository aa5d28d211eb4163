"""Backfills start and end at once, where Dagster's backfill daemon looks every 30 seconds.

Somebody who presses *Materialize* for some categories would see nothing for so long, and their collection would not end
before its backfill does.
"""

import threading
from contextlib import suppress
from typing import Any

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.workspace.context import IWorkspaceProcessContext
from dagster._daemon.daemon import BackfillDaemon, DaemonIterator

from collection_pipeline.orchestration.instance.waking import LAST_RUN_ENDED, SENSORS, SETTLED_WITHIN_S

LOOKS_EVERY_S = 2.0
"""One short query each time."""

_ASKED_FOR = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])


class PromptBackfillDaemon(BackfillDaemon):
    """Looks after backfills every 30 seconds, as soon as there is a new one, and when the last run has ended."""

    def core_loop(
        self, workspace_process_context: IWorkspaceProcessContext[Any], shutdown_event: threading.Event
    ) -> DaemonIterator:
        """Endless."""
        rest = _Rest(shutdown_event, workspace_process_context.instance)
        yield from super().core_loop(workspace_process_context, rest)


class _Rest(threading.Event):
    """A shutdown event that Dagster's loop waits for between two rounds: until there is something to do."""

    def __init__(self, shutdown: threading.Event, instance: dg.DagsterInstance) -> None:
        super().__init__()
        self._shutdown, self._instance, self._known = shutdown, instance, set[str]()

    def wait(self, timeout: float | None = None) -> bool:
        left_s = float("inf") if timeout is None else timeout
        while left_s > 0 and not self._shutdown.wait(min(left_s, LOOKS_EVERY_S)):
            left_s -= LOOKS_EVERY_S
            if self._has_a_new_one() or self._may_be_over():
                break
        return self._shutdown.is_set()

    def _has_a_new_one(self) -> bool:
        before = self._known
        with suppress(Exception):  # the database is away: the daemon's own look says so
            self._known = {one.backfill_id for one in self._instance.get_backfills(filters=_ASKED_FOR)}
        return bool(self._known - before)

    def _may_be_over(self) -> bool:
        if not LAST_RUN_ENDED.is_set():
            return False
        LAST_RUN_ENDED.clear()
        if self._known:
            SENSORS.ring(within_s=SETTLED_WITHIN_S)  # the collection ends with its backfill
        return bool(self._known)
