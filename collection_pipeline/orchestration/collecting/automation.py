"""What runs by itself: sensors that bring Dagster to what the tables say should happen.

They compare two states, and need no cursor to know where they were: the status in the tables says what is still due,
and a run key makes what is asked for twice happen once. Sensors that read a log or a folder do keep one.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dagster as dg

from collection_pipeline.core.catalogue import partition_changes
from collection_pipeline.core.collecting.collections import (
    CollectionStatus,
    is_over,
    outdated,
    settlements,
    silent,
    snapshot_is_due,
    storms,
    to_start,
)
from collection_pipeline.core.watching.alerts import of_restarts
from collection_pipeline.orchestration.catalogue.partitions import categories
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.collecting.jobs import category_collect, sellers_count
from collection_pipeline.orchestration.collecting.runs import (
    backfill_goes_on,
    cancel_queued,
    category_runs,
    fail_silent,
    limit_pool,
    snapshot_runs,
)
from collection_pipeline.orchestration.run_tags import ATTEMPT_TAG, COLLECTION_TAG, PRIORITY_TAG, data_tags
from collection_pipeline.orchestration.sensing import sensor
from collection_pipeline.orchestration.sensor_store import SensorOutcome, with_store
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.settings.runs import RunSettings
from collection_pipeline.tables.collecting.collections import Collection
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.alerts import AlertStore

WAITING_PER_RUN = 2
"""Runs that wait in the queue, of all collections together, for each that can be at work at a time."""


@sensor(every_s=5)
def catalogue_partitions(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> SensorOutcome:
    """Keeps the partitions equal to the categories of the catalogue in force."""
    return with_store(settings, lambda store: _partitions(context, store))


def _partitions(context: dg.SensorEvaluationContext, store: Store) -> SensorOutcome:
    limit_pool(context.instance)
    known = set(context.instance.get_dynamic_partitions(_name(categories)))
    changes = partition_changes(set(store.catalogue.current().categories), known, store.collections.in_flight())
    if not changes.added and not changes.gone:
        return dg.SkipReason(f"The {len(known)} partitions are the catalogue's.")
    return dg.SensorResult(
        dynamic_partitions_requests=[
            categories.build_add_request(sorted(changes.added)),
            categories.build_delete_request(sorted(changes.gone)),
        ]
    )


@sensor(job=category_collect, every_s=1)
def start_collections(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> SensorOutcome:
    """Asks for one run per planned category of every open collection. A run key makes each run happen once."""
    return with_store(settings, lambda store: _start(context, store, settings))


def _start(context: dg.SensorEvaluationContext, store: Store, settings: Settings) -> SensorOutcome:
    requests: list[dg.RunRequest] = []
    tags = data_tags(is_simulated=settings.has_simulated_data)
    at_a_time = RunSettings.from_mapping(os.environ).max_runs
    running = [one for one in store.collections.open() if one.status is CollectionStatus.RUNNING]
    for collection in running:
        with isolated(context, collection):
            share = max(at_a_time, WAITING_PER_RUN * at_a_time // len(running))
            requests.extend(_runs_to_start(context.instance, store, collection, share, tags))
    if not requests:
        return dg.SkipReason("No open collection has a category that is not started.")
    limit_pool(context.instance)
    known = set(context.instance.get_dynamic_partitions(_name(categories)))
    missing = sorted({request.partition_key for request in requests if request.partition_key} - known)
    return dg.SensorResult(
        run_requests=requests, dynamic_partitions_requests=[categories.build_add_request(missing)] if missing else []
    )


def _runs_to_start(
    instance: dg.DagsterInstance, store: Store, collection: Collection, share: int, tags: Mapping[str, str]
) -> Iterator[dg.RunRequest]:
    collection_id = collection.collection_id
    units = store.collections.units(collection_id)
    runs = category_runs(instance, collection_id, units)
    cancel_queued(instance, outdated(units, runs))
    due = to_start(units, runs, at_most=share)
    if stopped := storms(due, now := utc_now()):
        store.control.settle(collection_id, stopped)
        AlertStore(store.engine).add([of_restarts(collection_id, one, now) for one in stopped])
    due = [unit for unit in due if unit.category not in {one.category for one in stopped}]
    store.control.note_starts(collection_id, due)
    for unit in due:
        yield dg.RunRequest(
            run_key=f"{collection_id}:{unit.category}:{unit.attempt}",
            partition_key=unit.category,
            tags={
                **tags,
                COLLECTION_TAG: collection_id,
                ATTEMPT_TAG: str(unit.attempt),
                PRIORITY_TAG: str(unit.attempt - 1),  # what was begun goes on before more is begun
            },
            run_config=_run_config(collection),
        )


def _run_config(collection: Collection) -> dict[str, object]:
    if collection.band is None:
        return {}
    band = {
        "min_markup_percent": float(collection.band.min_markup_percent),
        "max_markup_percent": float(collection.band.max_markup_percent),
    }
    return {"ops": {"ebay_listings": {"config": band}}}


@sensor(job=sellers_count, every_s=1)
def finish_collections(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> SensorOutcome:
    """Writes down how runs ended, and asks for the snapshot once a collection's last run has."""
    return with_store(settings, lambda store: _finish(context, store))


