"""A Dagster database with many runs: how long do its pages and a sensor take, and how long does removing runs?

Half of the runs are older than COLLECTION_KEEP_RUNS_DAYS. The same is asked before the purge, all the while it works,
and after it. Run by hand: .venv/bin/python -m benchmarks.run_retention --runs 5000 --runs 50000
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click
import dagster as dg
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from benchmarks.filled_runs import ROUNDS, fill
from benchmarks.parts import fresh_database
from collection_pipeline.core.collecting.collections import CollectionPlan
from collection_pipeline.core.collecting.scheduling import ScheduleConfig
from collection_pipeline.core.run_retention import DEFAULT_DAYS
from collection_pipeline.orchestration.catalogue.partitions import categories
from collection_pipeline.orchestration.collecting.automation import finish_collections
from collection_pipeline.orchestration.instance.pooled_storage import close_pools, shared_engine
from collection_pipeline.orchestration.retention import remove_old_runs
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store, open_store

ASSET = dg.AssetKey("ebay_listings")
OPEN = f"collection-{ROUNDS - 1}"
"""The newest collection, which is open while all this is measured."""

ONE_BY_ONE = 200
"""Runs that Dagster's own `delete_run` removes, to know how long it takes for a thousand."""

Question = Callable[[dg.DagsterInstance], object]


def run_list(instance: dg.DagsterInstance) -> None:
    instance.get_run_records(limit=26)
    instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.QUEUED]))


def runs_of_a_collection(instance: dg.DagsterInstance) -> None:
    instance.get_run_records(dg.RunsFilter(tags={"collection_id": OPEN}), limit=26)


def asset_page(instance: dg.DagsterInstance) -> None:
    instance.get_asset_records([ASSET])
    instance.get_latest_materialization_events([ASSET])
    instance.fetch_materializations(ASSET, limit=100)
    instance.fetch_observations(ASSET, limit=100)


def latest_per_partition(instance: dg.DagsterInstance) -> None:
    instance.event_log_storage.get_latest_storage_id_by_partition(ASSET, dg.DagsterEventType.ASSET_MATERIALIZATION)


def partitions_page(instance: dg.DagsterInstance) -> None:
    get_and_update_asset_status_cache_value(instance, ASSET, categories, instance)


def partitions_page_anew(instance: dg.DagsterInstance) -> None:
    instance.wipe_asset_cached_status([ASSET])
    partitions_page(instance)


def tick(instance: dg.DagsterInstance) -> None:
    settings = Settings.from_mapping(os.environ)
    with dg.build_sensor_context(instance=instance, resources={"settings": settings}) as context:
        finish_collections.evaluate_tick(context)


QUESTIONS: Mapping[str, Question] = {
    "run list": run_list,
    "runs of one collection": runs_of_a_collection,
    "asset page": asset_page,
    "latest materialization of every partition": latest_per_partition,
    "partitions page": partitions_page,
    "partitions page, its cache lost": partitions_page_anew,
    "tick of `finish_collections`": tick,
}


@click.command()
@click.option("--runs", "sizes", multiple=True, default=[5_000, 50_000], show_default=True, help="How many runs.")
def main(sizes: tuple[int, ...]) -> None:
    """Prints a table for each number of runs."""
    for runs in sizes:
        with fresh_database() as url, open_store(url) as store, dg.DagsterInstance.get() as instance:
            measure(instance, store, runs)
            close_pools()


def measure(instance: dg.DagsterInstance, store: Store, runs: int) -> None:
    engine = shared_engine(os.environ["COLLECTION_DAGSTER_DATABASE_URL"])
    began = time.monotonic()
    filled = fill(instance, store, engine, runs)
    print(f"{filled.runs:,} runs, {filled.events:,} events, {filled.gigabytes:.1f} GB,", end=" ")
    print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
    units = tuple(f"category-{number}" for number in range(runs // ROUNDS))
    store.collections.start(CollectionPlan(OPEN, units, ScheduleConfig().band))
    before = {name: best(instance, question) for name, question in QUESTIONS.items()}
    one_by_one = delete_one_by_one(instance)
    with asked_meanwhile(instance) as longest:
        began = time.monotonic()
        purged = remove_old_runs(instance, store, DEFAULT_DAYS)
        seconds = time.monotonic() - began
    after = {name: best(instance, question) for name, question in QUESTIONS.items()}
    again = time.monotonic()
    remove_old_runs(instance, store, DEFAULT_DAYS)
    print(f"| removed: {purged.runs:,} runs, {purged.events:,} events | {seconds:.1f} s |")
    print(f"| a thousand runs | {seconds / purged.runs * 1000:.2f} s |")
    print(f"| a thousand runs with `delete_run` | {one_by_one * 1000:.1f} s |")
    print(f"| the next purge, which finds {sum(purged.kept.values()):,} to keep | {time.monotonic() - again:.1f} s |")
    print("| asked | before | while it works, at most | after |")
    for name in QUESTIONS:
        print(
            f"| {name} | {1000 * before[name]:.0f} ms | {1000 * longest[name]:.0f} ms | {1000 * after[name]:.0f} ms |"
        )
    print(flush=True)


def best(instance: dg.DagsterInstance, question: Question) -> float:
    return min(seconds_of(instance, question) for _ in range(3))


def seconds_of(instance: dg.DagsterInstance, question: Question) -> float:
    began = time.monotonic()
    question(instance)
    return time.monotonic() - began


def delete_one_by_one(instance: dg.DagsterInstance) -> float:
    """Seconds per run, on runs of the oldest collection."""
    old = instance.get_runs(dg.RunsFilter(tags={"collection_id": "collection-0"}), limit=ONE_BY_ONE)
    began = time.monotonic()
    for run in old:
        instance.delete_run(run.run_id)
    return (time.monotonic() - began) / len(old)


@contextmanager
def asked_meanwhile(instance: dg.DagsterInstance) -> Iterator[dict[str, float]]:
    """Asks everything in turn until the end of the context: how long each took at most."""
    longest, over = dict.fromkeys(QUESTIONS, 0.0), threading.Event()

    def ask() -> None:
        while not over.is_set():
            for name, question in QUESTIONS.items():
                longest[name] = max(longest[name], seconds_of(instance, question))
                over.wait(0.1)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield longest
    finally:
        over.set()
        asking.join()


if __name__ == "__main__":
    main()
