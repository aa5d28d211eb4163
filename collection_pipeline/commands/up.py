"""`collection-pipeline up`: database, simulator, Dagster; and the collection that `make run` shows."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click
import httpx
import psutil
from rich.console import Console
from rich.panel import Panel
from sqlalchemy import make_url

from collection_pipeline.commands.catalogue import load_default_catalogue
from collection_pipeline.commands.collect import follow, start
from collection_pipeline.commands.session import told_plainly
from collection_pipeline.core.collections import CollectionStatus
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.processes import Services, Supervisor, free_port, require_free_port, stop_left_over
from collection_pipeline.settings import Settings, simulated_accounts, wants_json
from collection_pipeline.starting import Wish
from collection_pipeline.tables.database import create_engine, reachable
from collection_pipeline.tables.embedded import watched
from collection_pipeline.tables.locating import application_database, dagster_database
from collection_pipeline.tables.migrating import may_migrate, migrate
from collection_pipeline.tables.store import Store, open_store

HOST = "127.0.0.1"
DEFAULT_PORT = 3000
DEFAULT_FEED_PORT = 8780
READY_WITHIN_S = 120
_MODULE = (sys.executable, "-m")


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
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="Port of the Dagster UI on 127.0.0.1.")
@click.option("--feed-port", default=DEFAULT_FEED_PORT, show_default=True, help="Port of the live activity page.")
@click.option("--collect", is_flag=True, help="Collect, show progress, print a summary.")
@click.option("--stop-after", is_flag=True, help="With --collect: stop everything then; exit 0 only if it completed.")
@click.option("--preset", help="What to collect. Default: starter.")
@click.option("--category", "categories", multiple=True, help="A category to collect; may be given several times.")
@told_plainly
def up(
    port: int, feed_port: int, preset: str | None, categories: tuple[str, ...], *, collect: bool, stop_after: bool
) -> None:
    """Start the database, the simulator (without credentials), Dagster with its daemon, and the live activity page.

    Ctrl-C stops all of them.

    Example: collection-pipeline up --port 3001
    """
    console = Console()
    settings = Settings.from_mapping(os.environ)
    settings.home.mkdir(parents=True, exist_ok=True)
    wishes = Wishes(collect, stop_after, preset, categories)
    running = Services.read(settings.home)
    if running is not None and running.is_running:
        status = _use_running(running, settings, wishes, console)
    else:
        if running is not None:
            stop_left_over(running)
        status = _run(settings, Ports(port, feed_port), wishes, console)
    if collect and stop_after:
        sys.exit(0 if status is CollectionStatus.COMPLETED else 1)


def _use_running(running: Services, settings: Settings, wishes: Wishes, console: Console) -> CollectionStatus | None:
    console.print(f"Dagster already runs at {running.dagster_url}; using it.")
    with application_database(settings) as url, open_store(url) as store:
        return _collect(store, settings, wishes, running, console, lambda: None) if wishes.collect else None


def _run(settings: Settings, ports: Ports, wishes: Wishes, console: Console) -> CollectionStatus | None:
    if not Path("workspace.yaml").exists() or not Path("dagster.yaml").exists():
        raise PipelineError("There is no workspace.yaml and dagster.yaml here. Run this in the project's folder.")
    require_free_port(HOST, ports.dagster, "--port")
    require_free_port(HOST, ports.feed, "--feed-port")
    status = None
    supervisor = Supervisor(settings.home / "logs")
    with _stopping(supervisor) as begin_stopping, ExitStack() as stack:
        stack.callback(Services.clear, settings.home)
        stack.callback(supervisor.stop)
        stack.callback(begin_stopping)
        try:
            services, store = _start(stack, supervisor, settings, ports, console)
            if wishes.collect:
                status = _collect(store, settings, wishes, services, console, supervisor.check)
            if not wishes.stop_after:
                _stay(services, supervisor, console)
        except KeyboardInterrupt:
            console.print("\nStopping everything …")
    return status


def _start(
    stack: ExitStack, supervisor: Supervisor, settings: Settings, ports: Ports, console: Console
) -> tuple[Services, Store]:
    with console.status("Starting the database …"):
        url = stack.enter_context(application_database(settings))
        if settings.database_url is None:
            stack.enter_context(watched(settings.home))
        named = os.environ.get("COLLECTION_DAGSTER_DATABASE_URL")
        dagster_url = stack.enter_context(dagster_database(settings, named))
        with reachable(create_engine(make_url(dagster_url)), "COLLECTION_DAGSTER_DATABASE_URL"):
            pass  # else Dagster ends with a page of its own code
        with reachable(create_engine(url)) as engine:
            if may_migrate(engine):
                migrate(engine)
        store = stack.enter_context(open_store(url))
        load_default_catalogue(store, settings, console)
    environment = {
        **os.environ,
        "COLLECTION_HOME": str(settings.home),
        "COLLECTION_DATABASE_URL": url.render_as_string(hide_password=False),
        "COLLECTION_DAGSTER_DATABASE_URL": dagster_url,
        "DAGSTER_HOME": str(_dagster_home(settings.home)),
    }
    simulator_url = _start_simulator(supervisor, environment) if settings.is_simulated else None
    if simulator_url is not None:
        console.print(_banner(simulator_url))
        environment |= simulated_accounts(simulator_url)
    with console.status("Starting Dagster …"):
        address, feed_url = f"http://{HOST}:{ports.dagster}", f"http://{HOST}:{ports.feed}"
        environment |= {"COLLECTION_FEED_URL": feed_url, "COLLECTION_DAGSTER_URL": address}
        _fail_dead_runs(environment)
        supervisor.start("dagster", _dagster_command(ports.dagster, as_json=wants_json(os.environ)), environment)
        supervisor.start("feed", _feed_command(ports.feed), environment)
        started = psutil.Process().create_time()
        services = Services(os.getpid(), started, address, feed_url, simulator_url, supervisor.groups)
        services.write(settings.home)
        _await(feed_url, supervisor)
        _await(f"{address}/server_info", supervisor)
    return services, store


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


def _start_simulator(supervisor: Supervisor, environment: dict[str, str]) -> str:
    port = free_port()
    address = f"http://{HOST}:{port}"
    supervisor.start(
        "simulator", [sys.executable, "-m", "collection_pipeline.simulator", "--port", str(port)], environment
    )
    _await(f"{address}/_control/stats", supervisor)
    return address


def _dagster_command(port: int, *, as_json: bool) -> list[str]:
    logs = "json" if as_json else "colored"
    return [*_MODULE, "dagster", "dev", "-w", "workspace.yaml", "-h", HOST, "-p", str(port), "--log-format", logs]


def _feed_command(port: int) -> list[str]:
    return [*_MODULE, "collection_pipeline.feed", "--host", HOST, "--port", str(port)]


def _dagster_home(home: Path) -> Path:
    """Dagster's folder, with the project's dagster.yaml in it: what Dagster writes stays out of the checkout."""
    folder = home / "dagster"
    folder.mkdir(exist_ok=True)
    shutil.copyfile("dagster.yaml", folder / "dagster.yaml")
    return folder


def _fail_dead_runs(environment: Mapping[str, str]) -> None:
    """Before Dagster starts: runs that the embedded storage calls running are those of a session that was killed."""
    if "COLLECTION_DAGSTER_DATABASE_URL" not in os.environ:
        recovery = [sys.executable, "-m", "collection_pipeline.orchestration.recovery"]
        subprocess.run(
            recovery, env=dict(environment), check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def _await(address: str, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        supervisor.check()
        try:
            if httpx.get(address, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise PipelineError(f"{address} did not answer within {READY_WITHIN_S} s; see the logs beside the database.")


def _banner(simulator_url: str) -> Panel:
    return Panel(
        "SIMULATED DATA. There are no marketplace credentials, so a simulator answers in place of Amazon and eBay.\n"
        "None of the products, sellers and prices is real. They are kept in a database of their own.\n"
        f"The simulator: {simulator_url}/_control/stats   With real accounts: see README.md.",
        style="bold yellow",
    )


@contextmanager
def _stopping(supervisor: Supervisor) -> Iterator[Callable[[], None]]:
    """The first Ctrl-C (or SIGTERM) interrupts what is going on; any further one only makes the stopping faster.

    Gives what has to be called when the stopping begins by itself: from then on every Ctrl-C is a further one.
    """
    is_stopping = False

    def begin() -> None:
        nonlocal is_stopping
        is_stopping = True

    def pressed(_signal: int, _frame: FrameType | None) -> None:
        if is_stopping:
            supervisor.hurry()
            return
        begin()
        raise KeyboardInterrupt

    former = {number: signal.signal(number, pressed) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield begin
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
