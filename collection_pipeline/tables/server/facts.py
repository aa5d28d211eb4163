"""What a Postgres server reports to those who operate it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One server, seen through one of its databases."""

    version: str
    connections: int
    connections_allowed: int
    database_bytes: int


@dataclass(frozen=True, slots=True)
class ClockDifference:
    """How far our clock is ahead of the server's, in seconds, to within half the time that asking took."""

    ahead_s: float
    uncertainty_s: float


_FACTS = sa.text("""
    SELECT current_setting('server_version') AS version,
           (SELECT sum(numbackends)::int FROM pg_stat_database) AS connections,
           current_setting('max_connections')::int AS connections_allowed,
           pg_database_size(current_database()) AS database_bytes
""")

_WHICH = sa.text("SELECT current_database(), pg_postmaster_start_time()")

_CLOCK = sa.text("SELECT clock_timestamp()")

TIMES_ASKED = 5


def server_facts(engine: sa.Engine) -> ServerFacts:
    """The server's own figures. Every login may ask."""
    with engine.connect() as connection:
        row = connection.execute(_FACTS).one()
    return ServerFacts(row.version, row.connections, row.connections_allowed, row.database_bytes)


def is_same_database(one: sa.Engine, other: sa.Engine) -> bool:
    """Whether two addresses lead to one database of one server."""
    with one.connect() as first, other.connect() as second:
        return first.execute(_WHICH).one() == second.execute(_WHICH).one()


def clock_difference(engine: sa.Engine, clock: Callable[[], datetime]) -> ClockDifference:
    """The difference of the clocks, by the quickest of a few questions; the server answered in the middle of it."""
    with engine.connect() as connection:
        return min((_asked(connection, clock) for _ in range(TIMES_ASKED)), key=lambda found: found.uncertainty_s)


def _asked(connection: sa.Connection, clock: Callable[[], datetime]) -> ClockDifference:
    before = clock()
    theirs: datetime = connection.execute(_CLOCK).scalar_one()
    took = clock() - before
    return ClockDifference((before + took / 2 - theirs).total_seconds(), took.total_seconds() / 2)
