"""The services that `up` keeps running: which, with what commands, settings and files.

Dagster's own `dagster dev` starts the same processes, but stops all of them when one dies, and does not notice when the
one that has loaded the code does. Here each is a service of its own, and the code server's address stays, so that the
others find its successor.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import yaml

from collection_pipeline import __version__
from collection_pipeline.commands.server.instance_file import write_instance_file
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.processes.supervising import Service, Supervisor
from collection_pipeline.settings.pipeline import wants_json
from collection_pipeline.tables.server.private_folders import write_private

HOST = "127.0.0.1"
READY_WITHIN_S = 120
LOCATION = "collection_pipeline"
CODE = "collection_pipeline.definitions"

_PYTHON = (sys.executable, "-m")


@dataclass(frozen=True)
class DagsterFiles:
    """The files by which Dagster's processes know their storage and find each other."""

    home: Path
    code_socket: Path
    """Where the code server listens. Its folder keeps others away: who reaches it can run the code."""

    @property
    def workspace(self) -> Path:
        """The file that leads web server and daemon to the code server."""
        return self.home / "workspace.yaml"

    def write(self, configuration: str) -> None:
        """Writes them, with this dagster.yaml."""
        write_instance_file(self.home, configuration)
        location = {
            "location_name": LOCATION,
            "host": "localhost",
            "socket": str(self.code_socket),
            "additional_metadata": {"module_name": CODE, "version": __version__},  # the UI shows both
        }
        write_private(self.workspace, yaml.safe_dump({"load_from": [{"grpc_server": location}]}))


def simulator_service(url: str, day: int, environment: Mapping[str, str]) -> Service:
    """A marketplace for those who have no account. Started again it answers the same, and has counted nothing yet."""
    command = (*_PYTHON, "collection_pipeline.simulator", "--port", str(urlsplit(url).port), "--day", str(day))
    return Service("simulator", command, environment)


def feed_service(port: int, environment: Mapping[str, str]) -> Service:
    """The live activity page."""
    return Service("feed", (*_PYTHON, "collection_pipeline.feed", "--host", HOST, "--port", str(port)), environment)


def code_service(files: DagsterFiles, environment: Mapping[str, str]) -> Service:
    """The process that answers for the code, and beneath it the one that has loaded it: another one after a reload."""
    command = (
        *(*_PYTHON, "dagster", "code-server", "start", "--socket", str(files.code_socket)),
        *("--module-name", CODE, "--location-name", LOCATION, "--use-python-environment-entry-point"),
        *("--log-level", "warning", *_log_format()),
    )
    return Service("code", command, environment, works_in_child=True)


def webserver_service(port: int, files: DagsterFiles, environment: Mapping[str, str]) -> Service:
    """Dagster's UI."""
    command = (
        *(*_PYTHON, "collection_pipeline.orchestration.instance.webserver", "--host", HOST, "--port", str(port)),
        *("--workspace", str(files.workspace), *_log_format()),
    )
    return Service("webserver", command, environment)


def daemon_service(
    files: DagsterFiles, environment: Mapping[str, str], *, session_began_at: datetime | None
) -> Service:
    """Dagster's daemon, which evaluates sensors and schedules and starts the runs.

    It fails runs from before the session that have no process any more, where somebody says when that began.
    """
    module = "collection_pipeline.orchestration.instance.daemon"
    session = () if session_began_at is None else ("--session-began-at", session_began_at.isoformat())
    command = (*_PYTHON, module, "--workspace", str(files.workspace), *session, *_log_format())
    return Service("daemon", command, environment, has_runs=True)


def worker_service(concurrency: int, environment: Mapping[str, str]) -> Service:
    """A worker on this machine. When everything stops, its runs are handed back at once, as forked ones are."""
    command = (*_PYTHON, "collection_pipeline.orchestration.workers.worker", "--concurrency", str(concurrency))
    return Service("worker", command, {**environment, "COLLECTION_WORKER_GRACE_S": "0"}, has_runs=True)


def await_answer(address: str, supervisor: Supervisor) -> None:
    """Until a service answers. Raises PipelineError if it does not, or any of them has died."""
    _await(lambda: _answers(address), address, supervisor)


def await_file(file: Path, supervisor: Supervisor) -> None:
    """Until a service has made a file. Raises PipelineError if it does not, or any of them has died."""
    _await(file.exists, str(file), supervisor)


def _await(is_there: Callable[[], bool], what: str, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not is_there():
        supervisor.require_alive()
        if time.monotonic() > deadline:
            raise PipelineError(f"{what} was not there within {READY_WITHIN_S} s; see the logs in {supervisor.logs}.")
        time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).is_success
    except httpx.TransportError:
        return False


def log_line(sentence: str) -> str:
    """A sentence of `up`'s own, as it stands in a service's log."""
    if not wants_json(os.environ):
        return f"collection-pipeline up: {sentence}"
    return json.dumps({"level": "warning", "logger": "collection-pipeline up", "message": sentence})


def _log_format() -> tuple[str, str]:
    return "--log-format", "json" if wants_json(os.environ) else "colored"
