"""A daemon that sends runs again which the broker has lost, as a Redis that was emptied or restarted has."""

import logging
from collections.abc import Generator
from typing import Any

import dagster as dg
from dagster._core.workspace.context import IWorkspaceProcessContext
from dagster._daemon.daemon import IntervalDaemon, SpanMarker
from dagster_shared.error import SerializableErrorInfo
from kombu.exceptions import OperationalError

from collection_pipeline.orchestration.instance.run_process import RunProcess
from collection_pipeline.orchestration.workers.code_version import note_code_version
from collection_pipeline.orchestration.workers.launcher import WorkerRunLauncher

LOOKS_EVERY_S = 5

logger = logging.getLogger(__name__)


class ResendingDaemon(IntervalDaemon[IWorkspaceProcessContext[Any]]):
    """Looks every few seconds for runs that no worker has and no message is under way for."""

    def __init__(self) -> None:
        super().__init__(interval_seconds=LOOKS_EVERY_S)
        self._waited: frozenset[str] = frozenset()
        """Runs that waited for a worker when they were looked at last."""

    @classmethod
    def daemon_type(cls) -> str:
        """What its signs of life are written down as."""
        return "RESENDING"

    def run_iteration(
        self, workspace_process_context: IWorkspaceProcessContext[Any]
    ) -> Generator[SerializableErrorInfo | SpanMarker | None, None, None]:
        """One look."""
        instance = workspace_process_context.instance
        launcher = instance.run_launcher
        assert isinstance(launcher, WorkerRunLauncher)
        note_code_version(instance)
        self._waited = send_lost(instance, launcher, self._waited)
        yield None


def send_lost(instance: dg.DagsterInstance, launcher: WorkerRunLauncher, waited: frozenset[str]) -> frozenset[str]:
    """Sends again what waits, and `waited` before, if fewer messages are under way; all that waits now.

    A run that somebody has just sent, or has just been taken, waits for a moment without a message.
    """
    waiting = runs_without_worker(instance, launcher)
    longer = [run for run in waiting if run.run_id in waited]
    try:
        if longer and launcher.messages_waiting() < len(waiting):
            for run in longer:
                launcher.send(run)
    except OperationalError as error:
        logger.warning("The broker does not answer (%s): %d runs wait for it.", type(error).__name__, len(waiting))
    return frozenset(run.run_id for run in waiting)


def runs_without_worker(instance: dg.DagsterInstance, launcher: WorkerRunLauncher) -> list[dg.DagsterRun]:
    """Runs that have been sent and that no worker has taken."""
    sent = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING]))
    held = launcher.leases.held([run.run_id for run in sent])
    return [run for run in sent if run.run_id not in held and RunProcess.in_tags(run.tags) is None]
