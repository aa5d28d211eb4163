"""Nobody holds a seller list for ever, and who waits in vain or is stopped reads why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from collection_pipeline.core.errors import TookTooLong
from collection_pipeline.core.sellers.edits import NewSeller
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.sellers.seller_list import lock_list
from collection_pipeline.tables.store import Store, open_store
from collection_pipeline_tests.tables.examples import ORG, collect, listing, rows, start


@pytest.fixture
def impatient(database: sa.URL) -> Iterator[Store]:
    with open_store(database, list_limit_s=1) as opened:
        yield opened


def test_who_waits_too_long_for_a_list_changes_nothing_and_reads_why(store: Store, impatient: Store) -> None:
    with store.engine.begin() as holder:
        lock_list(holder, ORG)
        with pytest.raises(TookTooLong, match=r"Another change of the seller list of default .* more than 1 s"):
            impatient.edits.add(ORG, [NewSeller("shop")], Author("me"))
    assert impatient.edits.add(ORG, [NewSeller("shop")], Author("me")).seller_count == 1


def test_a_statement_that_hangs_is_stopped_and_lets_the_others_go_on(store: Store, impatient: Store) -> None:
    start(store, "c1", "kitchen")
    collect(store, "c1", "kitchen", {"B000000001": [listing("1", "shop")]})
    slow = "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); END $$"
    with store.engine.begin() as connection:
        connection.execute(sa.text(slow))
        connection.execute(sa.text("CREATE TRIGGER t BEFORE INSERT ON seller_audit_log EXECUTE FUNCTION dawdle()"))
    with pytest.raises(TookTooLong, match=r"about the seller list of default took longer than 1 s"):
        impatient.edits.add(ORG, [NewSeller("another")], Author("me"))
    with store.engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER t ON seller_audit_log"))
    assert store.edits.add(ORG, [NewSeller("another")], Author("me")).seller_count == 2
    assert rows(store, "SELECT count(*) FROM sellers") == [(2,)]


def test_what_holds_no_list_may_take_its_time(impatient: Store) -> None:
    impatient.edits.add(ORG, [NewSeller("shop")], Author("me"))
    with impatient.engine.connect() as connection:  # the pool's one connection, which was limited a moment ago
        assert connection.execute(sa.text("SHOW statement_timeout")).scalar() == "0"
        connection.execute(sa.text("SELECT pg_sleep(1.6)"))
