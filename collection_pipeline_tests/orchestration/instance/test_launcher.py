"""Runs forked from a warm process: started, ended, killed, interrupted, and never of old code."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import dagster as dg
import psutil
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.errors import DagsterInvariantViolationError
from dagster._core.launcher import LaunchRunContext, WorkerStatus
from dagster._serdes import serialize_value

from collection_pipeline.core.collecting.collections import CategoryStatus, CategoryUnit, RunState
from collection_pipeline.core.watching.cursors import LogCursor
from collection_pipeline.definitions import defs
from collection_pipeline.orchestration import launcher
from collection_pipeline.orchestration.collecting.runs import category_runs
from collection_pipeline.orchestration.instance.forking import WarmClient
from collection_pipeline.orchestration.instance.run_process import PROCESS_TAG, RunProcess
from collection_pipeline.orchestration.launcher import ForkingRunLauncher
from collection_pipeline.orchestration.run_tags import COLLECTION_TAG, STOPPED_TAG
from collection_pipeline.orchestration.watching.incidents import failed_runs
from collection_pipeline_tests.orchestration.conftest import SMALL, Pipeline
from collection_pipeline_tests.waiting import await_true

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

SLOW = replace(SMALL, ebay_latency_s=10.0)
COUNT = "sellers_count"
COLLECT = "category_collect"


@pytest.fixture(autouse=True)
def warm(pipeline: Pipeline) -> Iterator[None]:
    """No warm process outlives its test, nor do runs."""
    yield
    for run in pipeline.instance.get_runs():
        if process := RunProcess.in_tags(run.tags):
            process.interrupt()
    clients = list(launcher._clients.values())
    launcher._clients.clear()
    for client in clients:
        client.retire()
        await_true(lambda client=client: not client.is_alive, 60)  # type: ignore[misc]


def create(pipeline: Pipeline, job: str, category: str | None = None, executable: str | None = None) -> str:
    """A run as the daemon finds it in the queue; its id."""
    repository = ReconstructableRepository.for_module("collection_pipeline.definitions", "defs")
    origin = repository.get_reconstructable_job(job).get_python_origin()
    if executable is not None:
        origin = origin._replace(repository_origin=origin.repository_origin._replace(executable_path=executable))
    tags = {COLLECTION_TAG: "c1", "dagster/partition": category} if category else {}
    run = pipeline.instance.create_run_for_job(
        defs.resolve_job_def(job), tags=tags, status=dg.DagsterRunStatus.STARTING, job_code_origin=origin
    )
    return run.run_id


def launch(pipeline: Pipeline, run_id: str) -> None:
    the_launcher(pipeline).launch_run(LaunchRunContext(run_of(pipeline, run_id), None))


def start(pipeline: Pipeline, job: str, category: str | None = None) -> str:
    run_id = create(pipeline, job, category)
    launch(pipeline, run_id)
    return run_id


def start_slow(pipeline: Pipeline) -> tuple[str, RunProcess]:
    """A run in the middle of its searches, and its process."""
    run_id = start(pipeline, COLLECT, "home-coffee")
    await_true(lambda: "ebay.search" in pipeline.simulator.stats()["requests"], 60)
    process = RunProcess.in_tags(run_of(pipeline, run_id).tags)
    assert process is not None
    return run_id, process


def the_launcher(pipeline: Pipeline) -> ForkingRunLauncher:
    return cast(ForkingRunLauncher, pipeline.instance.run_launcher)


def run_of(pipeline: Pipeline, run_id: str) -> dg.DagsterRun:
    run = pipeline.instance.get_run_by_id(run_id)
    assert run is not None
    return run


def await_end(pipeline: Pipeline, run_id: str) -> dg.DagsterRunStatus:
    await_true(lambda: run_of(pipeline, run_id).is_finished, 60, every_s=0.1)
    return run_of(pipeline, run_id).status


def messages(pipeline: Pipeline, run_id: str) -> str:
    return "\n".join(entry.message or entry.user_message for entry in pipeline.instance.all_logs(run_id))


def the_client() -> WarmClient:
    [client] = launcher._clients.values()
    return client


def test_runs_are_forked_from_one_process_with_one_thread(pipeline: Pipeline) -> None:
    runs = [start(pipeline, COUNT) for _ in range(3)]
    assert {await_end(pipeline, run_id) for run_id in runs} == {dg.DagsterRunStatus.SUCCESS}
    warm = psutil.Process(the_client().process_id)
    processes = {int(*re.findall(r"Started process for run \(pid: (\d+)\)", messages(pipeline, one))) for one in runs}
    assert len(processes) == 3
    assert warm.pid not in processes
    assert warm.num_threads() == 1
    assert pipeline.rows("SELECT count(*) FROM seller_count_snapshots") == [(3,)]


@pytest.mark.parametrize("simulator", [SLOW], indirect=True)
def test_a_killed_run_is_reported_at_once(pipeline: Pipeline) -> None:
    run_id, process = start_slow(pipeline)
    os.kill(process.process_id, signal.SIGKILL)
    assert await_end(pipeline, run_id) is dg.DagsterRunStatus.FAILURE
    assert "terminated by signal 9 (SIGKILL)" in messages(pipeline, run_id)


@pytest.mark.parametrize("simulator", [SLOW], indirect=True)
def test_runs_survive_their_warm_process_and_another_one_takes_its_place(pipeline: Pipeline) -> None:
    run_id, process = start_slow(pipeline)
    former = the_client()
    os.kill(former.process_id, signal.SIGKILL)
    assert await_end(pipeline, start(pipeline, COUNT)) is dg.DagsterRunStatus.SUCCESS
    assert the_client().process_id != former.process_id
    check = the_launcher(pipeline).check_run_worker_health
    assert check(run_of(pipeline, run_id)).status is WorkerStatus.RUNNING
    os.kill(process.process_id, signal.SIGKILL)  # nobody is left to report it: run monitoring asks
    await_true(lambda: check(run_of(pipeline, run_id)).status is WorkerStatus.FAILED)


@pytest.mark.parametrize("simulator", [SLOW], indirect=True)
def test_a_run_can_be_interrupted(pipeline: Pipeline) -> None:
    run_id, process = start_slow(pipeline)
    assert the_launcher(pipeline).terminate(run_id)
    assert await_end(pipeline, run_id) is dg.DagsterRunStatus.CANCELED
    await_true(lambda: not process.is_alive, 30)
    assert not the_launcher(pipeline).terminate(run_id)


@pytest.mark.parametrize("simulator", [SLOW], indirect=True)
def test_reloaded_code_gets_another_warm_process_and_the_former_one_ends_with_its_runs(pipeline: Pipeline) -> None:
    run_id, process = start_slow(pipeline)
    former = the_client()
    ref = serialize_value(pipeline.instance.get_ref())
    assert launcher._client(ref, "reloaded") is not former
    assert former.is_alive
    os.kill(process.process_id, signal.SIGKILL)
    assert await_end(pipeline, run_id) is dg.DagsterRunStatus.FAILURE  # the former one still reports
    await_true(lambda: not former.is_alive, 30)


@pytest.mark.parametrize("simulator", [SLOW], indirect=True)
def test_a_run_whose_process_is_told_to_stop_has_not_failed_and_starts_again(pipeline: Pipeline) -> None:
    run_id, process = start_slow(pipeline)
    os.kill(the_client().process_id, signal.SIGTERM)  # as when a machine stops: it still hears how its runs end
    os.kill(process.process_id, signal.SIGTERM)
    assert await_end(pipeline, run_id) is dg.DagsterRunStatus.CANCELED
    assert the_client().is_alive
    assert run_of(pipeline, run_id).tags[STOPPED_TAG] == "interrupted"
    [fact] = category_runs(pipeline.instance, "c1", pipeline.store.collections.units("c1"))
    assert fact.state is RunState.INTERRUPTED
    assert pipeline.rows("SELECT status, reason FROM collection_categories") == [("running", None)]
    assert pipeline.rows("SELECT count(*) FROM activity_events WHERE action IN ('error', 'paused')") == [(0,)]


@pytest.mark.parametrize("simulator", [SLOW], indirect=True)
def test_a_run_that_is_told_to_stop_as_soon_as_it_is_there_says_so_too(pipeline: Pipeline) -> None:
    assert await_end(pipeline, start(pipeline, COUNT)) is dg.DagsterRunStatus.SUCCESS  # the warm process is warm
    run_id = start(pipeline, COLLECT, "home-coffee")
    process = RunProcess.in_tags(run_of(pipeline, run_id).tags)
    assert process is not None
    os.kill(process.process_id, signal.SIGTERM)
    await_end(pipeline, run_id)
    began_at = datetime.fromtimestamp(process.created, UTC)
    asked_for = CategoryUnit("home-coffee", CategoryStatus.PLANNED, starts=(began_at,), is_asked_for=True)
    [fact] = category_runs(pipeline.instance, "c1", [asked_for])
    assert fact.state is RunState.INTERRUPTED
    assert failed_runs(pipeline.instance, LogCursor(datetime.fromtimestamp(0, UTC), {})) == []  # nobody is called


def test_code_of_another_python_is_left_to_the_default_launcher(pipeline: Pipeline) -> None:
    run_id = create(pipeline, COUNT, executable="/another/python")
    with pytest.raises(DagsterInvariantViolationError, match="DefaultRunLauncher"):
        launch(pipeline, run_id)
    assert not launcher._clients
    assert PROCESS_TAG not in run_of(pipeline, run_id).tags
