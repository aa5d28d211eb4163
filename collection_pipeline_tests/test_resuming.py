"""Every way to resume a collection, on a running daemon with a slow marketplace: what is missing is done, once.

A resumed backfill once started 22 runs for one category in two and a half minutes, each cancelled by the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.settings.pipeline import simulated_accounts
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.faults import Fault
from collection_pipeline.simulator.server import RunningSimulator, running
from collection_pipeline_tests.running import Product, up
from collection_pipeline_tests.waiting import await_true

pytestmark = [pytest.mark.xdist_group("resuming"), pytest.mark.timeout(300)]

CATEGORIES = list(read_catalogue(STARTER_FILE).categories.values())[:5]
KEYS = [category.key for category in CATEGORIES]
SLOW = SimulatorConfig(
    products_per_page=8, pages=1, listings_per_product=6, sellers=60, overlap=0, ebay_latency_s=0.8, latency_jitter=0
)
BACKFILL = """
    mutation Backfill($names: [String!]!) {
      launchPartitionBackfill(backfillParams: {
        assetSelection: [{path: ["amazon_products"]}, {path: ["ebay_listings"]}, {path: ["ebay_sellers"]}]
        partitionNames: $names
      }) { __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } }
    }
"""
AGAIN = """
    mutation Again($run: String!) {
      launchRunReexecution(reexecutionParams: {parentRunId: $run, strategy: FROM_FAILURE}) {
        __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
      }
    }
"""
PAUSED_REASON = "SELECT paused_reason FROM collections WHERE collection_id = 'paused'"
TIME_IS_OVER = """
    UPDATE collections SET paused_until = now() WHERE collection_id = 'paused' AND status = 'paused';
    SELECT pg_notify(channel, 'daemon') FROM activity_channel
"""
"""Announced, so that nobody has to wait for the next look at what is paused."""
RUNS = """
    query Runs($id: String!) {
      runsOrError(filter: {tags: [{key: "collection_id", value: $id}]}, limit: 200) {
        ... on Runs { results { runId jobName status tags { key value } } }
      }
    }
"""


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running(SLOW) as started:
        yield started


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, simulator: RunningSimulator) -> Iterator[Product]:
    with up(tmp_path_factory.mktemp("resuming"), simulated_accounts(simulator.url)) as started:
        await_true(lambda: len(partitions(started)) >= len(KEYS), 60, every_s=1)
        yield started


@pytest.fixture(autouse=True)
def undisturbed(simulator: RunningSimulator) -> Iterator[None]:
    yield
    simulator.set_faults()
    simulator.configure(ebay_daily_quota=None)


def partitions(product: Product) -> list[str]:
    query = '{ assetNodeOrError(assetKey: {path: ["amazon_products"]}) { ... on AssetNode { partitionKeys } } }'
    return list(product.graphql(query)["assetNodeOrError"]["partitionKeys"])


def runs(product: Product, collection_id: str) -> list[dict[str, Any]]:
    """The collection's runs of categories, each with its category."""
    found = product.graphql(RUNS, id=collection_id)["runsOrError"]["results"]
    for run in found:
        run["category"] = {tag["key"]: tag["value"] for tag in run["tags"]}.get("dagster/partition")
    return [run for run in found if run["category"]]


def attempts(product: Product, collection_id: str) -> dict[str, int]:
    """How many runs each category took."""
    each = [str(run["category"]) for run in runs(product, collection_id)]
    return {category: each.count(category) for category in sorted(each)}


def status(product: Product, collection_id: str) -> str:
    rows = product.rows(f"SELECT status FROM collections WHERE collection_id = '{collection_id}'")
    return str(rows[0]["status"]) if rows else ""


def await_status(product: Product, collection_id: str, *wanted: str) -> None:
    await_true(lambda: status(product, collection_id) in wanted, 120, every_s=0.5)


def collect(product: Product, name: str, *categories: str) -> None:
    words = [word for category in categories for word in ("--category", category)]
    done = product.command("collect", "--name", name, *words)
    assert done.returncode == 0, done.stderr


def test_a_resumed_backfill_starts_what_failed_and_nothing_else(product: Product, simulator: RunningSimulator) -> None:
    failing = CATEGORIES[0]
    simulator.set_faults(Fault("oxylabs.wrong_query", contains=failing.node))
    launched = product.graphql(BACKFILL, names=KEYS)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    collection_id = f"backfill-{launched['backfillId']}"
    await_status(product, collection_id, "completed_with_errors")
    simulator.set_faults()
    assert product.command("collections", "resume", collection_id).returncode == 0
    await_status(product, collection_id, "completed", "completed_with_errors", "failed")
    assert status(product, collection_id) == "completed"
    assert attempts(product, collection_id) == {**dict.fromkeys(KEYS, 1), failing.key: 2}


def test_paused_and_resumed_at_once_each_category_is_worked_on_by_one_run_at_a_time(
    product: Product, simulator: RunningSimulator
) -> None:
    before = simulator.stats()["requests"]["ebay.search"]
    collect(product, "hasty", *KEYS[:2])
    await_true(lambda: simulator.stats()["requests"]["ebay.search"] > before, 60)
    for _ in range(3):
        assert product.command("collections", "pause", "hasty").returncode == 0
        assert product.command("collections", "resume", "hasty").returncode == 0
    await_status(product, "hasty", "completed", "completed_with_errors", "failed")
    assert status(product, "hasty") == "completed"
    assert max(attempts(product, "hasty").values()) <= 4


def test_a_pause_that_is_over_goes_on_with_one_run_a_category(product: Product, simulator: RunningSimulator) -> None:
    simulator.configure(ebay_daily_quota=1)
    collect(product, "paused", KEYS[2])
    await_status(product, "paused", "paused")
    assert product.rows(PAUSED_REASON) == [{"paused_reason": "quota_exhausted"}]
    simulator.configure(ebay_daily_quota=None)
    simulator.set_faults("ebay.null_body")
    product.execute(TIME_IS_OVER)
    await_true(lambda: product.rows(PAUSED_REASON) == [{"paused_reason": "failures_in_a_row"}], 120, every_s=0.5)
    simulator.set_faults()
    product.execute(TIME_IS_OVER)
    await_status(product, "paused", "completed", "completed_with_errors", "failed")
    assert status(product, "paused") == "completed"
    assert attempts(product, "paused") == {KEYS[2]: 3}


def test_a_failed_run_that_is_executed_again_from_failure_completes_its_collection(
    product: Product, simulator: RunningSimulator
) -> None:
    failing = CATEGORIES[3]
    simulator.set_faults(Fault("oxylabs.wrong_query", contains=failing.node))
    collect(product, "again", failing.key)
    await_status(product, "again", "failed")
    simulator.set_faults()
    [failed] = runs(product, "again")
    answer = product.graphql(AGAIN, run=failed["runId"])["launchRunReexecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    await_true(lambda: len(runs(product, "again")) == 2, 30)
    await_status(product, "again", "completed")
    assert attempts(product, "again") == {failing.key: 2}
