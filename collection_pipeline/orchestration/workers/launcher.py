"""Sends runs to workers: dagster-celery's launcher, and what it leaves open.

Its own task has a run worked on as often as the broker delivers it, its health check takes a run of a worker that was
killed for a running one, its termination needs the broker and leaves the run "started", and where the broker is away
the run has failed. Here the lease of the run (tables/server/run_leases.py) answers all four.
"""

import logging
from functools import cached_property
from typing import Any

import dagster as dg
from celery import Celery
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from kombu.exceptions import OperationalError

from collection_pipeline.orchestration.instance.run_process import RunProcess
from collection_pipeline.orchestration.instance.waking import run_lost
from collection_pipeline.orchestration.workers.broker import TASK, app_arguments, messages_waiting
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.locating import named_database
from collection_pipeline.tables.server.run_leases import RunLeases

logger = logging.getLogger(__name__)


class WorkerRunLauncher(CeleryRunLauncher):
    """Sends runs to workers."""

    celery: Celery

    def __init__(self, broker_url: str, settings: Settings, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(**app_arguments(broker_url), inst_data=inst_data)
        self._settings = settings

    @cached_property
    def leases(self) -> RunLeases:
        """The runs that workers have."""
        return RunLeases(create_engine(named_database(self._settings)))

    def launch_run(self, context: LaunchRunContext) -> None:
        """Sends a run. Where the broker is away it is sent later (resending.py)."""
        self.send(context.dagster_run)

    def send(self, run: dg.DagsterRun) -> None:
        """Sends a run to whichever worker is free. It may be sent more than once."""
        try:
            self._launch_celery_task_run(run, self.celery.signature(TASK, args=(run.run_id,)), TASK)
        except OperationalError as error:
            logger.warning("The broker does not answer (%s); runs are sent once it does.", type(error).__name__)
            self._instance.report_engine_event(
                "The broker does not answer. The run is sent once it does.", run, cls=self.__class__
            )

    def messages_waiting(self) -> int:
        """How many messages no worker has taken yet. Raises OperationalError where the broker does not answer."""
        return messages_waiting(self.celery)

    def terminate(self, run_id: str) -> bool:
        """Stops a run, wherever it is; whether it was there to be stopped. Needs no broker."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if not self.leases.stop(run_id):
            self._instance.report_run_canceled(run, "No worker had it yet.")
        return True

    @property
    def supports_resume_run(self) -> bool:
        """Runs go on by themselves, as a new attempt at their category."""
        return False

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether a worker has the run. One that was forked before workers were used is believed to be at work."""
        if RunProcess.in_tags(run.tags) or self.leases.held([run.run_id]):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        run_lost()
        return CheckRunHealthResult(WorkerStatus.FAILED, "Its worker is gone.")

    def get_run_worker_debug_info(self, run: dg.DagsterRun, include_container_logs: bool | None = True) -> str | None:
        """Nothing: the worker's log has it."""
        del run, include_container_logs
        return None

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No configuration: settings say everything."""
        return {}
