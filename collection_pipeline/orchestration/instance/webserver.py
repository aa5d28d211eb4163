"""Dagster's UI, guarded: `python -m collection_pipeline.orchestration.instance.webserver`, as `up` starts it.

It is the application that `dagster-webserver` serves, in the same way; that command has no place for a guard.
"""

import os
from contextlib import suppress
from pathlib import Path

import click
import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.log import configure_loggers
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.cli import (
    DEFAULT_DB_STATEMENT_TIMEOUT,
    DEFAULT_POOL_MAX_OVERFLOW,
    DEFAULT_POOL_RECYCLE,
)
from dagster_webserver.version import __version__

from collection_pipeline.orchestration.instance.code_watching import ask_rarely
from collection_pipeline.orchestration.instance.ui_access import UiGuard
from collection_pipeline.settings.pipeline import Settings

LIVE_DATA_EVERY_MS = 2000
STOPS_WITHIN_S = 3
"""Open pages are given this long when the server stops."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@click.option("--workspace", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--log-format", type=click.Choice(["colored", "json", "rich"]), default="colored")
def main(host: str, port: int, workspace: Path, log_format: str) -> None:
    """Serve Dagster's UI until Ctrl-C."""
    configure_loggers(formatter=log_format, log_level="INFO")
    hosts = Settings.from_mapping(os.environ).ui_hosts
    ask_rarely()
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_RECYCLE, DEFAULT_POOL_MAX_OVERFLOW)
        target = WorkspaceFileTarget([str(workspace)])
        with WorkspaceProcessContext(instance, version=__version__, workspace_load_target=target) as context:
            app = create_app_from_workspace_process_context(context, live_data_poll_rate=LIVE_DATA_EVERY_MS)
            with suppress(KeyboardInterrupt):
                uvicorn.run(
                    UiGuard(app, hosts),
                    host=host,
                    port=port,
                    log_level="warning",
                    timeout_graceful_shutdown=STOPS_WITHIN_S,
                )


if __name__ == "__main__":
    main()
