"""Facts about a collection's runs, read from Dagster and put into the core's terms."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from collection_pipeline.core.collecting.collections import (
    CategoryStatus,
    CategoryUnit,
    RunFact,
    RunState,
    backfill_of_collection,
    collection_of_run,
)
from collection_pipeline.orchestration.catalogue.partitions import MARKETPLACE_POOL
from collection_pipeline.orchestration.collecting.jobs import sellers_count
from collection_pipeline.orchestration.run_tags import BACKFILL_TAG, COLLECTION_TAG, attempt_of, was_interrupted

_STATES = {
    dg.DagsterRunStatus.SUCCESS: RunState.SUCCEEDED,
    dg.DagsterRunStatus.FAILURE: RunState.FAILED,
    dg.DagsterRunStatus.CANCELED: RunState.CANCELED,
}

CLOCKS_DIFFER = timedelta(minutes=2)
"""The tables' clock and Dagster's may, by less than this."""

_BACKFILL_GOES_ON = {"REQUESTED", "CANCELING", "FAILING"}


def category_runs(instance: dg.DagsterInstance, collection_id: str, units: Sequence[CategoryUnit]) -> list[RunFact]:
    """The runs of a collection that a category's fate may hang on, whoever started them.

    Those that are active, those at work on a category, and those that were asked for lately: of ten thousand categories
    nearly all have runs that nobody needs to look at any more. A backfill's runs are all looked at, because they carry
    the collection's id only once they begin, and are known by the backfill before.
    """
    if backfill_id := backfill_of_collection(collection_id):
        filters = [dg.RunsFilter(tags={COLLECTION_TAG: collection_id}), dg.RunsFilter(tags={BACKFILL_TAG: backfill_id})]
    else:
        filters = list(_filters({COLLECTION_TAG: collection_id}, units))
    found = [record for one in filters for record in instance.get_run_records(one)]
    records = {record.dagster_run.run_id: record for record in found}
    return [
        _fact(record, category)
        for record in records.values()
        if (category := record.dagster_run.tags.get("dagster/partition")) is not None
    ]


def _filters(tags: dict[str, str], units: Sequence[CategoryUnit]) -> Iterator[dg.RunsFilter]:
    yield dg.RunsFilter(tags=tags, statuses=NOT_FINISHED_STATUSES)
    if at_work := [unit.run_id for unit in units if unit.status is CategoryStatus.RUNNING and unit.run_id]:
        yield dg.RunsFilter(run_ids=at_work)
    asked_for = [unit.starts[0] for unit in units if unit.status is CategoryStatus.PLANNED and unit.is_asked_for]
    if asked_for:
        yield dg.RunsFilter(tags=tags, created_after=min(asked_for) - CLOCKS_DIFFER)


def snapshot_runs(instance: dg.DagsterInstance, collection_id: str, ending: int) -> list[RunFact]:
    """The runs that were to take the snapshot of one ending of a collection."""
    filters = dg.RunsFilter(job_name=sellers_count.name, tags={COLLECTION_TAG: collection_id, "ending": str(ending)})
    return [_fact(record, "") for record in instance.get_run_records(filters)]


def backfill_goes_on(instance: dg.DagsterInstance, collection_id: str) -> bool:
    """Whether a backfill that is this collection may still start runs."""
    backfill_id = backfill_of_collection(collection_id)
    backfill = instance.get_backfill(backfill_id) if backfill_id else None
    return backfill is not None and backfill.status.value in _BACKFILL_GOES_ON


def open_backfills(instance: dg.DagsterInstance) -> set[str]:
    """The backfills that may still start runs, by the names of their collections."""
    open_ones = BulkActionsFilter(statuses=[BulkActionStatus(status) for status in sorted(_BACKFILL_GOES_ON)])
    return {collection_of_run("", None, backfill.backfill_id) for backfill in instance.get_backfills(open_ones)}


def limit_pool(instance: dg.DagsterInstance) -> None:
    """Gives the pool of collecting runs its limit before the first run asks for a place, and after the limit changed.

    Dagster does so itself, but only after its first look at the queue, which then starts as many runs as there are, and
    never where the limit changed. One that somebody has set in the UI stays.
    """
    storage = instance.event_log_storage
    pool = next((pool for pool in storage.get_pool_limits() if pool.name == MARKETPLACE_POOL), None)
    is_old = pool is not None and pool.from_default and pool.limit != instance.global_op_concurrency_default_limit
    if is_old:
        storage.delete_concurrency_limit(MARKETPLACE_POOL)  # Dagster cannot change a default on Postgres
    if pool is None or is_old:
        storage.initialize_concurrency_limit_to_default(MARKETPLACE_POOL)


def cancel_queued(instance: dg.DagsterInstance, runs: list[RunFact]) -> None:
    """Takes runs that have not begun out of the queue."""
    for run in runs:
        stored = instance.get_run_by_id(run.run_id) if run.is_active else None
        if stored is not None and stored.status is dg.DagsterRunStatus.QUEUED:
            instance.report_run_canceled(stored, message="Its collection is paused or was cancelled.")


def fail_silent(instance: dg.DagsterInstance, silent_runs: list[RunFact]) -> None:
    """Fails runs whose processes are gone without anybody having noticed."""
    for run in silent_runs:
        stored = instance.get_run_by_id(run.run_id)
        if stored is not None and not stored.is_finished:
            instance.report_run_failed(stored, "It gave no sign of life for minutes: its process is gone.")


def _fact(record: dg.RunRecord, category: str) -> RunFact:
    run = record.dagster_run
    return RunFact(
        run.run_id,
        category,
        _state(run),
        record.create_timestamp,
        attempt_of(run.tags) or 1,
        _moment(record.start_time),
        _moment(record.end_time),
    )


def _state(run: dg.DagsterRun) -> RunState:
    state = _STATES.get(run.status, RunState.ACTIVE)
    has_not_succeeded = state in (RunState.FAILED, RunState.CANCELED)
    return RunState.INTERRUPTED if has_not_succeeded and was_interrupted(run.tags) else state


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
