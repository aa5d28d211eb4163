"""activity_events week by week: weeks are made ahead, dropped when they are over, and missed by no event."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from collection_pipeline.core.retention import due, with_days
from collection_pipeline.tables.server import event_partitions
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database
from collection_pipeline.tables.server.event_partitions import AHEAD, prepared_partitioning
from collection_pipeline.tables.server.migrating import alembic_config, migrate
from collection_pipeline.tables.store import Store, open_store
from collection_pipeline_tests.tables.examples import rows

NOW = datetime.now(UTC)
MONDAY = (NOW - timedelta(days=NOW.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
ONLY_EVENTS = [purge for purge in due(with_days({"activity_events": 90}), NOW) if purge.rule.table == "activity_events"]

EVENT = """
    INSERT INTO activity_events (timestamp, run_id, collection_id, worker_id, phase, action, category, api_params)
    SELECT CAST(:moment AS timestamptz), 'r1', 'c1', 1, 'ebay', 'found', 'home', '{}' FROM generate_series(1, :count)
"""


def add(store: Store, moment: datetime, count: int = 1) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text(EVENT), {"moment": moment, "count": count})


def add_week(store: Store, monday: datetime) -> str:
    """A week of the past, as it is there once a running pipeline has come so far."""
    name = f"activity_events_week_{monday:%Y_%m_%d}"
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE {name} PARTITION OF activity_events "
            f"FOR VALUES FROM ('{monday.isoformat()}') TO ('{(monday + timedelta(days=7)).isoformat()}')"
        )
    return name


def partitions(store: Store) -> set[str]:
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'activity_events'::regclass"
    return {str(name) for (name,) in rows(store, query)}


def places(store: Store) -> dict[str, int]:
    """How many events lie in which partition."""
    query = "SELECT tableoid::regclass::text, count(*)::int FROM activity_events GROUP BY 1"
    return dict(rows(store, query))  # type: ignore[arg-type]


def test_the_coming_weeks_are_there_before_they_begin(store: Store) -> None:
    weeks = {f"activity_events_week_{MONDAY + timedelta(days=7 * ahead):%Y_%m_%d}" for ahead in range(6)}
    assert partitions(store) >= weeks | {"activity_events_default"}
    for ahead in (timedelta(0), AHEAD):
        add(store, NOW + ahead)
    assert "activity_events_default" not in places(store)


def test_a_purge_makes_weeks_that_are_missing_with_the_pipelines_own_login(database: sa.URL, collector: str) -> None:
    with open_store(database) as store:
        later = f"activity_events_week_{MONDAY + timedelta(days=21):%Y_%m_%d}"
        with store.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {later}")
        with open_store(database.set(username=collector)) as limited:
            limited.purges.run([])
        assert later in partitions(store)


def test_an_event_without_a_week_is_kept_and_found_and_its_week_is_left_out(store: Store) -> None:
    next_year = NOW + timedelta(days=365)
    add(store, next_year)
    assert places(store) == {"activity_events_default": 1}
    assert len(store.activity.since("c1", 0)) == 1
    with store.engine.begin() as connection:
        connection.execute(sa.text("SELECT make_event_weeks(:until)"), {"until": next_year + timedelta(days=20)})
    weeks = partitions(store)
    monday = next_year - timedelta(days=next_year.weekday())
    assert f"activity_events_week_{monday:%Y_%m_%d}" not in weeks
    assert f"activity_events_week_{monday + timedelta(days=7):%Y_%m_%d}" in weeks


def test_a_purge_drops_whole_weeks_and_deletes_what_is_in_none(store: Store) -> None:
    over, partly, kept = (MONDAY - timedelta(days=days) for days in (105, 91, 84))
    names = [add_week(store, monday) for monday in (over, partly, kept)]
    add(store, over + timedelta(days=3), 5)
    add(store, partly, 2)
    add(store, kept, 1)
    add(store, NOW - timedelta(days=400), 4)  # long before there was a week
    is_whole = partly + timedelta(days=7) <= NOW - timedelta(days=90)
    gone = 9 + (2 if is_whole else 0)
    assert store.purges.count(ONLY_EVENTS) == {"activity_events": gone}
    assert store.purges.run(ONLY_EVENTS) == {"activity_events": gone}
    assert names[0] not in partitions(store)
    assert {names[1], names[2]} - partitions(store) == ({names[1]} if is_whole else set())
    assert sum(places(store).values()) == 12 - gone
    assert rows(store, "SELECT sum(removed)::int FROM purges") == [(gone,)]
    assert store.purges.run(ONLY_EVENTS) == {"activity_events": 0}


def test_what_is_in_no_week_goes_in_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_partitions, "BATCH", 3)
    add(store, NOW - timedelta(days=400), 7)
    assert store.purges.run(ONLY_EVENTS) == {"activity_events": 7}
    assert rows(store, "SELECT removed FROM purges ORDER BY id") == [(3,), (3,), (1,)]


def test_a_week_that_somebody_reads_stays_until_the_next_purge(store: Store) -> None:
    name = add_week(store, MONDAY - timedelta(days=105))
    with store.engine.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM activity_events")  # its transaction stays open
        assert store.purges.run(ONLY_EVENTS) == {"activity_events": 0}
    assert name in partitions(store)
    store.purges.run(ONLY_EVENTS)
    assert name not in partitions(store)


@pytest.fixture
def before(server: sa.URL) -> Iterator[sa.Engine]:
    """A database as it was before there were partitions, with 50,000 events of the last hundred days."""
    engine = create_engine(create_database(server, f"before_partitions_{uuid.uuid4().hex}"))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0009")
        connection.execute(sa.text(EVENT), {"moment": NOW, "count": 50_000})
        connection.exec_driver_sql("UPDATE activity_events SET timestamp = now() - mod(id, 100) * interval '1 day'")
    yield engine
    engine.dispose()


def test_a_large_table_becomes_a_partition_while_others_write(before: sa.Engine) -> None:
    with writing(before) as written:
        migrate(before)
    url = before.url
    with open_store(url) as store:
        events = store.activity.since("c2", 0, 100_000)
        ids = [event_id for event_id, _ in events]
        assert len(ids) == len(written)
        assert ids == sorted(set(ids))
        assert rows(store, "SELECT count(*), min(id), max(id) FROM activity_events WHERE collection_id = 'c1'") == [
            (50_000, 1, 50_000)
        ]
        assert "activity_events_before" in partitions(store)
        assert store.purges.run(ONLY_EVENTS) == {"activity_events": 50_000 * 9 // 100}
        add(store, NOW + AHEAD)
        assert places(store)[f"activity_events_week_{MONDAY + AHEAD:%Y_%m_%d}"] == 1


def test_a_migration_that_fails_leaves_nothing_that_refuses_events(before: sa.Engine) -> None:
    with pytest.raises(RuntimeError), prepared_partitioning(before):
        raise RuntimeError
    with before.begin() as connection:
        connection.execute(sa.text(EVENT), {"moment": NOW + timedelta(days=300), "count": 1})
    migrate(before)
    with before.begin() as connection:
        command.downgrade(alembic_config(connection), "0009")
        assert connection.scalar(sa.text("SELECT count(*) FROM activity_events")) == 50_001
        connection.execute(sa.text(EVENT), {"moment": NOW, "count": 1})
        assert connection.scalar(sa.text("SELECT max(id) FROM activity_events")) == 50_002


@contextmanager
def writing(engine: sa.Engine) -> Iterator[list[int]]:
    """Somebody who adds one event after the other meanwhile; what was committed."""
    over, written = threading.Event(), list[int]()

    def write() -> None:
        while not over.is_set():
            with engine.begin() as connection:
                statement = EVENT.replace("'c1'", "'c2'")
                connection.execute(sa.text(statement), {"moment": datetime.now(UTC), "count": 1})
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield written
    finally:
        over.set()
        writer.join()
