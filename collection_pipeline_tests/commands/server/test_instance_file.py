"""What Dagster's instance is told: one number of runs, wherever that is needed."""

from __future__ import annotations

from pathlib import Path

import yaml

from collection_pipeline.commands.server.instance_file import OUR_DAGSTER_YAML, instance_configuration
from collection_pipeline.settings.runs import RunSettings


def test_the_file_of_the_package_says_what_the_settings_say_without_any(tmp_path: Path) -> None:
    assert yaml.safe_load(instance_configuration(tmp_path, RunSettings())) == yaml.safe_load(
        OUR_DAGSTER_YAML.read_text()
    )


def test_the_number_of_runs_is_the_setting(tmp_path: Path) -> None:
    configuration = yaml.safe_load(instance_configuration(tmp_path, RunSettings(max_runs=12)))
    assert configuration["concurrency"]["pools"]["default_limit"] == 12
    assert configuration["concurrency"]["runs"]["max_concurrent_runs"] == 14


def test_a_run_waits_for_a_worker_longer_than_for_a_process(tmp_path: Path) -> None:
    forked = yaml.safe_load(instance_configuration(tmp_path, RunSettings()))
    sent = yaml.safe_load(instance_configuration(tmp_path, RunSettings("celery", "redis://h")))
    waits = [one["run_monitoring"]["start_timeout_seconds"] for one in (forked, sent)]
    assert waits == [180, 7 * 24 * 3600]


def test_a_file_of_a_team_s_own_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("# ours\n")
    assert instance_configuration(tmp_path, RunSettings(max_runs=12)) == "# ours\n"
