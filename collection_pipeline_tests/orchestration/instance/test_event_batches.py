"""A run's events in batches: all of them, in their order, with what Dagster keeps of assets and checks beside them."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import dagster as dg
import pytest
import sqlalchemy as sa

from collection_pipeline.orchestration.instance import event_batches
from collection_pipeline.orchestration.instance.event_batches import BatchingEventLogStorage
from collection_pipeline_tests.orchestration.conftest import Pipeline
from collection_pipeline_tests.waiting import await_true

colours = dg.StaticPartitionsDefinition(["red", "blue"])


@dg.asset(partitions_def=colours, check_specs=[dg.AssetCheckSpec("is_bright", asset="paint")])
def paint(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # else it is an output
    context.log_event(dg.AssetObservation("paint", partition=context.partition_key, metadata={"litres": 3}))
    context.log.info("It dries.")
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name="is_bright")])


@dg.asset(deps=[paint], partitions_def=colours)
def wall() -> None:
    pass


@pytest.fixture
def storage(pipeline: Pipeline) -> BatchingEventLogStorage:
    found = pipeline.instance.event_log_storage
    assert isinstance(found, BatchingEventLogStorage)
    return found


def materialized(pipeline: Pipeline, *, batched: bool) -> dg.ExecuteInProcessResult:
    found = pipeline.instance.event_log_storage
    assert isinstance(found, BatchingEventLogStorage)
    with found.batched() if batched else nullcontext():
        return dg.materialize([paint, wall], instance=pipeline.instance, partition_key="red")


def told(pipeline: Pipeline, run_id: str) -> list[tuple[str | None, str | None]]:
    return [
        (entry.dagster_event.event_type_value if entry.dagster_event else None, entry.step_key)
        for entry in pipeline.instance.all_logs(run_id)
    ]


@contextmanager
def statements(storage: BatchingEventLogStorage) -> Iterator[list[str]]:
    found: list[str] = []

    def note(*said: object) -> None:
        found.append(str(said[2]))

    sa.event.listen(storage._engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(storage._engine, "before_cursor_execute", note)


def test_a_batched_run_leaves_the_same_log_assets_and_checks_behind(pipeline: Pipeline) -> None:
    one_by_one, together = materialized(pipeline, batched=False), materialized(pipeline, batched=True)
    assert told(pipeline, together.run_id) == told(pipeline, one_by_one.run_id)
    record = pipeline.instance.get_asset_records([paint.key])[0].asset_entry
    assert record.last_run_id == together.run_id
    assert record.last_materialization is not None
    assert record.last_materialization.run_id == together.run_id
    assert pipeline.instance.get_materialized_partitions(wall.key) == {"red"}
    checks = pipeline.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(paint.key, "is_bright"), limit=1
    )
    [check] = checks
    assert (check.run_id, check.status.value) == (together.run_id, "SUCCEEDED")
    target = check.event.dagster_event.asset_check_evaluation_data.target_materialization_data  # type: ignore[union-attr]
    assert target is not None
    assert target.run_id == together.run_id


def test_it_takes_fewer_statements(pipeline: Pipeline, storage: BatchingEventLogStorage) -> None:
    with statements(storage) as one_by_one:
        materialized(pipeline, batched=False)
    with statements(storage) as together:
        materialized(pipeline, batched=True)
    assert len(together) < len(one_by_one) / 2


def test_whoever_reads_in_the_process_sees_what_was_written_before(
    pipeline: Pipeline, storage: BatchingEventLogStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_batches, "WRITE_EVERY_S", 3600)
    run = pipeline.instance.create_run_for_job(paint_job())
    with storage.batched():
        pipeline.instance.report_engine_event("Here it begins.", run)
        assert [entry.message for entry in pipeline.instance.all_logs(run.run_id)][-1] == "Here it begins."


def test_an_event_that_nobody_reads_is_written_within_a_moment(
    pipeline: Pipeline, storage: BatchingEventLogStorage
) -> None:
    count = sa.text("SELECT count(*) FROM event_logs WHERE event LIKE '%It begins quietly.%'")

    def is_written() -> bool:
        with storage._engine.connect() as connection:
            return bool(connection.scalar(count) == 1)

    run = pipeline.instance.create_run_for_job(paint_job())
    with storage.batched():
        pipeline.instance.report_engine_event("It begins quietly.", run)
        await_true(is_written)


def test_what_could_not_be_written_is_written_later_and_once(
    pipeline: Pipeline, storage: BatchingEventLogStorage
) -> None:
    run = pipeline.instance.create_run_for_job(paint_job())
    with storage.batched():
        with storage._engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE event_logs RENAME TO away"))
        pipeline.instance.report_engine_event("It begins badly.", run)
        with pytest.raises(sa.exc.ProgrammingError):
            pipeline.instance.all_logs(run.run_id)
        with storage._engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE away RENAME TO event_logs"))
    messages = [entry.message for entry in pipeline.instance.all_logs(run.run_id)]
    assert messages.count("It begins badly.") == 1


def paint_job() -> dg.JobDefinition:
    return dg.Definitions([paint, wall]).resolve_implicit_global_asset_job_def()
