"""Whether a connection has a session of its own, or a pooler such as PgBouncer lends it one for each transaction.

Nothing here keeps anything in a session, with two exceptions. psycopg prepares statements, which it leaves where there
is a pooler. And whoever wants to hear announcements has to be connected directly (COLLECTION_DATABASE_DIRECT_URL).
"""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq.abc import PGconn

from collection_pipeline.core.errors import PipelineError

_WHO = b"SELECT pg_backend_pid()"


class PoolerBetween(PipelineError):
    """A pooler stands between, where only a session of one's own will do."""

    def __init__(self) -> None:
        super().__init__(
            "A pooler such as PgBouncer is between us and Postgres, and passes no announcements on. Name the server "
            "itself in COLLECTION_DATABASE_DIRECT_URL."
        )


def is_pooled(connection: PGconn) -> bool:
    """Whether a pooler stands between: the process that greeted us is then not the one that answers.

    One round trip.
    """
    answer = connection.exec_(_WHO).get_value(0, 0)
    return answer is None or int(answer) != connection.backend_pid


def require_session(engine: sa.Engine) -> None:
    """Raises PoolerBetween where an engine's connections lead through one."""
    with engine.connect() as connection:
        if is_pooled(connection.connection.driver_connection.pgconn):  # type: ignore[union-attr]
            raise PoolerBetween


def prepare_only_in_a_session(engine: sa.Engine) -> None:
    """Has no statement prepared through a pooler: the session that knows it would be lent to somebody else."""

    @sa.event.listens_for(engine, "connect")
    def look(connection: psycopg.Connection[Any], _: object) -> None:
        if is_pooled(connection.pgconn):
            connection.prepare_threshold = None
