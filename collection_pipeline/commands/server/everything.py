"""Everything that `up` has running, from the database to the UI, for as long as it is wanted; stopped in order."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.panel import Panel
from sqlalchemy import make_url

from collection_pipeline.commands.catalogue import load_default_catalogue
from collection_pipeline.commands.server.instance_file import instance_configuration
from collection_pipeline.commands.server.interrupting import interruptible
from collection_pipeline.commands.server.services import (
    HOST,
    DagsterFiles,
    await_answer,
    await_file,
    code_service,
    daemon_service,
    feed_service,
    log_line,
    simulator_service,
    webserver_service,
    worker_service,
)
from collection_pipeline.commands.server.simulated_day import simulated_day
from collection_pipeline.commands.session import asking
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.processes.running_services import Services, free_port, require_free_port, stop_left_over
from collection_pipeline.processes.supervising import Supervisor
from collection_pipeline.settings.pipeline import Settings, simulated
from collection_pipeline.settings.runs import RunSettings
from collection_pipeline.settings.values import given
from collection_pipeline.stores import open_store
from collection_pipeline.tables.server.database import create_engine, reachable
from collection_pipeline.tables.server.embedded import watched
from collection_pipeline.tables.server.locating import application_database, dagster_database, direct_database
from collection_pipeline.tables.server.migrating import may_migrate, migrate
from collection_pipeline.tables.server.private_folders import private_home
from collection_pipeline.tables.server.tools_port import LOGIN, make_login, offered
from collection_pipeline.tables.store import Store

WHO_MAY = (
    "COLLECTION_FEED_TOKEN",
    "COLLECTION_FEED_ORG_TOKENS",
    "COLLECTION_FEED_CONTROL",
    "COLLECTION_FEED_CONTROL_TOKEN",
)
"""Settings that say who may look and control on the pages."""


@dataclass(frozen=True)
class Ports:
    """Where people find the services on this machine."""

    dagster: int
    feed: int
    postgres: int | None = None
    """Where the embedded Postgres lets tools read; None where they cannot."""


@dataclass(frozen=True)
class Everything:
    """What is running."""

    services: Services
    store: Store
    supervisor: Supervisor
    tools: str | None
    """How other tools reach the embedded Postgres, in a sentence."""
    control_token: str | None
    """Lets whoever brings it control on the pages; None where somebody has set who may."""


@contextmanager
def everything(
    settings: Settings, runs: RunSettings, ports: Ports, console: Console, *, has_worker: bool
) -> Iterator[Everything]:
    """Starts everything, stops it at the end; Ctrl-C raises KeyboardInterrupt in between, and later only hurries.

    A worker on this machine is part of it where `has_worker`; where runs are forked, none is needed.

    Stopped are first the runs, then the other services, then the database. Raises PipelineError where something cannot
    be started.
    """
    _make_way(settings.home, ports)
    services = _services(ports, free_port() if settings.is_simulated else None)
    supervisor = Supervisor(
        settings.home / "logs", _telling(console), lambda groups: replace(services, groups=groups).write(settings.home)
    )
    with interruptible(supervisor.hurry) as begin_stopping, ExitStack() as stack:
        stack.callback(Services.clear, settings.home)
        try:
            if ports.postgres is not None:
                _offer_port(stack, settings, ports.postgres)
            store, environment = _open_database(stack, settings, services.simulator_url, console)
            files = DagsterFiles(settings.home / "dagster", _private_folder(stack) / "code")
            files.write(instance_configuration(settings.home, runs))
            stack.callback(supervisor.stop)
            stack.callback(begin_stopping)
            stack.push(lambda kind, *_: console.print("\nStopping everything …") if kind is KeyboardInterrupt else None)
            if services.simulator_url is not None:
                day = simulated_day(store)
                console.print(_banner(services.simulator_url, day))
                environment = simulated(environment, services.simulator_url)
                supervisor.start(simulator_service(services.simulator_url, day, environment))
            with console.status("Starting Dagster …"):
                control_token = _control_token(environment)
                _start_services(supervisor, files, ports, services, environment, control_token)
                if has_worker:
                    supervisor.start(worker_service(runs.all_runs, {**environment, "DAGSTER_HOME": str(files.home)}))
            tools = None if ports.postgres is None else _let_tools_in(store, settings.home, ports.postgres)
            yield Everything(services, store, supervisor, tools, control_token)
        except BaseException:
            begin_stopping()  # before anything is undone: what comes now only hurries
            raise


def _make_way(home: Path, ports: Ports) -> None:
    if left_over := Services.read(home):
        stop_left_over(left_over)
    require_free_port(HOST, ports.dagster, "--port")
    require_free_port(HOST, ports.feed, "--feed-port")


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


def _private_folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="collection_pipeline_")))


def _offer_port(stack: ExitStack, settings: Settings, port: int) -> None:
    """Has the embedded server listen on a port, if it is not running yet."""
    if settings.database_url is not None:
        raise PipelineError(
            "--postgres-port is for the embedded Postgres, and COLLECTION_DATABASE_URL names another one: other tools "
            "reach that under its own address."
        )
    require_free_port(HOST, port, "--postgres-port")
    stack.enter_context(offered(private_home(settings.home), port))


def _let_tools_in(store: Store, home: Path, port: int) -> str:
    """Makes the login that the port is for; how it is used, in a sentence."""
    if store.engine.url.query.get("port") != str(port):
        raise PipelineError(
            "The embedded Postgres runs already, without a port: something else uses it. Stop that, such as a "
            "notebook, and start again."
        )
    file = make_login(store.engine, home)
    return (
        f"Postgres for other tools: postgresql://{LOGIN}@{HOST}:{port}/{store.engine.url.database} "
        f"(it only reads; its password is in {file})"
    )


def _open_database(
    stack: ExitStack, settings: Settings, simulator_url: str | None, console: Console
) -> tuple[Store, dict[str, str]]:
    """The migrated database, for as long as the stack is open; and the environment that leads services to it."""
    with console.status("Starting the database …"):
        url = stack.enter_context(application_database(settings))
        named = os.environ.get("COLLECTION_DAGSTER_DATABASE_URL")
        if settings.database_url is None:
            stack.enter_context(watched(settings.home))
        dagster_url = stack.enter_context(dagster_database(settings, named))
        with reachable(create_engine(make_url(dagster_url)), "COLLECTION_DAGSTER_DATABASE_URL"):
            pass  # else Dagster ends with a page of its own code
        direct_url = stack.enter_context(direct_database(settings))
        with reachable(create_engine(direct_url)) as engine:
            if may_migrate(engine):
                migrate(engine)
        store = stack.enter_context(open_store(asking(settings, simulator_url), url))
        load_default_catalogue(store, settings, console)
    return store, {
        **os.environ,
        "COLLECTION_HOME": str(settings.home),
        "COLLECTION_DATABASE_URL": url.render_as_string(hide_password=False),
        "COLLECTION_DAGSTER_DATABASE_URL": dagster_url,
    }


def _start_services(
    supervisor: Supervisor,
    files: DagsterFiles,
    ports: Ports,
    services: Services,
    environment: dict[str, str],
    control_token: str | None,
) -> None:
    environment |= {
        "DAGSTER_HOME": str(files.home),
        "DAGSTER_EVENT_BATCH_SIZE": "100",  # what a run intends to do is written in one batch
        # Where a proxy makes the pages reachable, links lead to that instead.
        "COLLECTION_FEED_URL": environment.get("COLLECTION_FEED_URL") or services.feed_url,
        "COLLECTION_DAGSTER_URL": environment.get("COLLECTION_DAGSTER_URL") or services.dagster_url,
    }
    supervisor.start(code_service(files, environment))
    own = {} if control_token is None else {"COLLECTION_FEED_CONTROL_TOKEN": control_token}
    supervisor.start(feed_service(ports.feed, environment | own))
    await_file(files.code_socket, supervisor)
    supervisor.start(webserver_service(ports.dagster, files, environment))
    # Nobody else has the embedded storage: what it calls running from before is of a session that was killed.
    began_at = datetime.now(UTC) if "COLLECTION_DAGSTER_DATABASE_URL" not in os.environ else None
    supervisor.start(daemon_service(files, environment, session_began_at=began_at))
    await_answer(services.feed_url, supervisor)
    await_answer(f"{services.dagster_url}/server_info", supervisor)


def _control_token(environment: Mapping[str, str]) -> str | None:
    """A token for this start, if nobody has set who may look and control: others on this machine may look only."""
    if any(given(environment).get(name) for name in WHO_MAY):
        return None
    return secrets.token_urlsafe(16)


def _banner(simulator_url: str, day: int) -> Panel:
    return Panel(
        "SIMULATED DATA. There are no marketplace credentials, so a simulator answers in place of Amazon and eBay.\n"
        "None of the products, sellers and prices is real. They are kept in a database of their own.\n"
        f"It is day {day} there; after a completed collection, the next start finds it a week later.\n"
        f"The simulator: {simulator_url}/_control/stats   With real accounts: see README.md.",
        style="bold yellow",
    )
