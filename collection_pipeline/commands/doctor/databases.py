"""The output tables' database and Dagster's: whether they answer, how they are, and what is left of the limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from collection_pipeline.commands.session import with_simulator
from collection_pipeline.core import health
from collection_pipeline.core.collecting.usage import next_day
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.health import Finding, fault, ok, skipped, warning
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.schema.sessions import require_session
from collection_pipeline.tables.schema.version import require_current_schema, revisions, schema_version
from collection_pipeline.tables.server.database import create_engine, database_url, first_line, reachable, shown
from collection_pipeline.tables.server.facts import clock_difference, is_same_database, server_facts
from collection_pipeline.tables.server.locating import application_database, direct_database, reading_database
from collection_pipeline.tables.watching.activity import ActivityStore
from collection_pipeline.tables.watching.figures import FigureStore

DAGSTER = "COLLECTION_DAGSTER_DATABASE_URL"
DIRECT = "COLLECTION_DATABASE_DIRECT_URL"
READER = "COLLECTION_READER_DATABASE_URL"


def database_findings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Both databases. The embedded server is started if it is there and does not run, and left as it was found."""
    if settings.database_url is None and not (settings.home / "postgres").exists():
        yield skipped(
            "database", f"There is no embedded database in {settings.home} yet.", "`collection-pipeline up` makes it."
        )
    else:
        yield from _examined("database", "COLLECTION_DATABASE_URL", application_database(settings), settings)
    if settings.database_direct_url is not None:
        yield from _examined("database: direct", DIRECT, direct_database(settings), None)
    if settings.reader_database_url is not None:
        yield from _examined("database: reader", READER, reading_database(settings), None)
    if named := environment.get(DAGSTER, "").strip():
        yield from _dagster_database(named)


def _examined(
    check: str, setting: str, located: AbstractContextManager[sa.URL], settings: Settings | None
) -> Iterator[Finding]:
    try:
        with located as url, reachable(create_engine(url), setting) as engine:
            yield _answers(check, engine)
            if settings is not None:
                yield from _state(engine, settings)
    except PipelineError as error:
        yield fault(check, str(error), f"Start the server, or correct {setting}; docs/access.md says which logins do.")
    except DBAPIError as error:
        yield fault(
            check, f"The database says: {first_line(error)}.", "Use a login that may; docs/access.md says which."
        )


def _dagster_database(named: str) -> Iterator[Finding]:
    try:
        with reachable(create_engine(database_url(named, DAGSTER)), DAGSTER) as engine:
            yield _answers("database: dagster", engine)
    except PipelineError as error:
        yield fault("database: dagster", str(error), f"Start the server, or correct {DAGSTER}.")


def _answers(check: str, engine: sa.Engine) -> Finding:
    server = server_facts(engine)
    return ok(
        check,
        f"Postgres {server.version} answers at {shown(engine.url)}; the database holds "
        f"{server.database_bytes / 2**20:,.0f} MB.",
        postgres=server.version,
        database_bytes=server.database_bytes,
    )


def _state(engine: sa.Engine, settings: Settings) -> Iterator[Finding]:
    server = server_facts(engine)
    difference = clock_difference(engine, lambda: datetime.now(UTC))
    yield health.clock(difference.ahead_s, difference.uncertainty_s)
    yield health.connections(server.connections, server.connections_allowed)
    schema = _schema(engine)
    yield schema
    if schema.level is not health.Level.FAULT:
        yield _listening(engine, settings)
        yield from _limits(engine, settings)


def _schema(engine: sa.Engine) -> Finding:
    found = schema_version(engine)
    try:
        require_current_schema(engine)
    except PipelineError as error:
        return fault("schema", str(error), "`up` does this by itself; make a backup first.", revision=found)
    return ok("schema", f"{found}, which is this code's.", revision=found, needed=revisions()[-1])


def _listening(engine: sa.Engine, settings: Settings) -> Finding:
    try:
        with direct_database(settings) as url, reachable(create_engine(url), DIRECT) as direct:
            ActivityStore(direct).require_listener()
            if not is_same_database(engine, direct):
                return fault(
                    "live events",
                    f"{DIRECT} leads to another database than COLLECTION_DATABASE_URL.",
                    "Correct it: nothing that is collected is announced there.",
                )
            require_session(direct)
    except PipelineError as error:
        return warning("live events", str(error), "Without it the live page and the daemon notice news later.")
    return ok("live events", "This login may follow collections live.")


def _limits(engine: sa.Engine, settings: Settings) -> Iterator[Finding]:
    now = datetime.now(UTC)
    figures = FigureStore(engine, with_simulator(settings).limits, lambda: now).read()
    for source, used in figures.sources.items():
        yield ok(
            f"limits: {source}",
            f"{used.requests_per_s_limit:g} requests a second; {used.in_flight} of {used.in_flight_limit} places used.",
            requests_per_s=used.requests_per_s_limit,
            in_flight=used.in_flight,
            in_flight_limit=used.in_flight_limit,
        )
        yield health.quota(source, int(used.quota_used), used.quota, next_day(source, now))
