"""Which database the tables are in: the configured one, or one on the embedded server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.server.database import database_url
from collection_pipeline.tables.server.embedded import create_database, start_embedded


class Location(Protocol):
    """What is needed to find the database; Settings implements it."""

    @property
    def home(self) -> Path: ...  # noqa: D102

    @property
    def database_url(self) -> str | None: ...  # noqa: D102

    @property
    def database_direct_url(self) -> str | None: ...  # noqa: D102

    @property
    def reader_database_url(self) -> str | None: ...  # noqa: D102

    @property
    def is_simulated(self) -> bool: ...  # noqa: D102


def named_database(location: Location) -> sa.URL:
    """The address that is given, for whom other machines have to reach the same. Raises PipelineError without one."""
    if location.database_url is None:
        raise PipelineError(
            "Workers and the control plane meet in one Postgres: set COLLECTION_DATABASE_URL and "
            "COLLECTION_DAGSTER_DATABASE_URL to addresses that all machines reach."
        )
    return database_url(location.database_url)


@contextmanager
def application_database(location: Location) -> Iterator[sa.URL]:
    """The address of the output tables' database. The embedded server runs at least as long as this context.

    Simulated data gets a database of its own there, so that it never mixes with what a real account collects.
    """
    if location.database_url is not None:
        yield database_url(location.database_url)
        return
    name = "simulation" if location.is_simulated else "collection"
    yield create_database(start_embedded(location.home), name)


@contextmanager
def direct_database(location: Location) -> Iterator[sa.URL]:
    """The address of the same database for what needs a session of its own: around the pooler, if there is one."""
    if location.database_direct_url is not None:
        yield database_url(location.database_direct_url, "COLLECTION_DATABASE_DIRECT_URL")
        return
    with application_database(location) as url:
        yield url


@contextmanager
def reading_database(location: Location) -> Iterator[sa.URL]:
    """The address of the output tables' database for whoever only reads it."""
    if location.reader_database_url is not None:
        yield database_url(location.reader_database_url, "COLLECTION_READER_DATABASE_URL")
        return
    # A query may hold its session for minutes, and a login that is made for it is one that no pooler knows.
    with direct_database(location) as url:
        yield url


@contextmanager
def dagster_database(location: Location, named: str | None) -> Iterator[str]:
    """The address of Dagster's own storage: the one given, or one on the embedded server.

    Its driver is named: a plain postgresql:// means psycopg 3 from SQLAlchemy 2.1 on, which rejects Dagster's NOTIFY.
    """
    if named is not None:
        yield (
            database_url(named, "COLLECTION_DAGSTER_DATABASE_URL")
            .set(drivername="postgresql+psycopg2")
            .render_as_string(hide_password=False)
        )
        return
    name = "dagster_simulation" if location.is_simulated else "dagster"
    url = create_database(start_embedded(location.home), name)
    yield url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
