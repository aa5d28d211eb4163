"""A Redis of the session's own, and a Dagster instance that sends its runs there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

import dagster as dg
import pytest
import redis
from dagster._core.definitions.reconstruct import ReconstructableRepository

from collection_pipeline.definitions import defs
from collection_pipeline.orchestration.workers.launcher import WorkerRunLauncher
from collection_pipeline.processes.running_services import free_port
from collection_pipeline_tests.orchestration.conftest import Pipeline
from collection_pipeline_tests.waiting import await_true


class RedisServer:
    """A Redis that keeps nothing when it is stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.client = redis.Redis(port=self._port)
        self.start()

    def start(self) -> None:
        words = ["redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(words, cwd=self._folder, stdout=subprocess.DEVNULL)
        await_true(self._answers, 20)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError):
            return bool(self.client.ping())
        return False


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a test's pipeline send its runs to workers."""
    if "pipeline" not in request.fixturenames:
        return
    broker: RedisServer = request.getfixturevalue("broker")
    broker.client.flushall()
    monkeypatch.setenv("COLLECTION_LAUNCHER", "celery")
    monkeypatch.setenv("COLLECTION_BROKER_URL", broker.url)


def the_launcher(pipeline: Pipeline) -> WorkerRunLauncher:
    return cast(WorkerRunLauncher, pipeline.instance.run_launcher)


def run_of(pipeline: Pipeline, run_id: str) -> dg.DagsterRun:
    run = pipeline.instance.get_run_by_id(run_id)
    assert run is not None
    return run


def send(pipeline: Pipeline, job: str = "sellers_count") -> str:
    """A run as the daemon finds it in the queue, sent; its id."""
    repository = ReconstructableRepository.for_module("collection_pipeline.definitions", "defs")
    origin = repository.get_reconstructable_job(job).get_python_origin()
    run = pipeline.instance.create_run_for_job(
        defs.resolve_job_def(job), status=dg.DagsterRunStatus.STARTING, job_code_origin=origin
    )
    the_launcher(pipeline).send(run)
    return run.run_id
