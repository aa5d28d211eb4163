"""`collection-pipeline up`: database, simulator, Dagster; and the collection that `make run` shows."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.panel import Panel

from collection_pipeline.commands.catalogue import load_default_catalogue
from collection_pipeline.commands.collect import follow, start
from collection_pipeline.commands.interrupting import interruptible
from collection_pipeline.commands.services import (
    HOST,
    READY_WITHIN_S,
    DagsterFiles,
    await_answer,
    await_file,
    code_service,
    daemon_service,
    feed_service,
    log_line,
    simulator_service,
    webserver_service,
)
from collection_pipeline.commands.session import told_plainly
from collection_pipeline.core.collections import CollectionStatus
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.processes import Services, free_port, only_one, require_free_port, stop_left_over
from collection_pipeline.settings import Settings, simulated_accounts
from collection_pipeline.starting import Wish
from collection_pipeline.supervising import Supervisor
from collection_pipeline.tables.database import create_engine, reachable
from collection_pipeline.tables.locating import application_database, dagster_database
from collection_pipeline.tables.migrating import migrate
from collection_pipeline.tables.store import Store, open_store

DEFAULT_PORT = 3000
DEFAULT_FEED_PORT = 8780
PORT = click.IntRange(1, 65535)


@dataclass(frozen=True)
class Wishes:
    """What `up` was asked for beyond the services."""

    collect: bool
    stop_after: bool
    preset: str | None
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Ports:
    """Where people find the services on this machine."""

    dagster: int
    feed: int


@click.command(short_help="Start the services; Ctrl-C stops all of them.")
@click.option("--port", type=PORT, default=DEFAULT_PORT, show_default=True, help="Port of the Dagster UI on 127.0.0.1.")
@click.option(
    "--feed-port", type=PORT, default=DEFAULT_FEED_PORT, show_default=True, help="Port of the live activity page."
)
@click.option("--collect", is_flag=True, help="Collect, show progress, print a summary.")
@click.option("--stop-after", is_flag=True, help="With --collect: stop everything then; exit 0 only if it completed.")
@click.option("--preset", help="What to collect. Default: starter.")
@click.option("--category", "categories", multiple=True, help="A category to collect; may be given several times.")
@told_plainly
def up(
    port: int, feed_port: int, preset: str | None, categories: tuple[str, ...], *, collect: bool, stop_after: bool
) -> None:
    """Start the database, the simulator (without credentials), Dagster with its daemon, and the live activity page.

    What dies is started again. Ctrl-C stops all of them.

    Example: collection-pipeline up --port 3001
    """
    console = Console()
    settings = Settings.from_mapping(os.environ)
    logs = settings.home / "logs"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    wishes = Wishes(collect, stop_after, preset, categories)
    with only_one(logs / "up.lock") as is_first:
        if is_first:
            status = _run(settings, Ports(port, feed_port), wishes, console)
        else:
            status = _use_running(settings, wishes, console)
    if collect and stop_after:
        sys.exit(0 if status is CollectionStatus.COMPLETED else 1)


def _use_running(settings: Settings, wishes: Wishes, console: Console) -> CollectionStatus | None:
    running = _running(settings.home, READY_WITHIN_S if wishes.collect else 1)
    if running is None:
        console.print(f"Another `up` is starting everything in {settings.home} at this moment.", soft_wrap=True)
        return None
    console.print(f"Dagster already runs at {running.dagster_url}; using it.", soft_wrap=True)
    if not wishes.collect:
        return None
    with application_database(settings) as url, open_store(url) as store:
        return _collect(store, settings, wishes, running, console, lambda: None)


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


def _run(settings: Settings, ports: Ports, wishes: Wishes, console: Console) -> CollectionStatus | None:
    if not Path("dagster.yaml").exists():
        raise PipelineError("There is no dagster.yaml here. Run this in the project's folder.")
    if left_over := Services.read(settings.home):
        stop_left_over(left_over)
    require_free_port(HOST, ports.dagster, "--port")
    require_free_port(HOST, ports.feed, "--feed-port")
    services = _services(ports, free_port() if settings.is_simulated else None)
    supervisor = Supervisor(
        settings.home / "logs", _telling(console), lambda groups: replace(services, groups=groups).write(settings.home)
    )
    status = None
    with interruptible(supervisor.hurry) as begin_stopping, ExitStack() as stack:
        stack.callback(Services.clear, settings.home)
        try:
            store, environment = _open_database(stack, settings, console)
            # Entered after the database, and so left before it: whatever uses it has stopped by then.
            stack.callback(supervisor.stop)
            stack.callback(begin_stopping)
            if services.simulator_url is not None:
                console.print(_banner(services.simulator_url))
                environment |= simulated_accounts(services.simulator_url)
                supervisor.start(simulator_service(services.simulator_url, environment))
            with console.status("Starting Dagster …"):
                _start_services(stack, supervisor, settings.home, ports, services, environment)
            if wishes.collect:
                status = _collect(store, settings, wishes, services, console, supervisor.check)
            if not wishes.stop_after:
                _stay(services, supervisor, console)
        except KeyboardInterrupt:
            console.print("\nStopping everything …")
    return status


def _services(ports: Ports, simulator_port: int | None) -> Services:
    return Services(
        supervisor=os.getpid(),
        supervisor_started=psutil.Process().create_time(),
        dagster_url=f"http://{HOST}:{ports.dagster}",
        feed_url=f"http://{HOST}:{ports.feed}",
        simulator_url=None if simulator_port is None else f"http://{HOST}:{simulator_port}",
        groups=(),
    )


def _telling(console: Console) -> Callable[[str], str]:
    def tell(sentence: str) -> str:
        console.print(sentence, style="yellow", markup=False, soft_wrap=True)
        return log_line(sentence)

    return tell


def _open_database(stack: ExitStack, settings: Settings, console: Console) -> tuple[Store, dict[str, str]]:
    """The migrated database, for as long as the stack is open; and the environment that leads services to it."""
    with console.status("Starting the database …"):
        url = stack.enter_context(application_database(settings))
        named = os.environ.get("COLLECTION_DAGSTER_DATABASE_URL")
        dagster_url = stack.enter_context(dagster_database(settings, named))
        with reachable(create_engine(url)) as engine:
            migrate(engine)
        store = stack.enter_context(open_store(url))
        load_default_catalogue(store, settings, console)
    return store, {
        **os.environ,
        "COLLECTION_HOME": str(settings.home),
        "COLLECTION_DATABASE_URL": url.render_as_string(hide_password=False),
        "COLLECTION_DAGSTER_DATABASE_URL": dagster_url,
    }


def _start_services(
    stack: ExitStack, supervisor: Supervisor, home: Path, ports: Ports, services: Services, environment: dict[str, str]
) -> None:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="collection_pipeline_"))
    files = DagsterFiles(home / "dagster", Path(folder) / "code")
    files.write(Path("dagster.yaml"))
    environment |= {
        "DAGSTER_HOME": str(files.home),
        "COLLECTION_FEED_URL": services.feed_url,
        "COLLECTION_DAGSTER_URL": services.dagster_url,
    }
    supervisor.start(code_service(files, environment))
    supervisor.start(feed_service(ports.feed, environment))
    _fail_dead_runs(environment)
    await_file(files.code_socket, supervisor)
    supervisor.start(webserver_service(ports.dagster, files, environment))
    supervisor.start(daemon_service(files, environment))
    await_answer(services.feed_url, supervisor)
    await_answer(f"{services.dagster_url}/server_info", supervisor)


def _collect(
    store: Store,
    settings: Settings,
    wishes: Wishes,
    services: Services,
    console: Console,
    check: Callable[[], None],
) -> CollectionStatus:
    collection_id = start(store, settings, Wish(wishes.preset, wishes.categories), console)
    runs = f"{services.dagster_url}/runs?q[0]=tag:collection_id={collection_id}"
    console.print(f"Watch it live: {services.feed_url}/?collection={collection_id}", soft_wrap=True)
    console.print(f"Its runs: {runs}", soft_wrap=True)
    status = follow(store, collection_id, console, check)
    console.print("Who sells the most best sellers: .venv/bin/collection-pipeline sql --ask sellers_by_best_sellers")
    console.print(f"Its runs and events: {runs}", soft_wrap=True)
    return status


def _stay(services: Services, supervisor: Supervisor, console: Console) -> None:
    console.print(f"Dagster: {services.dagster_url}   Live activity: {services.feed_url}", soft_wrap=True)
    console.print("Press Ctrl-C to stop everything.")
    while True:
        supervisor.check()
        time.sleep(0.5)


def _fail_dead_runs(environment: Mapping[str, str]) -> None:
    """Before Dagster starts: runs that the embedded storage calls running are those of a session that was killed."""
    if "COLLECTION_DAGSTER_DATABASE_URL" not in os.environ:
        recovery = [sys.executable, "-m", "collection_pipeline.orchestration.recovery"]
        subprocess.run(
            recovery, env=dict(environment), check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def _banner(simulator_url: str) -> Panel:
    return Panel(
        "SIMULATED DATA. There are no marketplace credentials, so a simulator answers in place of Amazon and eBay.\n"
        "None of the products, sellers and prices is real. They are kept in a database of their own.\n"
        f"The simulator: {simulator_url}/_control/stats   With real accounts: see README.md.",
        style="bold yellow",
    )
