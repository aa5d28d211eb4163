"""Fills Dagster's database with a history: copies of one real run, as many as asked for, with all their rows."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import dagster as dg
import sqlalchemy as sa

from collection_pipeline.core.catalogue import Catalogue, Category
from collection_pipeline.definitions import defs
from collection_pipeline.orchestration.run_tags import COLLECTION_TAG
from collection_pipeline.settings.pipeline import simulated_accounts
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import running
from collection_pipeline.tables.store import Store

SAMPLE, SAMPLE_COLLECTION = "category-sample", "collection-sample"
ROUNDS = 25
"""Collections of all categories, one a week, so that half of the runs are older than 90 days."""

# One per run to be made: its category, its collection, and how long ago it ended. Every tenth category was given up, so
# that its last run is old.
_MADE = """
    CREATE TABLE made AS
    SELECT n, md5(n::text)::uuid::text AS run_id, 'category-' || n % :categories AS category,
           'collection-' || n / :categories AS collection,
           (:rounds - n / :categories) * interval '7.2 days' - n % :categories * interval '30 seconds' AS ago
    FROM generate_series(0, :categories * :rounds - 1) n
    WHERE n % :categories % 10 <> 0 OR n / :categories < 10
"""
_SAMPLES = """
    CREATE TABLE sample_events AS
    SELECT row_number() OVER (ORDER BY id) AS place, * FROM event_logs WHERE run_id = :run_id;
    CREATE TABLE sample_checks AS
    SELECT e.place, m.place AS target, c.* FROM asset_check_executions c
    JOIN sample_events e ON e.id = c.evaluation_event_storage_id
    LEFT JOIN sample_events m ON m.id = c.materialization_event_storage_id
    WHERE c.run_id = :run_id;
    CREATE TABLE sample_tags AS
    SELECT e.place, t.* FROM asset_event_tags t JOIN sample_events e ON e.id = t.event_id;
    CREATE TABLE sample_run AS SELECT * FROM runs WHERE run_id = :run_id;
    CREATE TABLE sample_run_tags AS SELECT * FROM run_tags WHERE run_id = :run_id
"""
_COPIED = """
    CREATE FUNCTION copied(original text, m made) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT replace(replace(replace(original, :run_id, m.run_id), :sample, m.category), :collection, m.collection)
    $$
"""

# One round at a time. The numbers of events are chosen, because tags and checks refer to them.
_ROUND = """
    INSERT INTO runs (run_id, snapshot_id, pipeline_name, status, run_body, partition, partition_set, create_timestamp,
                      update_timestamp, start_time, end_time)
    SELECT m.run_id, s.snapshot_id, s.pipeline_name, s.status, copied(s.run_body, m), m.category,
           s.partition_set, s.create_timestamp - m.ago, s.update_timestamp - m.ago,
           s.start_time - extract(epoch FROM m.ago), s.end_time - extract(epoch FROM m.ago)
    FROM made m, sample_run s WHERE m.collection = :round ORDER BY m.n;
    INSERT INTO run_tags (run_id, key, value)
    SELECT m.run_id, s.key, copied(s.value, m)
    FROM made m, sample_run_tags s WHERE m.collection = :round ORDER BY m.n, s.id;
    INSERT INTO event_logs (id, run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
    SELECT :base + m.n * :events + s.place, m.run_id, copied(s.event, m), s.dagster_event_type,
           s.timestamp - m.ago, s.step_key, s.asset_key, CASE WHEN s.partition IS NOT NULL THEN m.category END
    FROM made m, sample_events s WHERE m.collection = :round ORDER BY m.n, s.place;
    INSERT INTO asset_event_tags (event_id, asset_key, key, value, event_timestamp)
    SELECT :base + m.n * :events + s.place, s.asset_key, s.key, copied(s.value, m), s.event_timestamp - m.ago
    FROM made m, sample_tags s WHERE m.collection = :round ORDER BY m.n, s.id;
    INSERT INTO asset_check_executions (asset_key, check_name, partition, run_id, execution_status, evaluation_event,
           evaluation_event_timestamp, evaluation_event_storage_id, materialization_event_storage_id)
    SELECT s.asset_key, s.check_name, CASE WHEN s.partition IS NOT NULL THEN m.category END, m.run_id,
           s.execution_status, copied(s.evaluation_event, m), s.evaluation_event_timestamp - m.ago,
           :base + m.n * :events + s.place, :base + m.n * :events + s.target
    FROM made m, sample_checks s WHERE m.collection = :round ORDER BY m.n, s.id
"""
_KEPT_UP = ("event_logs", "asset_event_tags", "asset_check_executions", "runs", "run_tags")


@dataclass(frozen=True)
class Filled:
    """What there is, and how large it is on the disk."""

    runs: int
    events: int
    gigabytes: float


def fill(instance: dg.DagsterInstance, store: Store, engine: sa.Engine, runs: int) -> Filled:
    """Runs one category, copies its run, and leaves the tables analysed."""
    categories = runs // ROUNDS
    names = [f"category-{number}" for number in range(categories)]
    run_id = _one_run(instance, store)
    instance.add_dynamic_partitions("category", names)
    values = {"run_id": run_id, "sample": SAMPLE, "collection": SAMPLE_COLLECTION, "rounds": ROUNDS}
    with engine.connect() as connection:
        _run(connection, _MADE, values | {"categories": categories})
        _run(connection, _COPIED, values)
        _run(connection, _SAMPLES, values)
        events = connection.scalar(sa.text("SELECT count(*) FROM sample_events"))
        base = connection.scalar(sa.text("SELECT max(id) FROM event_logs"))
        indexes = connection.execute(sa.text(_INDEXES)).all()
        for name, _ in indexes:
            _run(connection, f"DROP INDEX {name}", {})
        for number in range(ROUNDS):
            of_round = {"round": f"collection-{number}", "base": base, "events": events}
            _run(connection, _ROUND, values | of_round)
        for _, definition in indexes:
            _run(connection, definition, {})
        _run(connection, "SELECT setval('event_logs_id_seq', (SELECT max(id) FROM event_logs))", {})
        for table in _KEPT_UP:
            _run(connection, f"VACUUM (ANALYZE) {table}", {})
        return Filled(*connection.execute(sa.text(_FILLED)).one())


_FILLED = """
    SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM event_logs),
           pg_database_size(current_database()) / 1e9::float
"""
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename IN ('event_logs', 'asset_event_tags', 'asset_check_executions') AND indexdef !~ '_pkey'
"""


def _run(connection: sa.Connection, script: str, values: dict[str, object]) -> None:
    """Statements one after the other, each with those of the values that it names."""
    for statement in script.split(";"):
        named = {name: value for name, value in values.items() if re.search(rf"(?<!:):{name}\b", statement)}
        connection.execute(sa.text(statement), named)


def _one_run(instance: dg.DagsterInstance, store: Store) -> str:
    with running(SimulatorConfig(pages=1)) as simulator:
        os.environ.update(simulated_accounts(simulator.url))
        store.catalogue.load(Catalogue({SAMPLE: Category(SAMPLE, "Sample", "1001", "all", "All")}, {}))
        instance.add_dynamic_partitions("category", [SAMPLE])
        done = defs.resolve_job_def("category_collect").execute_in_process(
            instance=instance, partition_key=SAMPLE, tags={COLLECTION_TAG: SAMPLE_COLLECTION}
        )
    return done.run_id
