"""A full disk in the middle of a collection: it is said, the collection waits for room, and nothing is counted twice.

Where a disk can be mounted, Postgres itself runs out of room; elsewhere a trigger answers in its words.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import dagster as dg
import psycopg
import pytest
import sqlalchemy as sa

from collection_pipeline.core.collecting.collections import CategoryStatus, CollectionStatus
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.full_disks import DATABASE_IS_FULL
from collection_pipeline.orchestration import collection_scope
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.collecting.automation import finish_collections, resume_collections
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded, watched
from collection_pipeline.tables.server.migrating import migrate
from collection_pipeline_tests.disks import MB, Disk, small_disk
from collection_pipeline_tests.orchestration.conftest import Pipeline
from collection_pipeline_tests.waiting import await_true

IS_FULL = "BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END"

_numbers = itertools.count(1)


@pytest.fixture
def disk() -> Iterator[Disk]:
    with small_disk(200) as mounted:
        yield mounted


@pytest.fixture
def on_small_disk(disk: Disk, collector: str) -> Iterator[sa.URL]:
    """A migrated database on an embedded server on the small disk, with the login under which the pipeline runs."""
    home = disk.path / "home"
    url = create_database(start_embedded(home), f"small_{next(_numbers)}")
    engine = create_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {collector} LOGIN IN ROLE collection_pipeline")
    engine.dispose()
    yield url
    stop_embedded(home)


def fill_by_trigger(pipeline: Pipeline, *tables: str) -> None:
    run_sql(
        pipeline,
        f"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ {IS_FULL} $$",
        *(
            f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION full_disk()"
            for table in tables
        ),
    )


def run_sql(pipeline: Pipeline, *statements: str) -> None:
    with pipeline.store.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """What the run's log says of the step that failed first."""
    event = next(event for event in result.all_events if event.is_step_failure)
    failure = event.step_failure_data.user_failure_data
    assert failure is not None, event.step_failure_data.error
    return str(failure.description)


def tick(pipeline: Pipeline, sensor: dg.SensorDefinition, settings: Settings) -> None:
    with dg.build_sensor_context(instance=pipeline.instance, resources={"settings": settings}) as context:
        sensor.evaluate_tick(context)


def assert_it_waits_for_room(pipeline: Pipeline, result: dg.ExecuteInProcessResult) -> None:
    assert not result.success
    assert failure_of(result) == DATABASE_IS_FULL
    collection = pipeline.store.collections.get("c1")
    assert collection.status is CollectionStatus.PAUSED
    assert collection.pause is not None
    assert (collection.pause.reason, collection.pause.message) == ("disk_full", DATABASE_IS_FULL)
    assert collection.pause.until is not None
    assert timedelta() < collection.pause.until - utc_now() < timedelta(minutes=3)


def assert_it_goes_on(pipeline: Pipeline, settings: Settings) -> None:
    """Once the pause is over a sensor resumes it; every seller is found, and nothing is fetched twice."""
    before = pipeline.rows("SELECT count(*) FROM product_searches WHERE status = 'done'")
    run_sql(pipeline, "UPDATE collections SET paused_until = now()")
    tick(pipeline, resume_collections, settings)
    assert pipeline.store.collections.get("c1").status is CollectionStatus.RUNNING
    assert pipeline.run("home-coffee").success
    truth = pipeline.truth("home-coffee")
    assert pipeline.sellers() == set(truth["sellers"])
    assert pipeline.rows("SELECT count(*) FROM ebay_listings") == [(truth["listing_count"],)]
    assert before <= pipeline.rows("SELECT count(*) FROM product_searches WHERE status = 'done'")


@pytest.fixture
def settings(pipeline: Pipeline) -> Settings:
    del pipeline  # it sets the environment
    return Settings.from_mapping(os.environ)


@pytest.mark.parametrize("table", ["product_searches", "ebay_listings", "best_seller_pages", "activity_events"])
def test_a_full_disk_pauses_the_collection_which_goes_on_once_there_is_room(
    pipeline: Pipeline, settings: Settings, table: str
) -> None:
    fill_by_trigger(pipeline, table)
    assert_it_waits_for_room(pipeline, pipeline.run("home-coffee"))
    run_sql(pipeline, "DROP FUNCTION full_disk CASCADE")
    assert_it_goes_on(pipeline, settings)


