"""The configuration of Dagster's instance: the package's, with the numbers that settings say, or a team's own."""

from __future__ import annotations

from pathlib import Path

import yaml

from collection_pipeline.processes.running_services import make_private
from collection_pipeline.settings.runs import RunSettings
from collection_pipeline.tables.server.private_folders import write_private

OUR_DAGSTER_YAML = Path(__file__).parents[2] / "dagster.yaml"
"""Part of the package, so that an installed wheel starts from any folder."""

WAITS_FOR_WORKER_S = 7 * 24 * 3600
"""How long a run that was sent may wait for a worker before it fails. One that the broker lost is sent again."""


def instance_configuration(home: Path, runs: RunSettings) -> str:
    """What the instance's dagster.yaml holds. An operator's own file in the home is taken as it is."""
    own = home / "dagster.yaml"
    if own.exists():
        return own.read_text()
    configuration = yaml.safe_load(OUR_DAGSTER_YAML.read_text())
    configuration["concurrency"]["pools"]["default_limit"] = runs.max_runs
    configuration["concurrency"]["runs"]["max_concurrent_runs"] = runs.all_runs
    if runs.launcher == "celery":
        configuration["run_monitoring"]["start_timeout_seconds"] = WAITS_FOR_WORKER_S
    text: str = yaml.safe_dump(configuration, sort_keys=False)
    return text


def write_instance_file(folder: Path, configuration: str) -> None:
    """Writes it into a folder of Dagster's own: what Dagster writes beside it stays out of the checkout."""
    make_private(folder)
    write_private(folder / "dagster.yaml", configuration)
