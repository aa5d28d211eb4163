"""A worker as people start it: it takes runs of its own version, each once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from collection_pipeline.orchestration.workers import code_version
from collection_pipeline.orchestration.workers.code_version import note_code_version
from collection_pipeline_tests.orchestration.conftest import Pipeline
from collection_pipeline_tests.orchestration.workers.conftest import run_of, send, the_launcher
from collection_pipeline_tests.running import COMMAND
from collection_pipeline_tests.waiting import await_true


@contextmanager
def worker() -> Iterator[subprocess.Popen[str]]:
    words = [COMMAND, "worker", "--concurrency", "2"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_run_that_comes_twice_is_executed_once_and_another_version_gets_none(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTION_HOME", str(tmp_path / "home"))
    note_code_version(pipeline.instance)
    run_id = send(pipeline)
    the_launcher(pipeline).send(run_of(pipeline, run_id))
    with worker() as process:
        await_true(lambda: run_of(pipeline, run_id).is_finished, 60, every_s=0.1)
        await_true(lambda: the_launcher(pipeline).messages_waiting() == 0, 60, every_s=0.1)
        assert run_of(pipeline, run_id).status is dg.DagsterRunStatus.SUCCESS
        begun = pipeline.instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_START)
        assert len(begun) == 1
        assert pipeline.rows("SELECT count(*) FROM run_leases") == [(0,)]
        pipeline.instance.daemon_cursor_storage.set_cursor_values({code_version._KEY: "0.0.1-another"})
        assert process.wait(60) == 1  # also one that is at work already
        assert process.stderr is not None
        said = process.stderr.read()
        assert "and the control plane of 0.0.1-another: it takes no more runs." in said
        assert "Install the control plane's version here, and start the worker again." in said
