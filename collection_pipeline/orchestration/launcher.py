"""Starts each run by a fork of a warm process, in place of a process that imports everything anew.

COLLECTION_LAUNCHER=fork, the default. There is one process per run, as with Dagster's default launcher, which still
does the work where a fork is not safe (macOS), and for code of another Python environment. What differs: the runs are
not the code server's children, so they survive its reload and its death.
"""

import socket
import sys
import threading
from contextlib import suppress
from functools import partial

import dagster as dg
from dagster._core.errors import DagsterLaunchFailedError
from dagster._core.instance import InstanceRef
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.remote_representation.code_location import GrpcServerCodeLocation
from dagster._core.workspace.context import BaseWorkspaceRequestContext
from dagster._serdes import deserialize_value, serialize_value
from dagster._utils import get_run_crash_explanation

from collection_pipeline.orchestration.instance.forking import WarmClient, WarmProcessEnded
from collection_pipeline.orchestration.instance.run_process import RunProcess
from collection_pipeline.orchestration.instance.waking import run_ended, run_lost

_clients: dict[str, WarmClient] = {}
"""The warm process of each version of each code location, by the id of its code server."""

_lock = threading.Lock()


class ForkingRunLauncher(DefaultRunLauncher):
    """Forks runs from a warm process."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Starts a run. Raises DagsterLaunchFailedError where no process could be started."""
        run = context.dagster_run
        origin = run.job_code_origin
        if sys.platform != "linux" or origin is None or origin.executable_path != sys.executable:
            super().launch_run(context)
            return
        try:
            process_id = self._fork(_code_version(context), run.run_id, serialize_value(origin))
        except (WarmProcessEnded, TimeoutError, OSError) as error:
            raise DagsterLaunchFailedError(  # type: ignore[no-untyped-call]
                f"No process could be started for the run {run.run_id} ({error}). The daemon's log says why; start the "
                "run again once that is mended."
            ) from error
        if process := RunProcess.of(process_id):
            self._instance.add_run_tags(run.run_id, process.as_tags())

    def _fork(self, version: str, run_id: str, serialized_origin: str) -> int:
        ref = serialize_value(self._instance.get_ref())
        try:
            return _client(ref, version).start(run_id, serialized_origin)
        except WarmProcessEnded:  # killed at this moment: another one takes its place
            return _client(ref, version).start(run_id, serialized_origin)

    def terminate(self, run_id: str) -> bool:
        """Interrupts a run's process, from any process on its machine; whether it was there."""
        run = self._instance.get_run_by_id(run_id)
        process = None if run is None else RunProcess.in_tags(run.tags)
        if run is None or process is None or run.is_finished:
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
        self._instance.report_run_canceling(run)
        if process.is_here and process.interrupt():
            return True
        self._instance.report_engine_event(
            f"The process {process.process_id} on {process.host} cannot be interrupted from {socket.gethostname()}.",
            run,
        )
        return False

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring asks for the runs of a warm process that has died with them, or without."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether a run's process lives. Unknown ones are believed to: their launcher reports their ends itself."""
        process = RunProcess.in_tags(run.tags)
        if process is None or not process.is_here or process.is_alive:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        run_lost()
        return CheckRunHealthResult(WorkerStatus.FAILED, f"{process} is gone.")


def warm_up(workspace: BaseWorkspaceRequestContext) -> None:
    """Starts a warm process for the code there is, so that the first run need not wait for it."""
    if not isinstance(workspace.instance.run_launcher, ForkingRunLauncher):
        return
    for location in workspace.code_locations:
        if isinstance(location, GrpcServerCodeLocation) and sys.platform == "linux":
            _client(serialize_value(workspace.instance.get_ref()), _server_id(location))


def _code_version(context: LaunchRunContext) -> str:
    """What stands for a run's code: another version after each reload."""
    origin = context.dagster_run.remote_job_origin
    if context.workspace is None or origin is None:
        return ""
    location = context.workspace.get_code_location(origin.repository_origin.code_location_origin.location_name)
    return _server_id(location) if isinstance(location, GrpcServerCodeLocation) else ""


def _server_id(location: GrpcServerCodeLocation) -> str:
    """The id of a location's code server: another one after each reload."""
    with suppress(Exception):  # it is being started again: what was last heard of it does as well
        return location.client.get_server_id()
    return location.server_id


def _client(serialized_ref: str, version: str) -> WarmClient:
    """The warm process for a version of the code. Those of former versions end with their runs."""
    with _lock:
        client = _clients.get(version)
        if client is None or not client.is_alive:
            for former in _clients.values():
                former.retire()
            _clients.clear()
            client = _clients[version] = WarmClient(serialized_ref, partial(_report_end, serialized_ref))
        return client


def _report_end(serialized_ref: str, run_id: str, code: int) -> None:
    """Fails a run whose process ended before it could report that itself."""
    run_ended(is_last=not any(client.has_runs for client in list(_clients.values())))
    if code == 0:
        return
    with dg.DagsterInstance.from_ref(deserialize_value(serialized_ref, InstanceRef)) as instance:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            message = get_run_crash_explanation(f"Run execution process for {run_id}", code)
            instance.report_engine_event(message, run)
            instance.report_run_failed(run)
