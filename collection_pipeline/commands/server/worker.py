"""`collection-pipeline worker`: takes runs on this machine that the control plane, on another one, has started."""

from __future__ import annotations

import importlib.util
import os
import sys

import click

from collection_pipeline.commands.server.instance_file import instance_configuration, write_instance_file
from collection_pipeline.commands.session import errors_as_messages
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.settings.runs import RunSettings
from collection_pipeline.tables.server.locating import named_database
from collection_pipeline.tables.server.private_folders import private_home

MODULE = "collection_pipeline.orchestration.workers.worker"


@click.command(short_help="Take runs on this machine, for a control plane on another one.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    help="Runs at a time on this machine. Default: as many as there may be on all machines.",
)
@errors_as_messages
def worker(concurrency: int | None) -> None:
    """Take runs from Redis, until SIGTERM or Ctrl-C. docs/deployment.md shows how.

    It needs the settings of the control plane, which `collection-pipeline up --no-runs` starts.

    Example: collection-pipeline worker --concurrency 3
    """
    settings, runs = Settings.from_mapping(os.environ), RunSettings.from_mapping(os.environ)
    _require_everything(settings, runs)
    folder = private_home(settings.home) / "worker"
    write_instance_file(folder, instance_configuration(settings.home, runs))
    environment = {**os.environ, "DAGSTER_HOME": str(folder), "COLLECTION_LAUNCHER": "celery"}
    words = [sys.executable, "-m", MODULE, "--concurrency", str(concurrency or runs.all_runs)]
    os.execve(sys.executable, words, environment)  # signals are then the worker's own


def _require_everything(settings: Settings, runs: RunSettings) -> None:
    if importlib.util.find_spec("celery") is None:
        raise PipelineError("Workers need Celery, which is not installed: pip install 'collection-pipeline[celery]'.")
    _ = runs.broker, settings.oxylabs_credentials
    named_database(settings)
    if "COLLECTION_DAGSTER_DATABASE_URL" not in os.environ:
        raise PipelineError(
            "COLLECTION_DAGSTER_DATABASE_URL is not set. A worker writes what its runs do into the control plane's "
            "storage; give it that address."
        )
