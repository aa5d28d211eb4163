"""Through PgBouncer in transaction mode everything is as it is without: the tables, the list, the rate, the news."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from collection_pipeline import query
from collection_pipeline.core.collecting.usage import DEFAULT_LIMITS, Call, Limits
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.edits import NewSeller
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.stores import open_store
from collection_pipeline.tables.collecting.governor import Governor
from collection_pipeline.tables.schema.sessions import require_session
from collection_pipeline.tables.schema.version import require_current_schema
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database
from collection_pipeline.tables.server.migrating import migrate
from collection_pipeline.tables.server.run_leases import Renewal, RunLeases
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.commands.doctor.test_doctor import report
from collection_pipeline_tests.feed.serving import Reading, append, ask, serving
from collection_pipeline_tests.feed.test_health import ALL_OK, checks
from collection_pipeline_tests.orchestration.conftest import SMALL, Pipeline
from collection_pipeline_tests.pooled.pgbouncer import Pooler
from collection_pipeline_tests.tables.examples import ORG, rows, start
from collection_pipeline_tests.waiting import await_true

ANNA = Author("anna")


@pytest.fixture
def environment(database: sa.URL, pooler: Pooler) -> dict[str, str]:
    """As docs/operations.md sets it up."""
    return {
        "COLLECTION_DATABASE_URL": pooler.through(database).render_as_string(hide_password=False),
        "COLLECTION_DATABASE_DIRECT_URL": database.render_as_string(hide_password=False),
    }


@pytest.fixture
def pooled(environment: dict[str, str]) -> Iterator[Store]:
    with open_store(Settings.from_mapping(environment)) as store:
        yield store


def test_an_empty_database_is_migrated(server: sa.URL, pooler: Pooler) -> None:
    engine = create_engine(pooler.through(create_database(server, "migrated_through_a_pooler")))
    with pytest.raises(PipelineError, match="A pooler such as PgBouncer"):
        require_session(engine)
    migrate(engine)
    require_current_schema(engine)
    migrate(engine)
    engine.dispose()


@pytest.mark.parametrize("simulator", [replace(SMALL, ebay_latency_s=0.03)], indirect=True)
def test_a_collection_is_the_truth_whatever_dies_on_the_way_to_postgres(pipeline: Pipeline, pooler: Pooler) -> None:
    def searches() -> int:
        return int(pipeline.simulator.stats()["requests"].get("ebay.search", 0))

    def sessions_end() -> None:
        # Of both databases: Dagster's has the other's name in its own.
        theirs = "datname LIKE '%' || current_database() AND pid <> pg_backend_pid()"
        pipeline.rows(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {theirs}")

    def pooler_dies() -> None:
        pooler.kill()
        pooler.start()

    def trouble() -> None:
        for at, happens in ((4, sessions_end), (8, pooler_dies), (12, sessions_end)):
            await_true(lambda at=at: searches() >= at)  # type: ignore[misc]
            happens()

    troubled = threading.Thread(target=trouble)
    troubled.start()
    runs = 0
    while not _succeeds(pipeline):
        runs += 1
        assert runs < 6
    troubled.join()
    truth = pipeline.truth("home-coffee")
    assert pipeline.sellers() == set(truth["sellers"])
    listings = {tuple(row) for row in pipeline.rows("SELECT asin, listing_id FROM ebay_listings")}
    assert listings == {(asin, one) for asin, product in truth["products"].items() for one in product["listings"]}
    asked_again = sum(search["requests"] - 1 for search in pipeline.simulator.stats()["searches"])
    assert asked_again <= 3 * 5
    [calls] = pipeline.rows("SELECT sum(calls)::int FROM api_usage WHERE operation = 'search'")
    assert searches() <= calls[0] <= searches() + 3 * 5


def _succeeds(pipeline: Pipeline) -> bool:
    with suppress(sa.exc.DBAPIError):  # Dagster's own tables are behind the pooler as well
        return pipeline.run("home-coffee").success
    return False


def test_many_edit_the_list_over_few_sessions(pooled: Store, environment: Mapping[str, str]) -> None:
    def edit(person: int) -> None:
        with open_store(Settings.from_mapping(environment)) as store:
            for turn in range(10):  # psycopg would prepare a statement at its sixth time
                store.edits.add(ORG, [NewSeller(f"seller-{person}-{turn}")], ANNA)

    with ThreadPoolExecutor(8) as people:
        list(people.map(edit, range(8)))
    removed = pooled.edits.remove(ORG, [f"seller-{person}-0" for person in range(8)], ANNA)
    assert removed.seller_count == 72
    counted = query.sql("SELECT count(*) AS n FROM sellers WHERE status = 'active'", environment=environment)
    assert counted["n"][0] == 72
    assert pooled.edits.undo(ORG, removed.audit_id, ANNA, datetime.now(UTC)).seller_count == 80


def test_questions_are_asked_under_a_readers_login_only(database: sa.URL, pooler: Pooler) -> None:
    """The pooler knows no login that is made for one query, so without a direct address a superuser is refused."""
    url = pooler.through(database).render_as_string(hide_password=False)
    with pytest.raises(PipelineError, match="COLLECTION_READER_DATABASE_URL"):
        query.sql("SELECT 1 AS n", environment={"COLLECTION_DATABASE_URL": url})
    reader = pooler.through(database.set(username="the_collector")).render_as_string(hide_password=False)
    asked = {"COLLECTION_DATABASE_URL": url, "COLLECTION_READER_DATABASE_URL": reader}
    assert len(query.sql("SELECT n FROM generate_series(1, 1000) n", environment=asked)) == 1000


def test_one_rate_and_one_number_in_flight(pooled: Store) -> None:
    limits = {**DEFAULT_LIMITS, "ebay": Limits(requests_per_s=500, in_flight=3)}
    in_flight, highest = 0, 0

    async def run() -> None:
        nonlocal in_flight, highest
        async with Governor(pooled.engine, limits).ledger() as ledger:
            for _ in range(10):
                async with ledger.call(Call("ebay", "search")):
                    in_flight += 1
                    highest = max(highest, in_flight)
                    await asyncio.sleep(0.02)
                    in_flight -= 1

    async def five_runs() -> None:
        await asyncio.gather(*(run() for _ in range(5)))

    asyncio.run(five_runs())
    assert highest == 3
    assert rows(pooled, "SELECT calls FROM api_usage") == [(50,)]


def test_new_events_are_heard_over_the_direct_address(pooled: Store) -> None:
    start(pooled, "c", "books")
    with serving(pooled) as url:
        await_true(lambda: checks(url) == ALL_OK)
        with Reading(f"{url}/collections/c/activity") as reading:
            reading.is_live()
            append(pooled, range(20))
            assert reading.has(20).numbers == list(range(20))


def test_without_one_the_page_looks_by_itself_and_says_what_to_set(pooled: Store) -> None:
    start(pooled, "c", "books")
    with serving(Store(pooled.engine)) as url, Reading(f"{url}/collections/c/activity") as reading:
        reading.is_live()
        append(pooled, range(20))
        assert reading.has(20).numbers == list(range(20))
        assert "COLLECTION_DATABASE_DIRECT_URL" in checks(url)["listener"]
        assert ask.get(f"{url}/healthz").status_code == 200


def test_the_doctor_knows_a_pooler(environment: dict[str, str], server: sa.URL) -> None:
    assert report(environment)["live events"]["level"] == "ok"
    elsewhere = server.set(database="template").render_as_string(hide_password=False)
    astray = report({**environment, "COLLECTION_DATABASE_DIRECT_URL": elsewhere})["live events"]
    assert (astray["level"], "another database" in astray["what"]) == ("fault", True)
    del environment["COLLECTION_DATABASE_DIRECT_URL"]
    without = report(environment)["live events"]
    assert (without["level"], "DIRECT_URL" in without["what"]) == ("warning", True)


def test_a_run_is_leased_to_one_worker(pooled: Store) -> None:
    leases = RunLeases(pooled.engine)
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda number: leases.take("r", f"w{number}"), range(8)))
    [holder] = [f"w{number}" for number, has_it in enumerate(taken) if has_it]
    assert leases.renew("r", holder) is Renewal.HELD
    assert leases.stop("r")
    assert leases.renew("r", holder) is Renewal.STOPPING
    leases.give_back("r", holder)
    assert leases.take("r", "next")
    late = RunLeases(pooled.engine, lease_s=-1)
    assert late.take("s", "dead")
    assert late.renew("s", "dead") is Renewal.LOST
