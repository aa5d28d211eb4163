"""Connections: from an address to an engine, with errors a person can act on."""

from __future__ import annotations

import difflib
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import conninfo
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.hosts import is_host
from collection_pipeline.tables.schema.sessions import prepare_only_in_a_session

TRUSTED_FOR_S = 30.0
"""How long after its last use a connection is believed to be there: a network that fails ends none."""


def database_url(text: str, setting: str = "COLLECTION_DATABASE_URL") -> sa.URL:
    """An address as people write it (`postgresql://user@host/name`).

    Raises PipelineError, without repeating what may be a secret, for one that no connection can be made with.
    """
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise PipelineError(
            f"{setting} is not a database address; it looks like postgresql://user:password@host:5432/name."
        ) from None
    if url.drivername.split("+")[0] not in ("postgresql", "postgres"):
        raise PipelineError(f"{setting} is the address of another kind of database; only postgresql:// is supported.")
    if url.port is not None and not 1 <= url.port <= 65535:
        raise PipelineError(f"{setting} names a port that is none; ports go from 1 to 65535.")
    if url.host and not all(is_host(host.split("%")[0]) for host in url.host.split(",")):
        raise PipelineError(f"{setting} names a host that is neither a name nor an IP address (IPv6 in brackets).")
    _require_known_options(url, setting)
    return url


def _require_known_options(url: sa.URL, setting: str) -> None:
    known = sorted(option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults())
    for place, option in enumerate(url.query, start=1):
        if option not in known:
            # It is not repeated: a password with a `&` that is not written as %26 ends up here.
            similar = difflib.get_close_matches(option, known, 1) or ["sslmode"]
            raise PipelineError(
                f"{setting} has an option that Postgres does not know, number {place} after the `?`. Take it away, or "
                f"use one of https://www.postgresql.org/docs/current/libpq-connect.html, such as {similar[0]}."
            )
    try:
        _, options = psycopg_dialect.dialect().create_connect_args(url)  # type: ignore[no-untyped-call]
        conninfo.timeout_from_conninfo(conninfo.conninfo_to_dict("", **options))
    except (ArgumentError, ValueError, psycopg.Error):
        raise PipelineError(f"{setting} has an option with a value that it cannot have, after the `?`.") from None


def create_engine(url: sa.URL) -> sa.Engine:
    """An engine that speaks through psycopg 3, whichever driver the address names."""
    # Statements take milliseconds, and a new connection ten: threads rather wait for each other.
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_size=3, max_overflow=0, pool_use_lifo=True)
    replace_broken_connections(engine)
    prepare_only_in_a_session(engine)
    return engine


def replace_broken_connections(engine: sa.Engine) -> None:
    """Replaces a connection that the server has ended, instead of handing it out.

    `pool_pre_ping` asks the server each time, which takes as long as a short statement. Here it is asked only where the
    server has said something by itself, as it does when it ends a session, or nothing was heard of it for a while.
    """

    @sa.event.listens_for(engine, "checkin")
    def note(_: object, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def look(connection: Any, record: ConnectionPoolEntry, _: object) -> None:
        unheard_s = time.monotonic() - record.info.get("used_at", time.monotonic())
        try:
            if unheard_s > TRUSTED_FOR_S or _has_word(connection.fileno()):
                engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DisconnectionError from error  # has the pool try another one


def _has_word(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def reachable(engine: sa.Engine, setting: str = "COLLECTION_DATABASE_URL") -> Iterator[sa.Engine]:
    """The engine, after proof that its server answers; disposed of afterwards. Raises PipelineError if it does not."""
    try:
        with engine.connect():
            pass
    except DBAPIError as error:
        engine.dispose()
        raise PipelineError(
            f"The database {shown(engine.url)} does not answer ({first_line(error)}). Start it, or correct {setting}."
        ) from None
    try:
        yield engine
    finally:
        engine.dispose()


def shown(url: sa.URL) -> str:
    """An address as it may be shown: without its password, which may also stand among the options after the `?`."""
    return url.set(query={}).render_as_string(hide_password=True)


def first_line(error: DBAPIError) -> str:
    """What the driver says; the error's own text may hold the statement's values."""
    return next(iter(str(error.orig).strip().splitlines()), type(error.orig).__name__)
