"""Dagster's daemon, woken by announcements: `up` starts `python -m collection_pipeline.orchestration.instance.daemon`.

`dagster-daemon run` does the same work, but looks for it every few seconds, whether there is any or not: a collection
starts later, a finished run's place stays empty for longer, and doing nothing costs more.
"""

import sys
import threading
from collections.abc import Generator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import dagster as dg
from dagster._core.workspace.context import IWorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.controller import create_daemons_from_instance, daemon_controller_from_instance
from dagster._daemon.daemon import BackfillDaemon, DagsterDaemon, SensorDaemon, SpanMarker
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster._utils.interrupts import capture_interrupts, setup_interrupt_handlers
from dagster_shared.error import SerializableErrorInfo

from collection_pipeline.orchestration.collecting.runs import limit_pool
from collection_pipeline.orchestration.instance.code_watching import ask_rarely
from collection_pipeline.orchestration.instance.prompt_backfills import PromptBackfillDaemon
from collection_pipeline.orchestration.instance.recovery import fail_dead_runs
from collection_pipeline.orchestration.instance.waking import QUEUE, SENSORS, listen_in_background
from collection_pipeline.orchestration.launcher import warm_up
from collection_pipeline.orchestration.project_launcher import launcher_daemons

Context = IWorkspaceProcessContext[Any]

Beats = Generator[SerializableErrorInfo | SpanMarker | None, None, None]
"""What a loop yields now and then, so that Dagster sees that it lives."""

SENSORS_REST_S = 30.0
QUEUE_RESTS_S = 2.0
"""The longest that each loop rests. Runs that the UI puts into the queue are not announced."""


class WokenSensorDaemon(SensorDaemon):
    """Evaluates sensors when it is woken, and now and then."""

    def core_loop(self, workspace_process_context: Context, shutdown_event: threading.Event) -> Beats:
        """Endless; the rests between its rounds end early when SENSORS rings."""
        with suppress(Exception):  # then the first run has it started
            warm_up(workspace_process_context.create_request_context())
        for beat in super().core_loop(workspace_process_context, _Resting(shutdown_event)):
            QUEUE.ring(is_news=False)  # a run may have been put into the queue since the beat before
            yield beat


class _Resting(threading.Event):
    """A shutdown event that Dagster's loop waits for between two rounds, however long it wants to."""

    def __init__(self, shutdown: threading.Event) -> None:
        super().__init__()
        self._shutdown = shutdown

    def wait(self, timeout: float | None = None) -> bool:
        del timeout
        SENSORS.rest(self._shutdown, SENSORS_REST_S)
        return self._shutdown.is_set()


class WokenQueueDaemon(QueuedRunCoordinatorDaemon):
    """Starts queued runs when one has come or ended, and now and then."""

    def core_loop(self, workspace_process_context: Context, shutdown_event: threading.Event) -> Beats:
        """Endless; the rests between its rounds end early when QUEUE rings."""
        while True:
            yield SpanMarker.START_SPAN
            try:
                yield from self.run_iteration(workspace_process_context)
            except Exception:
                error = serializable_error_info_from_exc_info(sys.exc_info())
                self._logger.error("The queue could not be looked at:\n%s", error)
                yield error
            yield SpanMarker.END_SPAN
            QUEUE.rest(shutdown_event, QUEUE_RESTS_S)
            yield None


def woken_daemons(instance: dg.DagsterInstance) -> list[DagsterDaemon[Any]]:
    """The daemons that the instance needs, three of them in a form of ours, and those that its launcher needs."""
    needed = [_woken(daemon, instance) for daemon in create_daemons_from_instance(instance)]
    return [*needed, *launcher_daemons()]


def _woken(daemon: DagsterDaemon[Any], instance: dg.DagsterInstance) -> DagsterDaemon[Any]:
    match daemon:
        case SensorDaemon():
            return WokenSensorDaemon(instance.get_sensor_settings())
        case QueuedRunCoordinatorDaemon():
            return WokenQueueDaemon(interval_seconds=QUEUE_RESTS_S)
        case BackfillDaemon():
            return PromptBackfillDaemon(instance.get_backfill_settings())
    return daemon


@click.command()
@click.option("--workspace", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--session-began-at", help="When, in ISO format. Runs from before that have no process are failed.")
@click.option("--log-format", type=click.Choice(["colored", "json", "rich"]), default="colored")
def main(workspace: Path, session_began_at: str | None, log_format: str) -> None:
    """Run Dagster's daemons until Ctrl-C."""
    setup_interrupt_handlers()
    ask_rarely()
    target = WorkspaceFileTarget([str(workspace)])
    with suppress(KeyboardInterrupt), capture_interrupts(), dg.DagsterInstance.get() as instance:
        if session_began_at is not None:
            fail_dead_runs(instance, datetime.fromisoformat(session_began_at))
        limit_pool(instance)  # while nobody looks at the queue
        listen_in_background()
        with daemon_controller_from_instance(
            instance, target, gen_daemons=woken_daemons, log_format=log_format
        ) as controller:
            controller.check_daemon_loop()


if __name__ == "__main__":
    main()
