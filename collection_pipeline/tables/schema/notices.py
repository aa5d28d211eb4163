"""What Postgres announces (NOTIFY) to whoever listens: new events of a collection, or that collections have changed.

An announcement is heard when what it announces is committed. Whoever does not listen, or not at that moment, finds
the same by looking; listening is only quicker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect

from collection_pipeline.tables.schema.sessions import PoolerBetween, is_pooled

CHANNELS = "SELECT channel FROM activity_channel"
"""Where everything is announced. The name is a secret of the product's roles, so that no other login can listen, or
announce what is not so.
"""

DAEMON = "daemon"
"""The topic of what Dagster's daemon should look at: collections that start, go on or are to stop, a new catalogue, an
alert. Every other topic is that of a collection's events.
"""

_ANNOUNCE = sa.text("SELECT pg_notify((SELECT channel FROM activity_channel), :topic)")

LONGEST_WAIT_S = 2.0
POOLED_WAIT_S = 60.0
"""Somebody has to correct a setting first, unless the address leads to another place by then."""

# Where the network swallows a connection nobody says so; these find out within half a minute.
_KEEP_ALIVE = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}

logger = logging.getLogger(__name__)


def announce(connection: sa.Connection, topic: str) -> None:
    """Announces a topic, once the transaction is committed."""
    connection.execute(_ANNOUNCE, {"topic": topic})


async def listen(
    url: sa.URL, on_news: Callable[[str | None], None], on_break: Callable[[], None] = lambda: None
) -> None:
    """Calls `on_news` with the topic of every announcement, until cancelled. Connects again when Postgres was away.

    After every connecting it calls `on_news(None)`, for any topic: what was announced while nobody listened is lost, so
    everybody has to look. `on_break()` is called when a connection ends or cannot be made. Through a pooler nothing is
    heard; it says so in the log, and tries again every minute.
    """
    wait_s = 0.05
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**_arguments(url), autocommit=True) as connection:
                if is_pooled(connection.pgconn):
                    raise PoolerBetween
                channels = await (await connection.execute(CHANNELS.encode())).fetchall()
                for (channel,) in channels:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                wait_s = 0.05
                on_news(None)
                async for notice in connection.notifies():
                    on_news(notice.payload)
        except (psycopg.Error, OSError) as error:
            logger.warning("Listening to the database ended (%s); connecting again.", type(error).__name__)
        except PoolerBetween as error:
            logger.warning("%s", error)
            wait_s = POOLED_WAIT_S
        on_break()
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def _arguments(url: sa.URL) -> dict[str, Any]:
    """How an engine connects, said to psycopg itself; `context` holds adapters of SQLAlchemy's own."""
    _, arguments = psycopg_dialect.dialect().create_connect_args(url)  # type: ignore[no-untyped-call]
    return {name: value for name, value in arguments.items() if name != "context"} | _KEEP_ALIVE
