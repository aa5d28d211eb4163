"""The running product left to itself: its schedule ticks, its sensors look, and nobody presses anything."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collection_pipeline.settings.pipeline import simulated_accounts
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import RunningSimulator, running
from collection_pipeline_tests import past
from collection_pipeline_tests.running import Product, up
from collection_pipeline_tests.sources.hooks import Hook, listening
from collection_pipeline_tests.waiting import await_true

SIMULATED = SimulatorConfig(products_per_page=4, pages=1, listings_per_product=6, sellers=40)
CATALOGUE = """\
departments:
  - key: ours
    name: Ours
    categories:
      - {{key: ours-kayaks, name: Kayaks, node: "4001"}}
      - {{key: ours-tents, name: Tents, node: "4002"}}
{more}
presets:
  - {{key: ours, name: Ours, categories: [ours-kayaks, ours-tents]}}
"""
NEW = '      - {key: ours-stoves, name: Stoves, node: "4003"}'


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running(SIMULATED) as started:
        yield started


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="collection_pipeline_itself_"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def webhook() -> Iterator[Hook]:
    with listening() as hook:
        yield hook


@pytest.mark.timeout(300)
def test_a_schedule_ticks_every_sensor_does_its_work_and_a_check_blocks(
    home: Path, simulator: RunningSimulator, webhook: Hook
) -> None:
    catalogue = home / "ours.yaml"
    catalogue.write_text(CATALOGUE.format(more=""))
    (home / "inbox").mkdir()
    environment = {
        **simulated_accounts(simulator.url),
        "COLLECTION_CATALOGUE": str(catalogue),
        "COLLECTION_SCHEDULE_CRON": "* * * * *",
        "COLLECTION_SCHEDULE_PRESET": "ours",
        "COLLECTION_ALERT_WEBHOOK": webhook.url,
    }
    with up(home, environment) as product:
        switch_on(product, "Schedule", "scheduled_collection")
        switch_on(product, "Sensor", "collect_new_categories")
        drop(home / "inbox" / "fair.csv", "name\ndropped_seller\n")
        assert product.command("collect", "--category", "ours-tents", "--name", "paused").returncode == 0
        assert product.command("collections", "pause", "paused").returncode == 0
        product.execute("UPDATE collections SET paused_until = now() WHERE collection_id = 'paused'")

        # a paused collection whose time has come, and a dropped file
        await_rows(product, "SELECT 1 FROM collections WHERE collection_id = 'paused' AND status = 'completed'")
        await_rows(product, "SELECT 1 FROM sellers WHERE seller_key = 'dropped_seller'")
        assert (home / "inbox" / "done" / "fair.csv").exists()
        # a category that is added, and has so few products that a check blocks it
        product.execute(past.COLLECTIONS)
        product.execute(past.products("ours-stoves", 90))
        soon(lambda: bool(cursor_of(product, "collect_new_categories")))
        catalogue.write_text(CATALOGUE.format(more=NEW))
        assert product.command("catalogue", "load", str(catalogue)).returncode == 0
        [blocked] = await_rows(
            product, "SELECT * FROM collection_categories WHERE category = 'ours-stoves' AND reason <> ''"
        )
        assert (blocked["status"], blocked["reason"], blocked["attempt"]) == ("failed", "implausible", 1)
        assert product.rows("SELECT 1 FROM amazon_products WHERE category = 'ours-stoves'")
        assert not product.rows("SELECT 1 FROM product_searches WHERE category = 'ours-stoves'")
        # the schedule, with one run per category and one snapshot
        scheduled = await_rows(
            product,
            "SELECT collection_id FROM collections WHERE collection_id LIKE 'scheduled-%' AND status = 'completed'",
        )
        switch_off(product, "scheduled_collection")
        first = scheduled[0]["collection_id"]
        tags = product.graphql(RUNS, filter={"tags": [{"key": "collection_id", "value": first}]})["runsOrError"]
        jobs = sorted(run["jobName"] for run in tags["results"])
        assert jobs == ["category_collect", "category_collect", "sellers_count"]
        # and somebody is told
        soon(lambda: any("paused" in text for text in webhook.texts))
        soon(lambda: any("products_are_usual" in text for text in webhook.texts))
        assert f"{product.url}/" in webhook.texts[0]


RUNS = """
query Runs($filter: RunsFilter!) {
  runsOrError(filter: $filter) { ... on Runs { results { jobName status } } }
}
"""


def switch_on(product: Product, kind: str, name: str) -> None:
    word = kind.lower()
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "collection_pipeline",
        f"{word}Name": name,
    }
    query = f"mutation On($one: {kind}Selector!) {{ start{kind}({word}Selector: $one) {{ __typename }} }}"
    answer = product.graphql(query, one=selector)[f"start{kind}"]["__typename"]
    assert answer in ("ScheduleStateResult", "Sensor"), answer


def switch_off(product: Product, name: str) -> None:
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "collection_pipeline",
        "scheduleName": name,
    }
    query = "query One($one: ScheduleSelector!) { scheduleOrError(scheduleSelector: $one) { ... on Schedule { id } } }"
    schedule = product.graphql(query, one=selector)["scheduleOrError"]
    product.graphql("mutation Off($id: String!) { stopRunningSchedule(id: $id) { __typename } }", id=schedule["id"])


def cursor_of(product: Product, sensor: str) -> str | None:
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "collection_pipeline",
        "sensorName": sensor,
    }
    query = """
        query One($one: SensorSelector!) {
          sensorOrError(sensorSelector: $one) {
            ... on Sensor { sensorState { typeSpecificData { ... on SensorData { lastCursor } } } }
          }
        }
    """
    state: dict[str, Any] = product.graphql(query, one=selector)["sensorOrError"]["sensorState"]
    cursor: str | None = (state["typeSpecificData"] or {}).get("lastCursor")
    return cursor


def drop(file: Path, content: str) -> None:
    file.write_text(content)
    long_ago = time.time() - 3600
    os.utime(file, (long_ago, long_ago))


def soon(claim: Callable[[], bool]) -> None:
    await_true(claim, 120, every_s=1)


def await_rows(product: Product, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found[:] = product.rows(query)
        return bool(found)

    soon(look)
    return found
