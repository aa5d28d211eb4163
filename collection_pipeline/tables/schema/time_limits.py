"""How long a transaction may hold an organisation's seller list: a statement that hangs must not hold up everybody."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from psycopg.errors import LockNotAvailable, QueryCanceled

from collection_pipeline.core.errors import TookTooLong

LIST_LIMIT_S = 120
"""Seconds; the merge of a large category takes less than one, an import of a million sellers about a minute."""

_LIMIT = "list_limit_s"
_LIST = "seller_list"


def limit_waits_and_statements(connection: sa.Connection, org_id: str) -> None:
    """Limits, until this transaction ends, how long it waits for a lock and how long each of its statements takes.

    A statement beyond that raises TookTooLong on an engine that `raise_took_too_long` was called for.
    """
    connection.info[_LIST] = org_id
    milliseconds = str(1000 * _limit(connection))
    limits = sa.text("SELECT set_config('lock_timeout', :ms, true), set_config('statement_timeout', :more, true)")
    # A statement that waits for a lock is told so, not that it was slow: so its own limit is a little longer.
    connection.execute(limits, {"ms": milliseconds, "more": f"{milliseconds[:-3]}500"})


def raise_took_too_long(engine: sa.Engine, list_limit_s: int = LIST_LIMIT_S) -> None:
    """Has an engine keep seller lists to this limit, and say what took too long in one sentence."""
    engine.update_execution_options(**{_LIMIT: list_limit_s})
    sa.event.listen(engine, "handle_error", _told)


def _limit(connection: sa.Connection) -> int:
    return int(connection.get_execution_options().get(_LIMIT, LIST_LIMIT_S))


def _told(context: Any) -> None:
    connection: sa.Connection | None = context.connection
    if connection is None or _LIST not in connection.info:
        return
    org_id, limit = connection.info[_LIST], _limit(connection)
    if isinstance(context.original_exception, LockNotAvailable):
        raise TookTooLong(
            f"Another change of the seller list of {org_id} has held it for more than {limit} s, so this one was given "
            "up; nothing was changed. pg_stat_activity shows what holds it. Try again."
        )
    if isinstance(context.original_exception, QueryCanceled):
        raise TookTooLong(
            f"A statement about the seller list of {org_id} took longer than {limit} s and was stopped; nothing was "
            "changed. Try again; if it lasts, run `ANALYZE` on the database, or raise COLLECTION_LIST_LIMIT_S."
        )
