"""Kill anything: whatever dies in the middle, the collection ends with the tables of an undisturbed one."""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.settings import simulated_accounts
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import RunningSimulator, running
from collection_pipeline_tests.running import Product, up

CATALOGUE = read_catalogue(STARTER_FILE)
CATEGORIES = list(CATALOGUE.categories)[:4]
IN_FLIGHT = 20
"""Four runs of five workers: what may be asked a second time after everything was killed at once."""

# Several pages per product, so that kills meet searches in their middle, and slow enough to be met at all.
SIMULATED = SimulatorConfig(
    products_per_page=12, pages=2, listings_per_product=12, sellers=80, ebay_latency_s=0.4, amazon_latency_s=0.4
)


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running(SIMULATED) as started:
        yield started


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="collection_pipeline_kill_"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def searches(simulator: RunningSimulator) -> int:
    return int(simulator.stats()["requests"].get("ebay.search", 0))


def await_searches(simulator: RunningSimulator, count: int) -> None:
    deadline = time.monotonic() + 90
    while searches(simulator) < count:
        assert time.monotonic() < deadline, f"only {searches(simulator)} searches"
        time.sleep(0.05)


def run_workers(product: Product) -> list[psutil.Process]:
    """The processes of runs: children of the process that holds the code."""
    return [child for one in product.processes() if "api grpc" in " ".join(one.cmdline()) for child in one.children()]


def assert_undisturbed(product: Product, simulator: RunningSimulator, kills: int) -> None:
    """The tables are those that a collection without any trouble leaves, and little was asked twice."""
    truth = simulator.truth(*(CATALOGUE.categories[category].node for category in CATEGORIES))
    sellers = product.rows("SELECT seller_key FROM sellers WHERE status = 'active'")
    assert sorted(row["seller_key"] for row in sellers) == truth["sellers"]
    listings = product.rows("SELECT asin, listing_id FROM ebay_listings WHERE gone_at IS NULL")
    found = sorted((row["asin"], row["listing_id"]) for row in listings)
    assert found == sorted((asin, one) for asin, facts in truth["products"].items() for one in facts["listings"])
    [collection] = product.rows("SELECT status, seller_count_snapshot FROM collections")
    assert collection == {"status": "completed", "seller_count_snapshot": truth["seller_count"]}
    assert len(product.rows("SELECT id FROM seller_count_snapshots")) == 1
    [audit] = product.rows("SELECT sum(affected_count)::int AS discovered FROM seller_audit_log")
    assert audit["discovered"] == truth["seller_count"]
    asked_again = sum(search["requests"] - 1 for search in simulator.stats()["searches"])
    assert asked_again <= kills * IN_FLIGHT
    assert sum(page["requests"] - 1 for page in simulator.stats()["nodes"]) <= kills * 5


@pytest.mark.timeout(300)
def test_runs_killed_at_random_moments_change_nothing(home: Path, simulator: RunningSimulator) -> None:
    dice, kills = random.Random("kill"), 0
    chosen = [word for category in CATEGORIES for word in ("--category", category)]
    with up(home, simulated_accounts(simulator.url)) as product:
        assert product.command("collect", "--name", "killed", *chosen).returncode == 0
        for _ in range(3):
            await_searches(simulator, searches(simulator) + dice.randint(3, 12))
            with suppress(psutil.NoSuchProcess):
                dice.choice(run_workers(product)).send_signal(signal.SIGKILL)
                kills += 1
        waited = product.command("collect", *chosen, "--wait", timeout=240)
        assert waited.returncode == 0, waited.stdout
        assert_undisturbed(product, simulator, kills)


@pytest.mark.timeout(300)
def test_everything_killed_at_once_goes_on_with_the_next_start(home: Path, simulator: RunningSimulator) -> None:
    chosen = [word for category in CATEGORIES for word in ("--category", category)]
    with up(home, simulated_accounts(simulator.url)) as product:
        assert product.command("collect", "--name", "killed", *chosen).returncode == 0
        await_searches(simulator, 15)
        for process in product.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()  # the database's server too
        product.process.wait()
    with up(home, simulated_accounts(simulator.url)) as product:
        waited = product.command("collect", *chosen, "--wait", timeout=240)
        assert waited.returncode == 0, waited.stdout
        assert_undisturbed(product, simulator, kills=1)


@pytest.mark.timeout(300)
def test_a_collection_paused_from_the_command_line_goes_on_on_command(home: Path, simulator: RunningSimulator) -> None:
    chosen = [word for category in CATEGORIES for word in ("--category", category)]
    with up(home, simulated_accounts(simulator.url)) as product:
        assert product.command("collect", "--name", "paused", *chosen).returncode == 0
        await_searches(simulator, 10)
        assert "is paused" in product.command("collections", "pause", "paused").stdout
        time.sleep(2)
        asked = searches(simulator)
        time.sleep(2)
        assert searches(simulator) == asked
        assert "Somebody paused it" in product.command("collections", "show", "paused").stdout
        assert "start again" in product.command("collections", "resume", "paused").stdout
        assert product.command("collect", *chosen, "--wait", timeout=240).returncode == 0
        assert_undisturbed(product, simulator, kills=1)
