"""One setting says what starts runs, and one how many."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher

from collection_pipeline.orchestration.catalogue.partitions import MARKETPLACE_POOL
from collection_pipeline.orchestration.collecting.runs import limit_pool
from collection_pipeline.orchestration.launcher import ForkingRunLauncher
from collection_pipeline.orchestration.workers.launcher import WorkerRunLauncher
from collection_pipeline_tests.orchestration.conftest import Pipeline


@pytest.mark.parametrize(
    ("chosen", "kind"), [("", ForkingRunLauncher), ("default", DefaultRunLauncher), ("celery", WorkerRunLauncher)]
)
def test_the_setting_names_the_launcher(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, chosen: str, kind: type
) -> None:
    monkeypatch.setenv("COLLECTION_LAUNCHER", chosen)
    monkeypatch.setenv("COLLECTION_BROKER_URL", "redis://127.0.0.1:1/0")
    with dg.DagsterInstance.from_ref(pipeline.instance.get_ref()) as instance:
        assert type(instance.run_launcher) is kind


def test_another_number_of_runs_holds_for_a_pool_that_is_there_unless_somebody_chose_one(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    limit_pool(pipeline.instance)
    assert limit(pipeline.instance) == 5
    file = tmp_path / "dagster.yaml"
    configuration = yaml.safe_load(file.read_text())
    configuration["concurrency"]["pools"]["default_limit"] = 8
    file.write_text(yaml.safe_dump(configuration))
    with dg.DagsterInstance.get() as instance:
        limit_pool(instance)
        assert limit(instance) == 8
        instance.event_log_storage.set_concurrency_slots(MARKETPLACE_POOL, 3)  # as the UI does
        limit_pool(instance)
        assert limit(instance) == 3


def limit(instance: dg.DagsterInstance) -> int:
    [pool] = [pool for pool in instance.event_log_storage.get_pool_limits() if pool.name == MARKETPLACE_POOL]
    return pool.limit
