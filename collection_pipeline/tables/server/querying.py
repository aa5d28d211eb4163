"""Queries of people: one SELECT on the output tables, under a login that can only read, its rows as they come.

A superuser's login is never used for them. A statement could read files, start programs or end other sessions with it,
and a role that it was told to take instead it could put off again.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.types.json import set_json_loads

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.server.access import READER

BATCH = 200
"""Rows that are fetched, and in memory, at a time."""

_FOR_ONE_QUERY = "collection_query_"

_LEFT_OVER = """
    SELECT rolname FROM pg_roles r WHERE starts_with(rolname, %s) AND rolvaliduntil < now()
    AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.usesysid = r.oid)
"""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type of a column: its name in pg_type, "" if psycopg does not know it, and digits that a numeric declares."""

    name: str
    precision: int | None = None
    scale: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query. `batches` reads them once, some at a time; it raises PipelineError."""

    columns: tuple[str, ...]
    types: tuple[ColumnType, ...]
    batches: Iterator[list[tuple[Any, ...]]]


def literal(value: str) -> str:
    """The text as a literal in SQL."""
    return sql.Literal(value).as_string().strip()


@contextmanager
def answer(url: sa.URL, query: str, *, timeout_s: float) -> Iterator[Answer]:
    """Runs one SELECT, for at most `timeout_s` seconds of the database's time; 0 is without limit.

    Raises PipelineError for anything else than one SELECT, for one that fails and for one that takes too long. An empty
    query has an empty answer.
    """
    if not query.strip():
        yield Answer((), (), iter(()))
        return
    with _saying_why(timeout_s), _reader(url) as connection:
        connection.read_only = True
        set_json_loads(partial(json.loads, parse_float=Decimal), connection)  # a float has not all their digits
        clock = _Clock(connection, timeout_s)
        # A cursor takes nothing but a SELECT, and the protocol takes but one statement: none can end the transaction,
        # which is rolled back whatever was done in it.
        cursor = connection.cursor("answer")
        # Most answers are read to their end, which the planner would not expect of a cursor.
        connection.execute("SET LOCAL cursor_tuple_fraction = 1")
        with clock.running():
            cursor.execute(query.encode())
        described = cursor.description or ()
        columns = tuple(column.name for column in described)
        yield Answer(columns, tuple(map(_type_of, described)), _batches(cursor, clock))


def _type_of(column: psycopg.Column) -> ColumnType:
    known = psycopg.adapters.types.get(column.type_code)
    if known is None or column.type_code != known.oid:
        return ColumnType("")
    return ColumnType(known.name, column.precision, column.scale)


def _batches(cursor: psycopg.ServerCursor[tuple[Any, ...]], clock: _Clock) -> Iterator[list[tuple[Any, ...]]]:
    while True:
        with clock.running():
            rows = cursor.fetchmany(BATCH)
        if not rows:
            return
        yield rows


class _Clock:
    """Counts down while the database works, and has it stop in time. How long the rows take to be used is left out."""

    def __init__(self, connection: psycopg.Connection, timeout_s: float) -> None:
        self._connection = connection
        self._left_s = timeout_s if timeout_s else None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Sets the limit anew for every step, because the query itself may have changed it in the one before."""
        left_ms = 0 if self._left_s is None else max(1, round(self._left_s * 1000))
        self._connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(left_ms))
        began = time.monotonic()
        yield
        if self._left_s is not None:
            self._left_s -= time.monotonic() - began


@contextmanager
def _saying_why(timeout_s: float) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.QueryCanceled:
        raise PipelineError(
            f"The query was stopped after {timeout_s:g} s. Ask for less, or give it more time with --timeout "
            "(in Python: timeout_s)."
        ) from None
    except psycopg.Error as error:
        said = [error.diag.message_primary or str(error).strip(), error.diag.message_hint]
        if isinstance(error, psycopg.errors.SyntaxError):
            said.append("It has to be one SELECT.")
        raise PipelineError(f"The query did not run: {'. '.join(text.rstrip('.') for text in said if text)}.") from None


@contextmanager
def _reader(url: sa.URL) -> Iterator[psycopg.Connection]:
    """A connection of this login; in the place of a superuser's one of a login that is there for this query alone."""
    with _connected(url) as connection:
        connection.autocommit = True
        # Asked, because a pooler need not pass on what the server says of a login when it greets.
        if connection.execute("SELECT current_setting('is_superuser')").fetchone() == ("off",):
            connection.autocommit = False
            yield connection
            return
        _drop_left_over(connection)
        login, password = _FOR_ONE_QUERY + secrets.token_hex(8), secrets.token_urlsafe(24)
        _create(connection, login, password)
        try:
            with _of_that_login(url.set(username=login, password=password)) as reading:
                yield reading
        finally:
            with suppress(psycopg.Error):
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


@contextmanager
def _of_that_login(url: sa.URL) -> Iterator[psycopg.Connection]:
    try:
        connection = _connect(url)
    except psycopg.OperationalError as error:
        raise PipelineError(
            "A query does not run under a superuser's login, and the server refuses the one that was made for it "
            f"({str(error).strip()}). Name one that reads in COLLECTION_READER_DATABASE_URL; see docs/access.md."
        ) from None
    with closing(connection):
        yield connection


@contextmanager
def _connected(url: sa.URL) -> Iterator[psycopg.Connection]:
    with closing(_connect(url)) as connection:
        yield connection


def _connect(url: sa.URL) -> psycopg.Connection:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, prepare_threshold=None)  # one query each, and there may be a pooler between


def _create(connection: psycopg.Connection, login: str, password: str) -> None:
    # Hashed here: the server's log may hold the statement.
    hashed = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    creating = sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 1 PASSWORD {} VALID UNTIL {} IN ROLE {}")
    try:
        connection.execute(creating.format(sql.Identifier(login), hashed.decode(), until, sql.Identifier(READER)))
    except psycopg.errors.UndefinedObject:
        raise PipelineError(
            f"There is no role {READER} for queries. Run `collection-pipeline database migrate` under this login."
        ) from None


def _drop_left_over(connection: psycopg.Connection) -> None:
    """Drops logins whose process was killed before it could."""
    for (login,) in connection.execute(_LEFT_OVER, [_FOR_ONE_QUERY]).fetchall():
        with suppress(psycopg.Error):  # another query drops it at this moment
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))
