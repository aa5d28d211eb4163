"""The figures of an installation: each says what the tables hold, and none is found by reading a large one whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from collection_pipeline.core.collecting.collections import Pause
from collection_pipeline.core.collecting.usage import Call, Limits, Source
from collection_pipeline.core.sellers.edits import NewSeller
from collection_pipeline.tables.collecting.governor import Governor
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.figures import Figures, FigureStore
from collection_pipeline_tests.conftest import copied
from collection_pipeline_tests.feed.serving import append, event
from collection_pipeline_tests.tables.examples import collect, finish, listing, rows, start

SOMEBODY = Author("somebody")

LIMITS: dict[Source, Limits] = {
    "ebay": Limits(requests_per_s=100, in_flight=3, calls_per_day=50),
    "oxylabs": Limits(requests_per_s=5, in_flight=25),
}


def read(store: Store) -> Figures:
    return FigureStore(store.engine, LIMITS).read()


def test_an_empty_database_has_figures_and_what_is_unknown_is_none(store: Store) -> None:
    figures = read(store)
    assert set(figures.calls.values()) == {0}
    assert figures.sellers == {}
    assert set(figures.collections.values()) == set(figures.categories.values()) == {0}
    assert (figures.last_event_at, figures.quietest_collection_at) == (None, None)
    assert figures.sources["ebay"].quota == 50
    assert figures.sources["oxylabs"].quota is None


def test_calls_places_and_quota_are_the_governors(store: Store) -> None:
    async def use() -> Figures:
        async with (
            Governor(store.engine, LIMITS).ledger() as ledger,
            ledger.call(Call("ebay", "token")),
            ledger.call(Call("ebay", "search")),
        ):
            return read(store)

    during, after = asyncio.run(use()), read(store)
    assert {call: number for call, number in after.calls.items() if number} == {
        ("ebay", "search"): 1,
        ("ebay", "token"): 1,
    }
    assert (during.sources["ebay"].in_flight, after.sources["ebay"].in_flight) == (2, 0)
    assert after.sources["ebay"].in_flight_limit == 3
    assert after.sources["ebay"].quota_used == 1  # tokens cost nothing of it
    assert after.sources["oxylabs"].in_flight == 0


def test_yesterdays_calls_are_calls_but_not_of_todays_quota(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO api_usage VALUES ('ebay', 'search', current_date - 2, 40, 40)"))
    figures = read(store)
    assert (figures.calls["ebay", "search"], figures.sources["ebay"].quota_used) == (40, 0)


def test_the_lower_one_of_two_rates_counts_and_moments_are_booked_ahead(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO source_rates VALUES ('ebay', clock_timestamp() + interval '1 hour', 20)")
        )
        connection.execute(sa.text("INSERT INTO source_rates VALUES ('oxylabs', '-infinity', 1000)"))
    figures = read(store)
    assert figures.sources["ebay"].requests_per_s_limit == 20
    assert 3_500 < figures.sources["ebay"].booked_ahead_s <= 3_600
    assert figures.sources["oxylabs"].requests_per_s_limit == 5
    assert figures.sources["oxylabs"].booked_ahead_s == 0


def test_collections_are_counted_by_status_and_only_open_ones_categories(store: Store) -> None:
    start(store, "ended", "books")
    collect(store, "ended", "books", {"A1": [listing("1", "anna"), listing("2", "bert")]})
    finish(store, "ended")
    store.snapshots.of_collection("ended")
    start(store, "open", "books", "toys", "games")
    collect(store, "open", "books", {"A1": [listing("3", "carl")]})
    store.control.pause("open", Pause("by_hand", "Somebody paused it."))
    rows_changed(store, "UPDATE collection_categories SET started_attempt = attempt WHERE category = 'toys'")
    figures = read(store)
    assert {status: count for status, count in figures.collections.items() if count} == {"completed": 1, "paused": 1}
    assert {status: count for status, count in figures.categories.items() if count} == {"running": 1, "planned": 2}
    assert figures.queued_categories == 1


def rows_changed(store: Store, statement: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text(statement))


def test_sellers_are_those_on_each_list_now(store: Store) -> None:
    start(store, "c", "books")
    collect(store, "c", "books", {"A1": [listing("1", "anna"), listing("2", "bert")]})
    for org_id, names in {"acme": ["carl"], "zoo": ["dora", "emil", "fred"]}.items():
        store.edits.add(org_id, [NewSeller(name) for name in names], SOMEBODY)
    store.edits.remove("zoo", ["emil"], SOMEBODY)
    live = rows(store, "SELECT org_id, count(*) FROM sellers WHERE status = 'active' GROUP BY org_id")
    assert {(org_id, count) for org_id, count in live} == set(read(store).sellers.items())
    assert read(store).sellers == {"default": 2, "acme": 1, "zoo": 2}


def test_the_quietest_running_collection_is_the_one_to_look_at(store: Store) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    for number, collection_id in enumerate(["a", "b", "silent"]):
        start(store, collection_id, f"category-{number}")
    append(store, range(1), "a", timestamp=long_ago)
    append(store, range(1), "b", timestamp=long_ago + timedelta(days=1))
    figures = read(store)
    assert figures.quietest_collection_at == long_ago
    assert figures.last_event_at == long_ago + timedelta(days=1)
    append(store, range(1), "a", timestamp=datetime.now(UTC) + timedelta(days=1))
    append(store, range(1), "b", timestamp=datetime.now(UTC) + timedelta(days=1))
    assert read(store).quietest_collection_at == store.collections.get("silent").started_at


def test_errors_are_counted_once_each_however_often_somebody_looks(store: Store) -> None:
    append(store, range(3), action="error", error_type="transient")  # before anybody looked
    figures = FigureStore(store.engine, LIMITS)
    assert set(figures.read().errors.values()) == {0}
    append(store, range(2), action="error", error_type="transient")
    append(store, range(1), action="rate_limited", error_type="rate_limited", phase="amazon")
    append(store, range(5))
    for _ in range(4):
        counted = {key: count for key, count in figures.read().errors.items() if count}
        assert counted == {("ebay", "transient"): 2, ("amazon", "rate_limited"): 1}


def test_an_error_whose_collection_commits_late_is_not_missed(store: Store) -> None:
    figures = FigureStore(store.engine, LIMITS)
    figures.read()
    with store.engine.connect() as late:
        late.execute(
            sa.text(
                "INSERT INTO activity_events (timestamp, run_id, collection_id, worker_id, phase, action, category, "
                "api_params, error_type) VALUES (now(), 'r', 'late', 1, 'ebay', 'error', 'books', '{}', 'transient')"
            )
        )
        append(store, range(2), action="error", error_type="transient")
        assert figures.read().errors["ebay", "transient"] == 2
        late.commit()
    assert figures.read().errors["ebay", "transient"] == 3
    assert figures.read().errors["ebay", "transient"] == 3


def test_errors_that_come_in_masses_are_all_counted_in_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collection_pipeline.tables.watching.error_counts.MOST_EVENTS", 10)
    figures = FigureStore(store.engine, LIMITS)
    figures.read()
    store.activity.append([event(number, action="error", error_type="transient") for number in range(95)])
    counts = [figures.read().errors["ebay", "transient"] for _ in range(25)]
    assert counts == sorted(counts)
    assert counts[-1] == 95


@pytest.fixture(scope="module")
def large(server: sa.URL) -> Iterator[sa.Engine]:
    """A database with much in it, of which the planner has not heard."""
    engine = create_engine(copied(server, "template", "much_to_count"))
    with engine.begin() as connection:
        for statement in MUCH:
            connection.execute(sa.text(statement))
    yield engine
    engine.dispose()


MUCH = (
    """INSERT INTO collections (collection_id, org_id, status, fingerprint)
       SELECT 'c' || n, 'org-' || n % 5, CASE WHEN n > 997 THEN 'running' ELSE 'completed' END, n::text
       FROM generate_series(1, 1000) n""",
    """INSERT INTO collection_categories (collection_id, category, status)
       SELECT 'c' || c, 'category-' || n, 'planned' FROM generate_series(900, 1000) c, generate_series(1, 300) n""",
    """INSERT INTO activity_events (timestamp, run_id, collection_id, worker_id, phase, action, category, api_params)
       SELECT now(), 'r', 'c' || n % 900, 1, 'ebay', 'found', 'books', '{}' FROM generate_series(1, 100000) n""",
    """INSERT INTO seller_audit_log (org_id, action, actor, source, affected_count, old_values, new_values,
                                     seller_count_snapshot)
       SELECT 'org-' || n % 5, 'discovered', 'run', 'collection', 0, '[]', '[]', n FROM generate_series(1, 50000) n""",
)


@pytest.mark.parametrize("is_analysed", [False, True])
def test_no_figure_reads_a_large_table_whole(large: sa.Engine, is_analysed: bool) -> None:
    if is_analysed:
        with large.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))
    figures = FigureStore(large, LIMITS)
    figures.read()
    read_rows = tuples_read(large)
    assert figures.read().sellers == {f"org-{n}": 50_000 - (5 - n) % 5 for n in range(5)}
    grown = {table: count - read_rows[table] for table, count in tuples_read(large).items()}
    assert grown["seller_audit_log"] < 100
    assert grown["activity_events"] < 100
    assert grown["collection_categories"] < 3 * 300 + 100


def tuples_read(engine: sa.Engine) -> dict[str, int]:
    """How many rows of each table were read so far, by scans of it and of its indexes."""
    query = sa.text("""
        SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) AS read FROM pg_stat_user_tables
    """)
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_stat_force_next_flush()"))
        connection.commit()
        return {row.relname: row.read for row in connection.execute(query)}
