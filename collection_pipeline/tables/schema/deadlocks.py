"""Trying a transaction again that Postgres has ended because it and another one waited for each other.

Rows are locked in one order wherever one statement changes them all. A transaction of several statements that change
the figures of sellers cannot keep to it: which sellers those are, the triggers find out one statement after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import OperationalError

TRIES = 5
"""Postgres ends one of those that wait for each other after a second, and the others go on."""

P = ParamSpec("P")


def again_after_deadlock(transaction: Callable[P, None]) -> Callable[P, None]:
    """Does a whole transaction again, with the same arguments, if it met a deadlock; raises what the last try does."""

    @wraps(transaction)
    def tried(*args: P.args, **kwargs: P.kwargs) -> None:
        for _ in range(TRIES - 1):
            try:
                return transaction(*args, **kwargs)
            except OperationalError as error:
                if not isinstance(error.orig, DeadlockDetected):
                    raise
        return transaction(*args, **kwargs)

    return tried
