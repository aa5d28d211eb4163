"""Old runs in Dagster's own database: which of them its pages still need, and removing the others in batches.

Dagster purges ticks, but neither runs nor events (dagster issues 4100 and 33785). `DagsterInstance.delete_run` takes
one run at a time, with several statements and commits for each. Here a batch of runs is one transaction of five
statements on the same tables. It has the same effect, and also removes the executions of checks, which `delete_run`
leaves behind. What both leave are snapshots of jobs, backfills, and files of captured output.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.run_retention import Kept, StoredRun
from collection_pipeline.orchestration.run_tags import collection_of

_SHOWN = ("ASSET_MATERIALIZATION", "ASSET_OBSERVATION", "ASSET_MATERIALIZATION_PLANNED")
"""Events whose latest one says how an asset's partition stands. The planned one tells that an attempt has failed."""

# The runs' events are found by their runs alone: asked for assets as well, Postgres also reads the index of all assets.
# The newest event of a kind is the first entry of an index, read backwards. A lookup stays one however the planner
# estimates; a join may become a scan of the whole log. Events without a partition have no index of their own: on an
# asset that has both, as the seller list has, their lookup passes those with one, so it is made once per kind.
_HOLDING_EVENTS = sa.text("""
    WITH events AS MATERIALIZED (
        SELECT run_id, asset_key, dagster_event_type, partition, id FROM event_logs WHERE run_id = ANY(:run_ids)
    ),
    held AS (
        SELECT run_id, asset_key, dagster_event_type, partition, max(id) AS id
        FROM events
        WHERE asset_key IS NOT NULL AND dagster_event_type = ANY(:shown)
        GROUP BY run_id, asset_key, dagster_event_type, partition
    ),
    kinds AS (SELECT DISTINCT asset_key, dagster_event_type, partition FROM held),
    newest AS (
        SELECT CASE WHEN partition IS NULL THEN (
            SELECT id FROM event_logs event
            WHERE event.asset_key = kinds.asset_key AND event.dagster_event_type = kinds.dagster_event_type
                AND event.partition IS NULL
            ORDER BY id DESC LIMIT 1)
        ELSE (
            SELECT id FROM event_logs event
            WHERE event.asset_key = kinds.asset_key AND event.dagster_event_type = kinds.dagster_event_type
                AND event.partition = kinds.partition
            ORDER BY id DESC LIMIT 1)
        END AS id
        FROM kinds
    )
    SELECT DISTINCT run_id FROM held WHERE id IN (SELECT id FROM newest)
""")

_HOLDING_CHECKS = sa.text("""
    WITH latest AS (
        SELECT max(id) AS id, max(id) FILTER (WHERE execution_status IN ('SUCCEEDED', 'FAILED')) AS evaluated_id
        FROM asset_check_executions
        GROUP BY asset_key, check_name, partition
    )
    SELECT DISTINCT run_id FROM asset_check_executions
    WHERE id IN (SELECT id FROM latest UNION SELECT evaluated_id FROM latest)
""")

_CHECKS = sa.text("SELECT DISTINCT asset_key, check_name FROM asset_check_executions")

_REMOVE_EVENTS = sa.text("""
    WITH gone AS (DELETE FROM event_logs WHERE run_id = ANY(:run_ids) RETURNING id, dagster_event_type)
    SELECT count(*) AS events,
        array_agg(id) FILTER (WHERE dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION')) AS tagged
    FROM gone
""")
# By the events' numbers, because joined with the events they may be searched for in the whole table.
_REMOVE_EVENT_TAGS = sa.text("DELETE FROM asset_event_tags WHERE event_id = ANY(:event_ids)")
_REMOVE_RUNS = sa.text("DELETE FROM runs WHERE run_id = ANY(:run_ids)")  # and, by their foreign key, its tags

# No index of executions begins with the run; this one has asset, check and run.
_REMOVE_CHECKS = sa.text("""
    DELETE FROM asset_check_executions execution
    USING unnest(CAST(:assets AS text[]), CAST(:names AS text[])) AS evaluated(asset_key, check_name)
    WHERE execution.asset_key = evaluated.asset_key AND execution.check_name = evaluated.check_name
        AND execution.run_id = ANY(:run_ids)
""")

