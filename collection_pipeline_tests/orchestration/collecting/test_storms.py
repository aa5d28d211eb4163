"""Nothing starts runs without a bound: the guard, seen from the sensors that start and settle."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from collection_pipeline.core.collecting.collections import CategoryStatus, CollectionPlan, Settlement
from collection_pipeline.core.collecting.restarts import MOST_STARTS, STARTED_TOO_OFTEN
from collection_pipeline.core.money import BandRule
from collection_pipeline.definitions import defs
from collection_pipeline.orchestration.catalogue.partitions import MARKETPLACE_POOL
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.watching.alerts import AlertStore
from collection_pipeline_tests.orchestration.conftest import Pipeline

SENSORS = {sensor.name: sensor for sensor in defs.sensors or () if isinstance(sensor, dg.SensorDefinition)}


def tick(pipeline: Pipeline, name: str) -> dg.SensorResult:
    url = pipeline.store.engine.url.render_as_string(hide_password=False)
    settings = Settings.from_mapping({"COLLECTION_DATABASE_URL": url})
    context = dg.build_sensor_context(instance=pipeline.instance, resources={"settings": settings})
    result = SENSORS[name](context)
    return result if isinstance(result, dg.SensorResult) else dg.SensorResult()


def asked(pipeline: Pipeline) -> list[str]:
    return [str(request.partition_key) for request in tick(pipeline, "start_collections").run_requests or ()]


def its_runs_die(pipeline: Pipeline) -> None:
    """Whatever was started dies, and a person resumes at once."""
    for unit in pipeline.units():
        ended = Settlement(unit.category, unit.attempt, CategoryStatus.FAILED, "run_died", "It died.")
        pipeline.store.control.settle("c1", [ended])
    pipeline.store.control.begin_finishing("c1")
    pipeline.store.snapshots.of_collection("c1")
    pipeline.store.control.resume("c1")


def test_a_category_that_is_started_again_and_again_is_stopped_and_somebody_is_told(pipeline: Pipeline) -> None:
    pipeline.store.collections.start(CollectionPlan("c1", ("home-coffee",), BandRule()))
    assert asked(pipeline) == ["home-coffee"]  # and once more below: the same attempt, which counts once
    for _ in range(MOST_STARTS):
        assert asked(pipeline) == ["home-coffee"]
        its_runs_die(pipeline)
    assert asked(pipeline) == []
    [unit] = pipeline.units()
    assert unit.status is CategoryStatus.FAILED
    [failure] = pipeline.store.collections.failures("c1")
    assert failure.reason == STARTED_TOO_OFTEN
    assert "was started 10 times within 15 minutes" in (failure.error_message or "")
    message = AlertStore(pipeline.store.engine).claim(datetime.now(UTC))
    assert message is not None
    assert [(alert.cause, "home-coffee" in alert.text) for alert in message.alerts] == [("started_too_often", True)]
    # a person who resumes at once meets the guard again
    pipeline.store.control.begin_finishing("c1")
    pipeline.store.snapshots.of_collection("c1")
    pipeline.store.control.resume("c1")
    assert asked(pipeline) == []


def test_the_pool_has_its_limit_before_the_first_run_asks_for_a_place(pipeline: Pipeline) -> None:
    storage = pipeline.instance.event_log_storage
    assert MARKETPLACE_POOL not in storage.get_concurrency_keys()
    tick(pipeline, "catalogue_partitions")
    assert storage.get_concurrency_info(MARKETPLACE_POOL).slot_count == 5
