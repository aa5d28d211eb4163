"""Rows that only one transaction at a time can hold."""

from __future__ import annotations

from threading import Thread

import pytest
import sqlalchemy as sa

from collection_pipeline.tables.schema.locking import lock_turn
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import rows
from collection_pipeline_tests.waiting import await_true

WAITING = "SELECT pid FROM pg_locks WHERE NOT granted"


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("is_kept", [False, True])
def test_who_comes_second_waits_until_the_first_has_ended_either_way(
    store: Store, *, is_known: bool, is_kept: bool
) -> None:
    if is_known:
        with store.engine.begin() as connection:
            lock_turn(connection, "a list")
    order: list[str] = []

    def second() -> None:
        with store.engine.begin() as connection:
            lock_turn(connection, "a list")
            order.append("second")

    with store.engine.connect() as connection:
        lock_turn(connection, "a list")
        waiting = Thread(target=second)
        waiting.start()
        await_true(lambda: bool(rows(store, WAITING)))
        order.append("first")
        if is_kept:
            connection.commit()
        else:
            connection.rollback()
        waiting.join(10)
    assert order == ["first", "second"]


def test_different_names_do_not_wait_for_each_other(store: Store) -> None:
    with store.engine.begin() as one, store.engine.begin() as other:
        other.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
        lock_turn(one, "a list")
        lock_turn(other, "another list")