_HOLDING_SLOTS = sa.text("""
    SELECT run_id FROM concurrency_slots WHERE run_id = ANY(:run_ids)
    UNION SELECT run_id FROM pending_steps WHERE run_id = ANY(:run_ids)
""")

_COUNT_EVENTS = sa.text("SELECT count(*) FROM event_logs WHERE run_id = ANY(:run_ids)")


class OldRuns:
    """The runs of an instance as a purge sees them: a `core.run_retention.RunHistory`. Made anew for each purge."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        """Raises PipelineError where the instance does not keep its runs and events in one Postgres database."""
        runs, events = instance.run_storage, instance.event_log_storage
        if not (
            isinstance(runs, PostgresRunStorage)
            and isinstance(events, PostgresEventLogStorage)
            and runs.postgres_url == events.postgres_url
        ):
            raise PipelineError(
                "Old runs cannot be removed from Dagster's storage, because it is not one Postgres database. Use the "
                "storage that the package's dagster.yaml names, or set COLLECTION_KEEP_RUNS_DAYS=0."
            )
        self._instance = instance
        self._events = events

    def page(self, after: str | None, limit: int) -> Sequence[StoredRun]:  # noqa: D102
        return [_stored(record) for record in self._instance.get_run_records(limit=limit, ascending=True, cursor=after)]

    def needed(self, run_ids: Sequence[str]) -> Mapping[str, Kept]:  # noqa: D102
        with self._transaction() as connection:
            holding = connection.scalars(_HOLDING_EVENTS, {"run_ids": [*run_ids], "shown": [*_SHOWN]}).all()
        checks = dict.fromkeys(self._holding_checks.intersection(run_ids), Kept.LATEST_CHECK)
        return {**checks, **dict.fromkeys(holding, Kept.LATEST_EVENT)}

    def count_events(self, run_ids: Sequence[str]) -> int:  # noqa: D102
        with self._transaction() as connection:
            count: int = connection.execute(_COUNT_EVENTS, {"run_ids": [*run_ids]}).scalar_one()
            return count

    def remove(self, run_ids: Sequence[str]) -> int:  # noqa: D102
        these = {"run_ids": [*run_ids]}
        with self._transaction() as connection:
            slots = connection.scalars(_HOLDING_SLOTS, these).all()
            events, tagged = connection.execute(_REMOVE_EVENTS, these).one()
            if tagged is not None:
                connection.execute(_REMOVE_EVENT_TAGS, {"event_ids": tagged})
            connection.execute(_REMOVE_CHECKS, {**these, **self._checks})
            connection.execute(_REMOVE_RUNS, these)
        self._free(slots)
        return int(events)

    def _free(self, run_ids: Iterable[str]) -> None:
        """Frees places in pools, which a finished run holds only if it died."""
        for run_id in run_ids:
            self._events.free_concurrency_slots_for_run(run_id)

    @cached_property
    def _holding_checks(self) -> frozenset[str]:
        """The runs with the latest execution, or evaluation, of a check on a partition.

        No index leads to these, so they are found once: an evaluation that comes meanwhile only keeps one run too many.
        """
        with self._transaction() as connection:
            return frozenset(connection.scalars(_HOLDING_CHECKS))

    @cached_property
    def _checks(self) -> Mapping[str, Sequence[str]]:
        """The assets and names of all checks that old runs may have evaluated, side by side."""
        with self._transaction() as connection:
            found = connection.execute(_CHECKS).all()
        return {"assets": [asset for asset, _ in found], "names": [name for _, name in found]}

    def _transaction(self) -> AbstractContextManager[Any]:
        return self._events.index_transaction()


def _stored(record: dg.RunRecord) -> StoredRun:
    run = record.dagster_run
    ended_at = datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.update_timestamp
    return StoredRun(run.run_id, collection_of(run), record.create_timestamp, ended_at if run.is_finished else None)
