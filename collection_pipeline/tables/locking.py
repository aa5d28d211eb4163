"""Turns: whoever must not do what others do at the same time locks a row of the table `locks` until it has finished.

Holding a row needs the right to change the table, which only the product's own roles have. An advisory lock could be
held by every login that may connect to the database.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

# Makes the row if need be. The condition that is never true leaves a row that is there unchanged, but locked.
_TAKE = sa.text("""
    INSERT INTO locks (name) VALUES (:name)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name WHERE false
""")

_ADD = sa.text("INSERT INTO locks (name) SELECT unnest(CAST(:names AS text[])) ON CONFLICT DO NOTHING")

# A transaction that holds a place is idle while the request is on its way, and must not be ended for that.
_TAKE_ONE = sa.text("""
    SELECT set_config('idle_in_transaction_session_timeout', '0', true)
    FROM locks WHERE name = ANY(:names) LIMIT 1 FOR UPDATE SKIP LOCKED
""")


def take_turn(connection: sa.Connection, name: str) -> None:
    """Waits until no other transaction holds this name, and holds it until this one ends."""
    connection.execute(_TAKE, {"name": name})


def add_places(connection: sa.Connection, names: Sequence[str]) -> None:
    """Makes rows that `take_place` can hold, where there are none yet."""
    connection.execute(_ADD, {"names": list(names)})


def take_place(connection: sa.Connection, names: Sequence[str]) -> bool:
    """Holds any one of these names until the transaction ends; whether one was free. Waits for nobody."""
    return connection.scalar(_TAKE_ONE, {"names": list(names)}) is not None
