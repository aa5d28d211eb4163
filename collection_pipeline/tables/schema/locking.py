"""Turns: whoever must not do what others do at the same time locks a row of the table `locks` until it has finished.

Holding a row needs the right to change the table, which only the product's own roles have. An advisory lock could be
held by every login that may connect to the database.
"""

from __future__ import annotations

import sqlalchemy as sa

# Makes the row if need be. The condition that is never true leaves a row that is there unchanged, but locked.
_TAKE = sa.text("""
    INSERT INTO locks (name) VALUES (:name)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name WHERE false
""")


def lock_turn(connection: sa.Connection, name: str) -> None:
    """Waits until no other transaction holds this name, then holds it until this transaction ends."""
    connection.execute(_TAKE, {"name": name})
