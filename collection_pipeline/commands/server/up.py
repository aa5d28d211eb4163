"""`collection-pipeline up`: database, simulator, Dagster; and the collection that `make run` shows."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from collection_pipeline.actions.starting import CollectionRequest
from collection_pipeline.commands.collecting.collect import follow, start
from collection_pipeline.commands.server.everything import Everything, Ports, everything
from collection_pipeline.commands.server.services import READY_WITHIN_S
from collection_pipeline.commands.session import asking, errors_as_messages
from collection_pipeline.core.collecting.collections import CollectionStatus
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.watching.answer_links import new_sellers_address
from collection_pipeline.processes.running_services import Services, make_private, only_one
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.settings.runs import RunSettings
from collection_pipeline.stores import open_store
from collection_pipeline.tables.server.locating import application_database, named_database
from collection_pipeline.tables.server.private_folders import private_home
from collection_pipeline.tables.server.tools_port import offered_port
from collection_pipeline.tables.store import Store

DEFAULT_PORT = 3000
DEFAULT_FEED_PORT = 8780
PORT = click.IntRange(1, 65535)


@dataclass(frozen=True)
class UpOptions:
    """What `up` was asked for beyond the services."""

    collect: bool
    stop_after: bool
    has_worker: bool
    preset: str | None
    categories: tuple[str, ...]


@click.command(short_help="Start the services; Ctrl-C stops all of them.")
@click.option("--port", type=PORT, default=DEFAULT_PORT, show_default=True, help="Port of the Dagster UI on 127.0.0.1.")
@click.option(
    "--feed-port", type=PORT, default=DEFAULT_FEED_PORT, show_default=True, help="Port of the live activity page."
)
@click.option(
    "--postgres-port",
    type=PORT,
    help="Port of 127.0.0.1 on which other tools may read the embedded Postgres, with a password. Default: none.",
)
@click.option("--collect", is_flag=True, help="Collect, show progress, print a summary.")
@click.option(
    "--stop-after",
    is_flag=True,
    help="With --collect: stop everything afterwards; exit 0 only if the collection completed.",
)
@click.option(
    "--no-runs",
    is_flag=True,
    help="With COLLECTION_LAUNCHER=celery: leave the runs to workers on other machines; start none on this one.",
)
@click.option("--preset", help="What to collect. Default: starter.")
@click.option("--category", "categories", multiple=True, help="A category to collect, by its key. Repeatable.")
@errors_as_messages
def up(
    port: int,
    feed_port: int,
    postgres_port: int | None,
    preset: str | None,
    categories: tuple[str, ...],
    *,
    collect: bool,
    stop_after: bool,
    no_runs: bool,
) -> None:
    """Start the database, the simulator (without credentials), Dagster with its daemon, and the live activity page.

    What dies is started again. Ctrl-C stops all of them.

    Example: collection-pipeline up --port 3001
    """
    console = Console()
    settings = Settings.from_mapping(os.environ)
    runs = RunSettings.from_mapping(os.environ)
    if no_runs and runs.launcher != "celery":
        raise PipelineError(
            f"--no-runs leaves the runs to workers, and COLLECTION_LAUNCHER is {runs.launcher}: nobody would take "
            "them. Set it to celery, and COLLECTION_BROKER_URL to the address of a Redis."
        )
    if no_runs:
        named_database(settings)
    logs = private_home(settings.home) / "logs"
    make_private(logs)
    request = UpOptions(collect, stop_after, runs.launcher == "celery" and not no_runs, preset, categories)
    with only_one(logs / "up.lock") as is_first:
        if is_first:
            status = _run(settings, runs, Ports(port, feed_port, postgres_port), request, console)
        else:
            status = _use_running(settings, request, console)
            if postgres_port is not None and postgres_port != offered_port(settings.home):
                raise PipelineError(
                    "It was started without this --postgres-port. Stop it with Ctrl-C where it runs, and start it "
                    "again with the port."
                )
    if collect and stop_after:
        sys.exit(0 if status is CollectionStatus.COMPLETED else 1)


def _use_running(settings: Settings, request: UpOptions, console: Console) -> CollectionStatus | None:
    running = _running(settings.home, READY_WITHIN_S if request.collect else 1)
    if running is None:
        console.print(f"Another `up` is starting everything in {settings.home} at this moment.", soft_wrap=True)
        return None
    console.print(f"Dagster already runs at {running.dagster_url}; using it.", soft_wrap=True)
    if not request.collect:
        return None
    with application_database(settings) as url, open_store(asking(settings, running.simulator_url), url) as store:
        return _collect(store, settings, request, running, console, lambda: None)


def _running(home: Path, within_s: float) -> Services | None:
    """What another `up` has running, once it has noted it."""
    deadline = time.monotonic() + within_s
    while True:
        noted = Services.read(home)
        if noted is not None and noted.is_running:
            return noted
        if time.monotonic() > deadline:
            return None
        time.sleep(0.1)


def _run(
    settings: Settings, runs: RunSettings, ports: Ports, request: UpOptions, console: Console
) -> CollectionStatus | None:
    status = None
    started = everything(settings, runs, ports, console, has_worker=request.has_worker)
    with suppress(KeyboardInterrupt), started as running:
        if request.collect:
            status = _collect(running.store, settings, request, running.services, console, running.supervisor.check)
        if not request.stop_after:
            _stay(running, console)
    return status


def _collect(
    store: Store,
    settings: Settings,
    request: UpOptions,
    services: Services,
    console: Console,
    check: Callable[[], None],
) -> CollectionStatus:
    collection_id = start(store, settings, CollectionRequest(request.preset, request.categories), console)
    runs = f"{services.dagster_url}/runs?q[0]=tag:collection_id={collection_id}"
    console.print(f"Watch it live: {services.feed_url}/?collection={collection_id}", soft_wrap=True)
    console.print(f"Its runs: {runs}", soft_wrap=True)
    status = follow(store, settings, collection_id, console, check)
    console.print(f"Who is new: {new_sellers_address(services.feed_url, collection_id)}", soft_wrap=True)
    console.print("Who sells the most best sellers: .venv/bin/collection-pipeline sql --ask sellers_by_best_sellers")
    console.print(f"Its runs and events: {runs}", soft_wrap=True)
    return status


def _stay(running: Everything, console: Console) -> None:
    services, supervisor = running.services, running.supervisor
    addresses = f"Dagster: {services.dagster_url}   Live activity: {services.feed_url}"
    console.print(f"{addresses}   Answers: {services.feed_url}/answer", soft_wrap=True)
    if running.tools is not None:
        console.print(running.tools, soft_wrap=True)
    if running.control_token is not None:
        address = f"{services.feed_url}/?token={running.control_token}"
        console.print(f"To control collections and edit the list in the browser: {address}", soft_wrap=True)
    console.print("Press Ctrl-C to stop everything.")
    while True:
        supervisor.check()
        time.sleep(0.5)
