"""Doing asynchronous work inside a step while its events are written beside it.

The work runs on an event loop in a thread of its own and hands its events over without waiting. The step's own thread
writes them: to `activity_events` first, then to Dagster's log, and as lines on standard error.
"""

import asyncio
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

import dagster as dg

from collection_pipeline.core.activity import Action, ActivityEvent, Emit, json_line
from collection_pipeline.core.collecting.category_work import CategoryWork
from collection_pipeline.core.collecting.stopping import StopSwitch
from collection_pipeline.core.errors import Stopped
from collection_pipeline.orchestration.event_log import RunEvent, log_run_events
from collection_pipeline.settings.pipeline import wants_json
from collection_pipeline.tables.store import Store

T = TypeVar("T")

WRITE_EVERY_S = 0.25
"""How long events may wait to be written together; well inside the 2 seconds of activity that a crash may lose."""

LOOK_EVERY_S = 0.5
GRACE_S = 1.0
"""With the look before it, a pause takes hold within two seconds, also while a page takes half a minute to come."""

_LEVELS = {Action.ERROR: logging.ERROR, Action.RATE_LIMITED: logging.WARNING, Action.PAUSED: logging.WARNING}


def run_work(
    context: dg.AssetExecutionContext,
    store: Store,
    work: CategoryWork,
    coroutine: Callable[[Emit, StopSwitch], Coroutine[Any, Any, T]],
) -> T:
    """Runs `coroutine(emit, stop)` and returns its result. Every event is written by the time this returns or raises.

    Once somebody has paused or cancelled the collection, or another run has taken over, the work gets a moment to
    finish the requests that are in flight, and Stopped is raised. An interruption of the step (a termination in the UI,
    Ctrl-C) cancels the work and waits for its clean end.
    """
    events: queue.SimpleQueue[ActivityEvent] = queue.SimpleQueue()
    stop = StopSwitch()
    worker = _LoopThread(coroutine(events.put, stop))
    watch = _Watch(lambda: store.control.require_wanted(work.collection_id, work.category, work.run_id))
    worker.start()
    try:
        while worker.is_alive() and not watch.is_over:
            worker.join(WRITE_EVERY_S)
            write_events(context, store, list(_drained(events)))
            if watch.wants_stop():
                stop.throw()
    finally:
        worker.cancel_and_join()
        write_events(context, store, list(_drained(events)))
    if watch.stopped is not None:
        raise watch.stopped
    return worker.result()


class _Watch:
    """Looks now and then whether the work is still wanted, and gives it a moment once it is not."""

    def __init__(self, require_wanted: Callable[[], None]) -> None:
        self._require_wanted = require_wanted
        self._looked_at = time.monotonic()
        self._gives_up_at = float("inf")
        self.stopped: Stopped | None = None

    def wants_stop(self) -> bool:
        if self.stopped is None and time.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            try:
                self._require_wanted()
            except Stopped as stopped:
                self.stopped = stopped
                self._gives_up_at = time.monotonic() + GRACE_S
        return self.stopped is not None

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._gives_up_at


def write_events(context: dg.AssetExecutionContext, store: Store, events: list[ActivityEvent]) -> None:
    """Writes events to the table, to Dagster's log and to standard error."""
    if not events:
        return
    store.activity.append(events)
    log_run_events(context, map(_run_event, events))
    line = json_line if wants_json(os.environ) else ActivityEvent.line
    print("\n".join(map(line, events)), file=sys.stderr, flush=True)


def _run_event(event: ActivityEvent) -> RunEvent:
    facts: dict[str, Any] = {
        "worker": event.worker_id,
        "action": event.action.value,
        "product": event.product_name,
        "items": event.items_count,
        "new_sellers": event.new_sellers_count,
        "duration_ms": event.duration_ms,
        "attempt": event.attempt,
        "error": event.error_message,
        "error_type": event.error_type,
        "error_stage": event.error_stage,
        "url": dg.MetadataValue.url(event.url) if event.url else None,
        "api_params": dg.MetadataValue.json(dict(event.api_params)) if event.api_params else None,
    }
    known = {name: value for name, value in facts.items() if value is not None}
    return RunEvent(event.line(), known, event.timestamp.timestamp(), _LEVELS.get(event.action, logging.INFO))


def _drained(events: "queue.SimpleQueue[ActivityEvent]") -> Iterator[ActivityEvent]:
    while True:
        try:
            yield events.get_nowait()
        except queue.Empty:
            return


class _LoopThread(threading.Thread, Generic[T]):
    """Runs one coroutine on an event loop of its own and keeps its result or error."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        super().__init__(name="collecting", daemon=True)
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(work)

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            # Errors stay in the task; `result` raises them in the thread that asked for the work.
            self._loop.run_until_complete(asyncio.wait([self._task]))
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    def cancel_and_join(self) -> None:
        if self.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self.join()

    def result(self) -> T:
        error = self._task.exception()
        if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            raise error.exceptions[0]
        return self._task.result()