def test_a_run_that_cannot_even_write_the_pause_ends_and_a_sensor_plans_it_anew(
    pipeline: Pipeline, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection_scope, "PAUSE_PATIENCE_S", 0)
    pipeline.store.control.enter("c1", "home-coffee", "earlier", org_id="default")
    fill_by_trigger(pipeline, "product_searches", "collections")
    result = pipeline.run("home-coffee")
    assert failure_of(result) == DATABASE_IS_FULL
    [unit] = pipeline.units()
    assert unit.status is CategoryStatus.RUNNING
    tick(pipeline, finish_collections, settings)
    run_sql(pipeline, "DROP FUNCTION full_disk CASCADE")
    tick(pipeline, finish_collections, settings)
    [unit] = pipeline.units()
    assert (unit.status, unit.attempt) == (CategoryStatus.PLANNED, 2)
    assert pipeline.run("home-coffee").success
    assert pipeline.sellers() == set(pipeline.truth("home-coffee")["sellers"])


class TestOnARealDisk:
    """The same where Postgres itself has no room."""

    @pytest.fixture
    def database(self, on_small_disk: sa.URL) -> sa.URL:
        return on_small_disk

    def test_postgres_without_room_pauses_the_collection_which_goes_on_once_there_is(
        self, pipeline: Pipeline, settings: Settings, disk: Disk
    ) -> None:
        disk.fill(leave=MB // 4)
        assert_it_waits_for_room(pipeline, pipeline.run("home-coffee"))
        disk.empty()
        assert_it_goes_on(pipeline, settings)

    def test_a_run_whose_server_ends_for_want_of_room_says_so_and_its_category_goes_on(
        self, pipeline: Pipeline, on_small_disk: sa.URL, disk: Disk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home, address = disk.path / "home", on_small_disk.render_as_string(hide_password=False)
        monkeypatch.setenv("COLLECTION_HOME", str(home))
        monkeypatch.setattr(collection_scope, "PAUSE_PATIENCE_S", 0)
        pipeline.simulator.configure(ebay_latency_s=0.3)

        def end_it() -> None:
            await_true(lambda: pipeline.simulator.stats()["requests"].get("ebay.search", 0) > 5, 60)
            disk.fill()
            with suppress(psycopg.OperationalError):
                write_much(address)

        with watched(home), ThreadPoolExecutor() as threads:
            ended = threads.submit(end_it)
            result = pipeline.run("home-coffee")
            ended.result()
            assert failure_of(result) == DATABASE_IS_FULL
            disk.empty()
            await_true(lambda: answers(address), 60)
            settings = Settings.from_mapping(os.environ)
            tick(pipeline, finish_collections, settings)
            if pipeline.store.collections.get("c1").status is CollectionStatus.PAUSED:  # Postgres came back once more
                run_sql(pipeline, "UPDATE collections SET paused_until = now()")
                tick(pipeline, resume_collections, settings)
            [unit] = pipeline.units()
            assert unit.status is CategoryStatus.PLANNED
            assert pipeline.run("home-coffee").success
            assert pipeline.sellers() == set(pipeline.truth("home-coffee")["sellers"])


def test_a_server_that_ended_because_its_log_has_no_room_is_started_again_once_there_is(
    disk: Disk, on_small_disk: sa.URL
) -> None:
    home = disk.path / "home"
    address = on_small_disk.render_as_string(hide_password=False)
    with watched(home):
        disk.fill()
        with pytest.raises(psycopg.OperationalError):
            write_much(address)
        await_true(lambda: not answers(address), 20)
        disk.empty()
        await_true(lambda: answers(address), 60)


def write_much(address: str) -> None:
    """More of the log than the server has room for."""
    with psycopg.connect(address, autocommit=True) as connection:
        for _ in range(200):
            connection.execute("SELECT pg_logical_emit_message(false, 'ballast', repeat('x', 1000000))")


def answers(address: str) -> bool:
    try:
        with psycopg.connect(address) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_a_server_that_cannot_start_for_want_of_room_says_so(disk: Disk) -> None:
    disk.fill(leave=MB)
    with pytest.raises(PipelineError, match=r"No space left on device.* Its disk is full: free some space"):
        start_embedded(disk.path / "home")
    disk.empty()
    start_embedded(disk.path / "home")
    stop_embedded(disk.path / "home")
    assert not list(Path(disk.path / "home").glob("*.new"))
