"""The whole product, started as people start it: real daemon, real UI server, real runs in processes of their own."""

from __future__ import annotations

import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.settings.pipeline import simulated_accounts
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import RunningSimulator, running
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded
from collection_pipeline_tests.running import STOPS_WITHIN_S, Product, processes_of, run_command, up
from collection_pipeline_tests.waiting import await_true

pytestmark = pytest.mark.xdist_group("product")
"""Its tests share one fixture that takes long to make."""

CATALOGUE = read_catalogue(STARTER_FILE)
TWELVE = list(CATALOGUE.categories)[:12]
UNKNOWN = list(CATALOGUE.categories)[12]
BY_HAND = list(CATALOGUE.categories)[21]

SIMULATED = SimulatorConfig(
    products_per_page=8,
    pages=2,
    listings_per_product=8,
    sellers=80,
    ebay_latency_s=0.3,
    amazon_latency_s=0.3,
    unknown_nodes=frozenset({CATALOGUE.categories[UNKNOWN].node}),
)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="collection_pipeline_product_"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running(SIMULATED) as started:
        yield started


@pytest.fixture(scope="module")
def product(home: Path, simulator: RunningSimulator) -> Iterator[Product]:
    with up(home, simulated_accounts(simulator.url)) as started:
        yield started
        started.interrupt()
        assert started.process.wait(STOPS_WITHIN_S) == 0, (home / "up.log").read_text()
        assert processes_of(home) == []


def intervals(home: Path, collection_id: str) -> list[tuple[float, float]]:
    """When the runs of a collection's categories had their slots: from their launch to their end, in seconds."""
    engine = create_engine(create_database(start_embedded(home), "dagster"))
    query = sa.text(
        """
        SELECT extract(epoch FROM e.timestamp) AS launched, r.end_time AS ended FROM runs r
        JOIN run_tags t ON t.run_id = r.run_id AND t.key = 'collection_id' AND t.value = :collection_id
        JOIN event_logs e ON e.run_id = r.run_id AND e.dagster_event_type = 'PIPELINE_STARTING'
        WHERE r.pipeline_name = 'category_collect' ORDER BY launched
        """
    )
    try:
        with engine.connect() as connection:
            rows = connection.execute(query, {"collection_id": collection_id}).all()
            return [(float(row.launched), float(row.ended)) for row in rows]
    finally:
        engine.dispose()
        stop_embedded(home)  # this process's use of it; the product goes on using it


def at_once(spans: list[tuple[float, float]], moment: float) -> int:
    return sum(start <= moment < end for start, end in spans)


@pytest.mark.timeout(400)
def test_twelve_runs_keep_five_busy_and_find_exactly_the_truth(
    product: Product, simulator: RunningSimulator, home: Path
) -> None:
    chosen = [word for category in TWELVE for word in ("--category", category)]
    started = product.command("collect", "--name", "twelve", *chosen)
    assert started.returncode == 0, started.stderr
    again = product.command("collect", "--name", "another", *chosen)
    assert "is the same" in again.stdout

    await_true(lambda: simulator.stats()["requests"].get("ebay.search", 0) > 0, 60)  # some work, and the others wait
    outside = product.launch("sellers_count")
    waited = product.command("collect", "--name", "twelve", *chosen, "--wait", timeout=300)
    assert waited.returncode == 0, waited.stdout + waited.stderr
    assert "completed" in waited.stdout

    spans = intervals(home, "twelve")
    assert len(spans) == 12
    assert max(at_once(spans, launched) for launched, _ in spans) == 5
    # While runs are waiting, a slot is empty only until the next run is launched, a second or two of some ten.
    moments = [spans[4][0] + 0.1 * step for step in range(int((spans[-1][0] - spans[4][0]) / 0.1))]
    assert statistics.mean(at_once(spans, moment) for moment in moments) > 3.5
    # A run outside the pool got through while the others still worked.
    run = product.graphql(
        "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status endTime } } }", id=outside
    )["runOrError"]
    assert run["status"] == "SUCCESS"
    assert run["endTime"] < max(end for _, end in spans)
    truth = simulator.truth(*(CATALOGUE.categories[category].node for category in TWELVE))
    sellers = {row["seller_key"] for row in product.rows("SELECT seller_key FROM sellers WHERE status = 'active'")}
    assert sellers == set(truth["sellers"])
    assert {search["requests"] for search in simulator.stats()["searches"]} == {1}
    [collection] = product.rows("SELECT * FROM collections")
    assert (collection["collection_id"], collection["status"]) == ("twelve", "completed")
    snapshots = product.rows("SELECT seller_count, new_sellers FROM seller_count_snapshots WHERE cause = 'collection'")
    assert snapshots == [{"seller_count": len(sellers), "new_sellers": len(sellers)}]
    [progress] = product.rows("SELECT * FROM collection_progress")
    assert progress["categories_done"] == 12
    outcomes = progress["searches_done"] + progress["searches_failed"] + progress["searches_skipped"]
    assert outcomes == progress["searches_total"] == truth["product_count"]


