"""The retention of Dagster's runs on a real instance: what goes, what stays for which reason, and who never notices."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.run_retention import Kept, RunPurge, purge_runs
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.instance.old_runs import _HOLDING_EVENTS, _REMOVE_EVENTS, _SHOWN, OldRuns
from collection_pipeline.orchestration.instance.pooled_storage import shared_engine
from collection_pipeline.orchestration.retention import remove_old_runs
from collection_pipeline.orchestration.run_tags import BACKFILL_TAG, COLLECTION_TAG
from collection_pipeline_tests.orchestration.conftest import Pipeline

COLOURS = dg.StaticPartitionsDefinition(["red", "blue"])
BRIGHT = dg.AssetCheckKey(dg.AssetKey("paint"), "is_bright")


@dg.asset(partitions_def=COLOURS, check_specs=[dg.AssetCheckSpec("is_bright", asset="paint")], code_version="1")
def paint(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # else it is an output
    context.log_event(dg.AssetObservation("paint", partition=context.partition_key, tags={"can": "3"}))
    context.log.info("It dries.")
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name="is_bright")])


@dg.asset(deps=[paint], partitions_def=COLOURS)
def wall() -> None:
    pass


@dg.asset
def house() -> None:
    pass


@dg.asset(name="wall", partitions_def=COLOURS)
def wall_that_falls() -> None:
    raise ValueError("It falls.")


@dg.op
def look_at_wall(context: dg.OpExecutionContext) -> None:
    context.log_event(dg.AssetObservation("wall", partition="red"))


@dg.op
def look_at_paint(context: dg.OpExecutionContext) -> None:
    context.log_event(dg.AssetObservation("paint"))


@dg.asset_check(asset=wall, partitions_def=COLOURS)
def stands() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def painted(pipeline: Pipeline, colour: str = "red", tags: Mapping[str, str] | None = None) -> str:
    done = dg.materialize([paint, wall], instance=pipeline.instance, partition_key=colour, tags=tags)
    return done.run_id


def seen(pipeline: Pipeline, op: dg.OpDefinition) -> str:
    @dg.job(name=op.name + "_job")
    def look() -> None:
        op()

    return look.execute_in_process(instance=pipeline.instance).run_id


def age(pipeline: Pipeline, *run_ids: str, days: int = 100, ended_days: int | None = None) -> None:
    """Moves runs into the past, their ends by another number of days if one is given."""
    execute(
        pipeline,
        "UPDATE runs SET create_timestamp = create_timestamp - make_interval(days => :days), "
        "update_timestamp = update_timestamp - make_interval(days => :ended), "
        "end_time = end_time - :ended * 86400 WHERE run_id = ANY(:run_ids)",
        {"days": days, "ended": days if ended_days is None else ended_days, "run_ids": list(run_ids)},
    )


def age_all(pipeline: Pipeline) -> None:
    age(pipeline, *(run.run_id for run in pipeline.instance.get_runs()))


def engine(pipeline: Pipeline) -> sa.Engine:
    return shared_engine(pipeline.instance.run_storage.postgres_url)  # type: ignore[attr-defined]


def execute(pipeline: Pipeline, statement: str, values: Mapping[str, Any]) -> None:
    with engine(pipeline).connect() as connection:
        connection.execute(sa.text(statement), values)


def rows_of(pipeline: Pipeline, run_id: str) -> dict[str, int]:
    """How many rows of which of Dagster's tables are a run's."""
    events = "(SELECT id FROM event_logs WHERE run_id = :run_id)"
    with engine(pipeline).connect() as connection:
        tables = connection.scalars(
            sa.text("SELECT table_name FROM information_schema.columns WHERE column_name = 'run_id'")
        ).all()
        counts = {
            table: connection.scalar(
                sa.text(f"SELECT count(*) FROM {table} WHERE run_id = :run_id"), {"run_id": run_id}
            )
            for table in tables
        }
        counts["asset_event_tags"] = connection.scalar(
            sa.text(f"SELECT count(*) FROM asset_event_tags WHERE event_id IN {events}"), {"run_id": run_id}
        )
    return {table: count for table, count in counts.items() if count}


def total(pipeline: Pipeline, table: str) -> int:
    with engine(pipeline).connect() as connection:
        return int(connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)


def purged(pipeline: Pipeline, *, only_count: bool = False) -> RunPurge:
    return remove_old_runs(pipeline.instance, pipeline.store, 90, only_count=only_count)


def stays(pipeline: Pipeline, run_id: str) -> bool:
    return pipeline.instance.get_run_by_id(run_id) is not None


def test_an_old_run_goes_with_all_that_is_its_own(pipeline: Pipeline) -> None:
    old, new = painted(pipeline), painted(pipeline)
    age_all(pipeline)
    of_old, of_new = rows_of(pipeline, old), rows_of(pipeline, new)
    assert of_old.keys() == {"runs", "run_tags", "event_logs", "asset_event_tags", "asset_check_executions"}
    tags = total(pipeline, "asset_event_tags")
    assert purged(pipeline, only_count=True).runs == 1
    assert stays(pipeline, old)
    result = purged(pipeline)
    assert (result.runs, result.events, result.is_complete) == (1, of_old["event_logs"], True)
    assert rows_of(pipeline, old) == {}
    assert rows_of(pipeline, new) == of_new
    assert total(pipeline, "asset_event_tags") == tags - of_old["asset_event_tags"]
    noted = pipeline.rows("SELECT table_name, removed FROM purges ORDER BY id")
    assert noted == [("dagster.runs", 1), ("dagster.event_logs", of_old["event_logs"])]


def test_what_goes_is_what_dagster_itself_deletes_and_the_executions_of_checks(pipeline: Pipeline) -> None:
    by_dagster, by_us, _ = painted(pipeline), painted(pipeline), painted(pipeline)
    pipeline.instance.delete_run(by_dagster)
    OldRuns(pipeline.instance).remove([by_us])
    assert rows_of(pipeline, by_dagster) == {"asset_check_executions": 1}
    assert rows_of(pipeline, by_us) == {}


def test_a_run_that_has_not_finished_stays(pipeline: Pipeline) -> None:
    run = pipeline.instance.create_run_for_job(dg.Definitions([house]).resolve_implicit_global_asset_job_def())
    pipeline.instance.report_engine_event("It begins.", run)
    age(pipeline, run.run_id)
    before = rows_of(pipeline, run.run_id)
    assert purged(pipeline).kept == {Kept.UNFINISHED: 1}
    assert rows_of(pipeline, run.run_id) == before


def test_a_run_that_was_created_long_ago_and_ended_lately_stays(pipeline: Pipeline) -> None:
    late, _ = painted(pipeline), painted(pipeline)
    age(pipeline, late, ended_days=89)
    assert purged(pipeline).kept == {Kept.RECENT: 1}
    assert stays(pipeline, late)


def test_a_run_of_an_open_collection_stays_until_that_is_over(pipeline: Pipeline) -> None:
    of_open, _ = painted(pipeline, tags={COLLECTION_TAG: "c1"}), painted(pipeline)
    age(pipeline, of_open)
    pipeline.store.control.enter("c1", "home-coffee", of_open, org_id="another")
    assert purged(pipeline).kept == {Kept.OPEN_COLLECTION: 1}
    with pipeline.store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE collections SET status = 'completed'"))
    assert purged(pipeline).runs == 1
    assert not stays(pipeline, of_open)


def test_a_run_of_an_open_backfill_stays_though_it_never_entered_a_collection(pipeline: Pipeline) -> None:
    of_open, of_done, _ = (
        painted(pipeline, tags={BACKFILL_TAG: "going"}),
        painted(pipeline, tags={BACKFILL_TAG: "done"}),
        painted(pipeline),
    )
    age(pipeline, of_open, of_done)
    for name, status in (("going", BulkActionStatus.REQUESTED), ("done", BulkActionStatus.COMPLETED_SUCCESS)):
        pipeline.instance.add_backfill(
            PartitionBackfill(name, status, from_failure=False, tags={}, backfill_timestamp=utc_now().timestamp())
        )
    assert purged(pipeline).kept == {Kept.OPEN_COLLECTION: 1}
    assert (stays(pipeline, of_open), stays(pipeline, of_done)) == (True, False)


def test_the_latest_materialization_of_each_partition_stays(pipeline: Pipeline) -> None:
    first, red, blue = painted(pipeline), painted(pipeline), painted(pipeline, "blue")
    age_all(pipeline)
    assert purged(pipeline).kept == {Kept.LATEST_EVENT: 2}
    assert [stays(pipeline, run_id) for run_id in (first, red, blue)] == [False, True, True]


def test_the_latest_materialization_of_an_asset_without_partitions_stays(pipeline: Pipeline) -> None:
    old, new = (dg.materialize([house], instance=pipeline.instance).run_id for _ in range(2))
    age_all(pipeline)
    assert purged(pipeline).kept == {Kept.LATEST_EVENT: 1}
    assert (stays(pipeline, old), stays(pipeline, new)) == (False, True)


def test_the_latest_observation_of_a_partition_stays(pipeline: Pipeline) -> None:
    old, new = seen(pipeline, look_at_wall), seen(pipeline, look_at_wall)
    painted(pipeline)
    age_all(pipeline)
    assert purged(pipeline).runs == 1
    assert (stays(pipeline, old), stays(pipeline, new)) == (False, True)


def test_the_latest_observation_without_a_partition_stays_beside_those_with_one(pipeline: Pipeline) -> None:
    old, new = seen(pipeline, look_at_paint), seen(pipeline, look_at_paint)
    painted(pipeline)
    age_all(pipeline)
    assert purged(pipeline).runs == 1
    assert (stays(pipeline, old), stays(pipeline, new)) == (False, True)


def test_the_latest_attempt_at_a_partition_stays_when_it_failed(pipeline: Pipeline) -> None:
    fallen = [
        dg.materialize([wall_that_falls], instance=pipeline.instance, partition_key="red", raise_on_error=False).run_id
        for _ in range(2)
    ]
    age_all(pipeline)
    assert purged(pipeline).kept == {Kept.LATEST_EVENT: 1}
    assert [stays(pipeline, run_id) for run_id in fallen] == [False, True]


def test_the_latest_evaluation_of_a_check_on_a_partition_stays(pipeline: Pipeline) -> None:
    old, checked = (
        dg.materialize([paint, wall, stands], instance=pipeline.instance, partition_key="red").run_id for _ in range(2)
    )
    newer = painted(pipeline)  # without the check `stands`
    age_all(pipeline)
    assert purged(pipeline).kept == {Kept.LATEST_CHECK: 1, Kept.LATEST_EVENT: 1}
    assert [stays(pipeline, run_id) for run_id in (old, checked, newer)] == [False, True, True]


def test_an_evaluation_on_one_partition_makes_none_on_another_obsolete(pipeline: Pipeline) -> None:
    red, blue = (
        dg.materialize([paint, wall, stands], instance=pipeline.instance, partition_key=colour).run_id
        for colour in ("red", "blue")
    )
    for colour in ("red", "blue"):
        painted(pipeline, colour)
    age_all(pipeline)
    assert purged(pipeline).kept == {Kept.LATEST_CHECK: 2, Kept.LATEST_EVENT: 2}
    assert stays(pipeline, red)
    assert stays(pipeline, blue)


def test_the_latest_evaluation_stays_when_a_later_one_was_only_planned(pipeline: Pipeline) -> None:
    old, evaluated = (
        dg.materialize([paint, wall, stands], instance=pipeline.instance, partition_key="red").run_id for _ in range(2)
    )
    planned = dg.materialize(
        [wall_that_falls, stands], instance=pipeline.instance, partition_key="red", raise_on_error=False
    ).run_id
    painted(pipeline)
    age_all(pipeline)
    assert purged(pipeline).kept == {Kept.LATEST_CHECK: 2, Kept.LATEST_EVENT: 1}
    assert [stays(pipeline, run_id) for run_id in (old, evaluated, planned)] == [False, True, True]


def test_the_pages_of_assets_answer_as_before(pipeline: Pipeline) -> None:
    for colour in ("red", "blue", "red"):
        painted(pipeline, colour)
    dg.materialize([house], instance=pipeline.instance)
    dg.materialize([wall_that_falls], instance=pipeline.instance, partition_key="blue", raise_on_error=False)
    age_all(pipeline)
    before = pages(pipeline)
    assert purged(pipeline).runs == 1
    assert pages(pipeline) == before
    assert before[3] == ({"red", "blue"}, {"blue"})


def pages(pipeline: Pipeline) -> Sequence[object]:
    """What Dagster's pages of assets, partitions and checks ask for."""
    instance, keys = pipeline.instance, [paint.key, wall.key, house.key]
    storage = instance.event_log_storage
    for key in keys:
        instance.wipe_asset_cached_status([key])
    cached = get_and_update_asset_status_cache_value(instance, wall.key, COLOURS)
    assert cached is not None
    history = storage.get_asset_check_execution_history(BRIGHT, limit=1)
    return (
        instance.get_latest_materialization_events(keys),
        [record.asset_entry.last_run_id for record in instance.get_asset_records(keys)],
        [instance.fetch_materializations(key, limit=1).records for key in keys],
        (
            set(cached.deserialize_materialized_partition_subsets(COLOURS).get_partition_keys()),
            set(cached.deserialize_failed_partition_subsets(COLOURS).get_partition_keys()),
        ),
        storage.get_latest_storage_id_by_partition(paint.key, dg.DagsterEventType.ASSET_MATERIALIZATION),
        storage.get_latest_tags_by_partition(
            paint.key, dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
        ),
        [(one.run_id, one.status) for one in history],
        storage.get_asset_check_summary_records([BRIGHT])[BRIGHT].last_run_id,
        storage.get_asset_check_partition_info([BRIGHT]),
    )


