"""The rest between two rounds of the backfill daemon ends when there is something to do, and not before."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from collection_pipeline.orchestration.instance import prompt_backfills
from collection_pipeline.orchestration.instance.prompt_backfills import _Rest
from collection_pipeline.orchestration.instance.waking import LAST_RUN_ENDED
from collection_pipeline_tests.orchestration.conftest import Pipeline

LONG_S = 3600.0


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(prompt_backfills, "LOOKS_EVERY_S", 0.05)
    LAST_RUN_ENDED.clear()
    yield
    LAST_RUN_ENDED.clear()


def ask_for_backfill(instance: dg.DagsterInstance, name: str) -> None:
    asked = BulkActionStatus.REQUESTED
    backfill = PartitionBackfill(
        name, asked, from_failure=False, tags={}, backfill_timestamp=time.time(), asset_selection=[dg.AssetKey("a")]
    )
    instance.add_backfill(backfill)


def resting(rest: _Rest) -> threading.Thread:
    thread = threading.Thread(target=rest.wait, args=(LONG_S,), daemon=True)
    thread.start()
    return thread


def test_a_new_backfill_ends_the_rest_and_a_known_one_does_not(pipeline: Pipeline) -> None:
    shutdown = threading.Event()
    rest = _Rest(shutdown, pipeline.instance)
    for name in ("first", "second"):
        thread = resting(rest)
        thread.join(0.3)
        assert thread.is_alive()
        ask_for_backfill(pipeline.instance, name)
        thread.join(20)
        assert not thread.is_alive()
    thread = resting(rest)
    shutdown.set()
    thread.join(20)
    assert not thread.is_alive()


def test_once_the_last_run_has_ended_a_backfill_may_be_over(pipeline: Pipeline) -> None:
    rest = _Rest(threading.Event(), pipeline.instance)
    ask_for_backfill(pipeline.instance, "one")
    assert rest.wait(LONG_S) is False
    LAST_RUN_ENDED.set()
    assert rest.wait(LONG_S) is False
    assert not LAST_RUN_ENDED.is_set()


def test_without_a_backfill_the_end_of_runs_is_of_no_interest(pipeline: Pipeline) -> None:
    LAST_RUN_ENDED.set()
    began = time.monotonic()
    assert _Rest(threading.Event(), pipeline.instance).wait(0.5) is False
    assert time.monotonic() - began >= 0.2, "it rested all the same"
