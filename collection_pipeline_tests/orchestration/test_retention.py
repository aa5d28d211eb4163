"""The nightly purge as a run of its job: what it does to Dagster's runs, and what it tells."""

import dagster as dg
import pytest
import sqlalchemy as sa

from collection_pipeline.orchestration.instance.pooled_storage import shared_engine
from collection_pipeline_tests.orchestration.conftest import Pipeline

AGE_ALL = sa.text("""
    UPDATE runs SET create_timestamp = create_timestamp - interval '1 year', end_time = end_time - 365 * 86400
""")


@pytest.fixture
def old(pipeline: Pipeline) -> list[str]:
    """Two runs of a category, a year ago, of collections that are over."""
    run_ids = [pipeline.run("home-coffee", collection_id=name).run_id for name in ("c1", "c2")]
    with pipeline.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE collections SET status = 'completed'")
    with shared_engine(pipeline.instance.run_storage.postgres_url).connect() as connection:  # type: ignore[attr-defined]
        connection.execute(AGE_ALL)
    return run_ids


def purge(pipeline: Pipeline, *, only_count: bool = False) -> dict[str, object]:
    """What a purge says of itself in the metadata of its step."""
    done = pipeline.run(None, collection_id=None, job="storage_purge", config={"only_count": only_count})
    assert done.success
    [output] = [event for event in done.all_events if event.event_type is dg.DagsterEventType.STEP_OUTPUT]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def stored(pipeline: Pipeline, run_ids: list[str]) -> list[bool]:
    return [pipeline.instance.has_run(run_id) for run_id in run_ids]


def test_the_purge_removes_the_runs_that_it_counted_and_says_how_many(pipeline: Pipeline, old: list[str]) -> None:
    counted = purge(pipeline, only_count=True)
    assert stored(pipeline, old) == [True, True]
    told = purge(pipeline)
    assert stored(pipeline, old) == [False, True]
    assert told == counted
    assert (told["runs"], told["runs_kept_latest_event"]) == (1, 1)
    [(runs,), (events,)] = pipeline.rows("SELECT removed FROM purges WHERE table_name LIKE 'dagster.%' ORDER BY id")
    assert (runs, events) == (1, told["run_events"])
    assert events > 30


def test_nothing_goes_where_runs_are_kept_for_ever(
    pipeline: Pipeline, old: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTION_KEEP_RUNS_DAYS", "0")
    assert "runs" not in purge(pipeline)
    assert stored(pipeline, old) == [True, True]