def test_a_run_at_work_loses_nothing_while_others_go(pipeline: Pipeline) -> None:
    alone = len(pipeline.instance.all_logs(painted(pipeline)))
    for _ in range(12):
        painted(pipeline)
    age_all(pipeline)
    older_than = utc_now() - timedelta(days=90)
    with ThreadPoolExecutor(1) as at_work:
        running = at_work.submit(lambda: [painted(pipeline) for _ in range(3)])
        result = purge_runs(OldRuns(pipeline.instance), older_than, set, utc_now, batch=1)
    assert result.runs in (12, 13)  # the last old one is needed until one of the new has painted
    assert [len(pipeline.instance.all_logs(run_id)) for run_id in running.result()] == [alone] * 3
    assert pipeline.instance.get_latest_materialization_events([paint.key])[paint.key] is not None


def test_a_batch_goes_as_a_whole_or_not_at_all(pipeline: Pipeline) -> None:
    run_ids = [painted(pipeline) for _ in range(2)]
    execute(pipeline, "CREATE TABLE needing (run_id varchar(255) REFERENCES runs (run_id))", {})
    execute(pipeline, "INSERT INTO needing VALUES (:run_id)", {"run_id": run_ids[1]})
    before = [rows_of(pipeline, run_id) for run_id in run_ids]
    with pytest.raises(sa.exc.IntegrityError):
        OldRuns(pipeline.instance).remove(run_ids)
    assert [rows_of(pipeline, run_id) for run_id in run_ids] == before