def test_a_collection_with_a_failed_category_says_so_and_exits_with_1(product: Product) -> None:
    waited = product.command(
        "collect", "--name", "half", "--category", TWELVE[0], "--category", UNKNOWN, "--wait", timeout=200
    )
    assert waited.returncode == 1, waited.stdout
    assert "completed with errors" in waited.stdout
    assert "category: unknown_node" in waited.stdout
    shown = product.command("collections", "show", "half")
    assert CATALOGUE.categories[UNKNOWN].node in shown.stdout.replace("\n", "")


def test_a_run_started_by_hand_ends_with_a_collection_and_one_snapshot(product: Product) -> None:
    run_id = product.launch("category_collect", partition=BY_HAND)
    collection_id = f"run-{run_id[:8]}"
    query = f"SELECT status, endings FROM collections WHERE collection_id = '{collection_id}'"
    await_true(lambda: product.rows(query) == [{"status": "completed", "endings": 1}], 120, every_s=1)
    assert product.rows(f"SELECT cause FROM seller_count_snapshots WHERE collection_id = '{collection_id}'") == [
        {"cause": "collection"}
    ]


def test_a_second_up_uses_what_is_running(product: Product) -> None:
    second = product.command("up", "--port", "1")
    assert second.returncode == 0
    assert f"already runs at {product.url}" in second.stdout
    third = product.command("up", "--port", "1", "--postgres-port", "2")
    assert third.returncode == 1
    assert "started without this --postgres-port" in third.stderr


def test_the_address_that_up_prints_lets_control_where_others_only_look(product: Product, home: Path) -> None:
    shown = (home / "up.log").read_text()
    [token] = set(re.findall(rf"{re.escape(product.feed_url)}/\?token=([\w-]{{20,}})", shown))
    pause = f"{product.feed_url}/api/collections/none/pause"
    assert httpx.post(pause).status_code == 403
    assert httpx.post(pause, headers={"Authorization": f"Bearer {token}"}).status_code == 404
    assert not [file for file in (home / "logs").glob("*.log") if token in file.read_text()]


def test_the_partitions_are_the_catalogue(product: Product) -> None:
    query = """
    { assetNodeOrError(assetKey: {path: ["amazon_products"]}) { ... on AssetNode { partitionKeys groupName owners {
      ... on TeamAssetOwner { team } } kinds description } } }
    """
    # a sensor brings them in
    await_true(lambda: bool(product.graphql(query)["assetNodeOrError"]["partitionKeys"]), 60, every_s=1)
    node = product.graphql(query)["assetNodeOrError"]
    assert set(node["partitionKeys"]) == set(CATALOGUE.categories)
    assert (node["groupName"], node["owners"]) == ("collection", [{"team": "data"}])
    assert set(node["kinds"]) == {"amazon", "postgres"}


def test_ctrl_c_pressed_twice_in_the_middle_leaves_nothing(simulator: RunningSimulator) -> None:
    folder = Path(tempfile.mkdtemp(prefix="collection_pipeline_twice_"))
    try:
        with up(folder, simulated_accounts(simulator.url), "--collect", "--category", TWELVE[0]) as started:
            started.interrupt()
            time.sleep(0.3)
            started.interrupt()
            started.process.wait(STOPS_WITHIN_S)
            assert processes_of(folder) == []
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_the_database_is_left_as_it_was_found(tmp_path: Path) -> None:
    answer = run_command({"COLLECTION_HOME": str(tmp_path)}, "database", "migrate")
    assert answer.returncode == 0, answer.stderr
    assert processes_of(tmp_path) == []