def _finish(context: dg.SensorEvaluationContext, store: Store) -> SensorOutcome:
    for collection in store.collections.open():
        with isolated(context, collection):
            _settle(context.instance, store, collection)
    requests = [
        request
        for collection in store.collections.open()
        if collection.status is CollectionStatus.FINISHING
        for request in _snapshot_request(context.instance, collection)
    ]
    return dg.SensorResult(run_requests=requests) if requests else dg.SkipReason("No collection is ending.")


@contextmanager
def isolated(context: dg.SensorEvaluationContext, collection: Collection) -> Iterator[None]:
    """Keeps one collection's error from the others; it is logged, and the next tick tries again."""
    try:
        yield
    except Exception:
        context.log.exception(f"The collection {collection.collection_id} could not be looked after.")


def _settle(instance: dg.DagsterInstance, store: Store, collection: Collection) -> None:
    collection_id = collection.collection_id
    units = store.collections.units(collection_id)
    runs = category_runs(instance, collection_id, units)
    if missing := {run.category for run in runs} - {unit.category for unit in units}:
        store.control.plan_missing(collection_id, missing)
        units = store.collections.units(collection_id)
    fail_silent(instance, silent(units, runs, utc_now()))
    if collection.status in (CollectionStatus.PAUSED, CollectionStatus.CANCELLING):
        cancel_queued(instance, runs)
    settled = settlements(collection.status, units, runs)
    store.control.settle(collection_id, settled)
    if {unit.category for unit in units if unit.is_open} - {one.category for one in settled}:
        return  # looked at again only where it may be over: of ten thousand categories that takes a while
    if collection.status is not CollectionStatus.PAUSED and is_over(
        store.collections.units(collection_id), runs, more_runs_to_come=backfill_goes_on(instance, collection_id)
    ):
        store.control.begin_finishing(collection_id)


def _snapshot_request(instance: dg.DagsterInstance, collection: Collection) -> Sequence[dg.RunRequest]:
    ending = collection.endings + 1
    attempts = snapshot_runs(instance, collection.collection_id, ending)
    if not snapshot_is_due(attempts, utc_now()):
        return []
    return [
        dg.RunRequest(
            run_key=f"{collection.collection_id}:snapshot:{ending}:{len(attempts) + 1}",
            tags={COLLECTION_TAG: collection.collection_id, "ending": str(ending)},
        )
    ]


@sensor(every_s=5)
def resume_collections(settings: dg.ResourceParam[Settings]) -> SensorOutcome:
    """Resumes paused collections whose time has come: a quota that is back, a marketplace that had a rest."""
    return with_store(settings, _resume)


def _resume(store: Store) -> SensorOutcome:
    due = [collection.collection_id for collection in store.collections.due(utc_now())]
    for collection_id in due:
        store.control.resume(collection_id)
    return dg.SkipReason(f"Resumed: {', '.join(due)}." if due else "No paused collection is due.")


def _name(partitions: dg.DynamicPartitionsDefinition) -> str:
    assert partitions.name is not None
    return partitions.name


SENSORS = [catalogue_partitions, start_collections, finish_collections, resume_collections]
