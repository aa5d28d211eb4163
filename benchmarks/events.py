"""How much longer does a collection take because its events are written to the table and to Dagster's log?

The same category is collected in turns with and without writing events, with replies of 50 ms and five workers.
"""

from __future__ import annotations

import os
import statistics
import time

import dagster as dg

from benchmarks.parts import fresh_database
from collection_pipeline.core.catalogue import Catalogue, Category
from collection_pipeline.definitions import defs
from collection_pipeline.orchestration import running_work
from collection_pipeline.settings.pipeline import simulated_accounts
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import running
from collection_pipeline.tables.store import open_store

ROUNDS = 5


def main() -> None:
    """Prints the seconds that `ebay_listings` takes with and without events, and their ratio."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    with fresh_database() as url, running(SimulatorConfig(ebay_latency_s=0.05, share_without_price=0)) as simulator:
        os.environ.update(simulated_accounts(simulator.url))
        with open_store(url) as store, dg.DagsterInstance.get() as instance:
            store.catalogue.load(Catalogue({"books": Category("books", "Books", "1001", "books", "Books")}, {}))
            instance.add_dynamic_partitions("category", ["books"])
            write = running_work.write_events
            for round_number in range(ROUNDS * 2):
                with_events = bool(round_number % 2)
                running_work.write_events = write if with_events else lambda *_: None
                seconds[with_events].append(_listings_seconds(instance))
    with_events_s, without_s = statistics.median(seconds[True]), statistics.median(seconds[False])
    print(f"without events {without_s:.2f} s, with {with_events_s:.2f} s, ratio {with_events_s / without_s:.3f}")


def _listings_seconds(instance: dg.DagsterInstance) -> float:
    began = time.monotonic()
    result = defs.resolve_job_def("category_collect").execute_in_process(instance=instance, partition_key="books")
    assert result.success, time.monotonic() - began
    [event] = [
        event
        for event in result.all_events
        if event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key == dg.AssetKey("ebay_listings")
    ]
    seconds = event.step_materialization_data.materialization.metadata["seconds"].value
    assert isinstance(seconds, float)
    return seconds


if __name__ == "__main__":
    main()
