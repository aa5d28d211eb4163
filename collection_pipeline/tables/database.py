"""Connections: from an address to an engine, with errors a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, OperationalError

from collection_pipeline.core.errors import PipelineError


def database_url(text: str, setting: str = "COLLECTION_DATABASE_URL") -> sa.URL:
    """An address as people write it (`postgresql://user@host/name`). Raises PipelineError without repeating secrets."""
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise PipelineError(
            f"{setting} is not a database address; it looks like postgresql://user:password@host:5432/name."
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise PipelineError(f"{setting} names {url.get_backend_name()!r}; only postgresql:// is supported.")
    return url


def create_engine(url: sa.URL) -> sa.Engine:
    """An engine that speaks through psycopg 3, whichever driver the address names."""
    # Each of a run's five workers holds one while its request is in flight and one while it commits, and the main
    # thread has one.
    return sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_size=8, max_overflow=6, pool_pre_ping=True)


@contextmanager
def reachable(engine: sa.Engine) -> Iterator[sa.Engine]:
    """The engine, after proof that its server answers; disposed of afterwards. Raises PipelineError if it does not."""
    try:
        with engine.connect():
            pass
    except OperationalError as error:
        engine.dispose()
        raise PipelineError(
            f"The database {engine.url.render_as_string(hide_password=True)} does not answer "
            f"({str(error.orig).strip().splitlines()[0]}). Start it, or correct COLLECTION_DATABASE_URL."
        ) from None
    try:
        yield engine
    finally:
        engine.dispose()
