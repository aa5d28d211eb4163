"""Which launcher starts runs: the one that COLLECTION_LAUNCHER names. dagster.yaml names ProjectRunLauncher.

dagster.yaml could name the launcher itself, but has no way to follow a setting.
"""

import os
from collections.abc import Mapping
from typing import Any

from dagster._core.launcher import RunLauncher
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._daemon.daemon import DagsterDaemon
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.orchestration.launcher import ForkingRunLauncher
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.settings.runs import RunSettings


class ProjectRunLauncher(RunLauncher, ConfigurableClass):
    """Makes another launcher in its place. There are no instances of it."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No configuration: COLLECTION_LAUNCHER says which."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]  # noqa: D102
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> RunLauncher:
        del config_value
        runs = RunSettings.from_mapping(os.environ)
        match runs.launcher:
            case "fork":
                return ForkingRunLauncher(inst_data)
            case "default":
                return DefaultRunLauncher(inst_data)
            case "celery":
                return _worker_launcher(runs, inst_data)


def launcher_daemons() -> list[DagsterDaemon[Any]]:
    """The daemons that the chosen launcher needs beside Dagster's own."""
    if RunSettings.from_mapping(os.environ).launcher != "celery":
        return []
    from collection_pipeline.orchestration.workers.resending import ResendingDaemon

    return [ResendingDaemon()]


def _worker_launcher(runs: RunSettings, inst_data: ConfigurableClassData | None) -> RunLauncher:
    try:
        from collection_pipeline.orchestration.workers.launcher import WorkerRunLauncher
    except ModuleNotFoundError as missing:
        raise PipelineError(
            f"COLLECTION_LAUNCHER is celery, and {missing.name} is not installed: "
            "pip install 'collection-pipeline[celery]'."
        ) from None
    return WorkerRunLauncher(runs.broker, Settings.from_mapping(os.environ), inst_data)