def test_a_place_in_a_pool_that_a_dead_run_still_holds_becomes_free(pipeline: Pipeline) -> None:
    old, _ = painted(pipeline), painted(pipeline)
    age_all(pipeline)
    storage = pipeline.instance.event_log_storage
    storage.set_concurrency_slots("brushes", 1)
    assert storage.claim_concurrency_slot("brushes", old, "paint").is_claimed
    assert not storage.claim_concurrency_slot("brushes", "waiting", "paint").is_claimed
    assert purged(pipeline).runs == 1
    assert storage.claim_concurrency_slot("brushes", "waiting", "paint").is_claimed


def test_another_storage_is_refused_with_what_to_do() -> None:
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(PipelineError, match="COLLECTION_KEEP_RUNS_DAYS=0"):
        OldRuns(instance)


FILL = """
    INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, asset_key, partition)
    SELECT 'run-' || n / 100, '{}', (ARRAY['ASSET_OBSERVATION', 'ASSET_MATERIALIZATION', 'LOGS_CAPTURED'])[1 + n % 3],
           now(), CASE WHEN n % 3 < 2 THEN '["paint"]' END, CASE WHEN n % 3 < 2 THEN 'p' || n / 100 % 50 END
    FROM generate_series(1, 60000) n
"""


@pytest.mark.parametrize("is_analyzed", [True, False])
@pytest.mark.parametrize("statement", [_HOLDING_EVENTS, _REMOVE_EVENTS])
def test_a_batch_is_found_by_its_runs_with_statistics_and_without(
    pipeline: Pipeline, statement: sa.TextClause, *, is_analyzed: bool
) -> None:
    execute(pipeline, "ALTER TABLE event_logs SET (autovacuum_enabled = off)", {})
    execute(pipeline, FILL, {})
    if is_analyzed:
        execute(pipeline, "ANALYZE event_logs", {})
    values = {"run_ids": [f"run-{number}" for number in range(20)], "shown": [*_SHOWN]}
    with engine(pipeline).connect() as connection:
        lines = connection.scalars(sa.text("EXPLAIN " + statement.text), values).all()
    scans = [line for line in lines if " on event_logs" in line and "Delete" not in line]
    assert scans
    assert not [line for line in scans if "Seq Scan" in line]
