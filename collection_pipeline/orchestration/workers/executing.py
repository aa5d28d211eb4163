"""What a worker's process does with a message: takes the run's lease, and works on it as a forked run does."""

import logging
import os
import socket
from functools import cache

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository

from collection_pipeline.orchestration.instance.warm_process import execute
from collection_pipeline.orchestration.workers.lease_keeping import lease_kept
from collection_pipeline.tables.server.run_leases import RunLeases

DEFINITIONS = "collection_pipeline.definitions"

logger = logging.getLogger(__name__)


def execute_once(instance: dg.DagsterInstance, leases: RunLeases, run_id: str) -> int | None:
    """The run's exit code; None for a run that another process has, or has had."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    with lease_kept(leases, run_id, holder) as is_mine:
        if not is_mine:
            logger.warning("Another worker has the run %s; this message came twice.", run_id)
            return None
        run = instance.get_run_by_id(run_id)
        if run is None or run.status not in (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED):
            return None  # it is over: its message came late
        repository = _repository().get_reconstructable_job(run.job_name)
        return execute(instance, run_id, repository.get_python_origin())


@cache
def _repository() -> ReconstructableRepository:
    """This machine's own code, wherever the control plane has its."""
    return ReconstructableRepository.for_module(DEFINITIONS, "defs")


def build_repository() -> None:
    """Imports the definitions and builds them, for all processes that are forked from this one."""
    _repository().get_definition()
