"""Kill anything: whatever dies in the middle, the collection ends with the tables of an undisturbed one."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path

import httpx
import psutil
import pytest

from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.processes.running_services import free_port
from collection_pipeline.settings.pipeline import simulated_accounts
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import RunningSimulator, running
from collection_pipeline.simulator.state import Simulator
from collection_pipeline.tables.server.embedded import start_embedded, stop_embedded
from collection_pipeline.tables.server.postgres_server import PostgresServer
from collection_pipeline_tests.running import Product, up
from collection_pipeline_tests.waiting import await_true

CATALOGUE = read_catalogue(STARTER_FILE)
CATEGORIES = list(CATALOGUE.categories)[:4]
IN_FLIGHT = 20
"""Four runs of five workers: what may be asked a second time after everything was killed at once."""

# Several pages per product, so that kills meet searches in their middle, and slow enough to be met at all.
SIMULATED = SimulatorConfig(
    products_per_page=12, pages=2, listings_per_product=12, sellers=80, ebay_latency_s=0.4, amazon_latency_s=0.4
)
UNDONE = "SELECT count(*)::int AS categories FROM collection_categories WHERE status <> 'done'"
CHANGED = ("products_per_page", "pages", "listings_per_product", "sellers", "ebay_latency_s", "amazon_latency_s")


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
    await_true(lambda: searches(simulator) >= count, 90, every_s=0.05)


def run_workers(product: Product) -> list[psutil.Process]:
    """The processes of runs: children of the process that they are forked from."""
    found: list[psutil.Process] = []
    for process in product.processes():
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            if "warm_process" in " ".join(process.cmdline()):
                found.extend(process.children())
    return found


def assert_undisturbed(
    product: Product, simulator: RunningSimulator, kills: int, categories: list[str] = CATEGORIES
) -> None:
    """The tables are those that a collection without any trouble leaves, and little was asked twice."""
    truth = simulator.truth(*(CATALOGUE.categories[category].node for category in categories))
    sellers = product.rows("SELECT seller_key FROM sellers WHERE status = 'active'")
    assert sorted(row["seller_key"] for row in sellers) == truth["sellers"]
    listings = product.rows("SELECT asin, listing_id FROM ebay_listings WHERE gone_at IS NULL")
    found = sorted((row["asin"], row["listing_id"]) for row in listings)
    assert found == sorted((asin, one) for asin, facts in truth["products"].items() for one in facts["listings"])
    [collection] = product.rows("SELECT status, seller_count_snapshot, endings FROM collections")
    endings = collection.pop("endings")
    assert collection == {"status": "completed", "seller_count_snapshot": truth["seller_count"]}
    assert len(product.rows("SELECT id FROM seller_count_snapshots")) == endings
    [audit] = product.rows("SELECT sum(affected_count)::int AS discovered FROM seller_audit_log")
    assert audit["discovered"] == truth["seller_count"]
    asked_again = sum(search["requests"] - 1 for search in simulator.stats()["searches"])
    assert asked_again <= kills * IN_FLIGHT
    assert sum(page["requests"] - 1 for page in simulator.stats()["nodes"]) <= kills * 5


@pytest.mark.timeout(300)
def test_runs_killed_at_random_moments_and_a_restart_of_postgres_change_nothing(
    home: Path, simulator: RunningSimulator
) -> None:
    dice, kills = random.Random("kill"), 0
    chosen = [word for category in CATEGORIES for word in ("--category", category)]
    with up(home, simulated_accounts(simulator.url)) as product:
        assert product.command("collect", "--name", "killed", *chosen).returncode == 0
        for _ in range(3):
            await_searches(simulator, searches(simulator) + dice.randint(3, 10))
            with suppress(psutil.NoSuchProcess):
                dice.choice(run_workers(product)).send_signal(signal.SIGKILL)
                kills += 1
        # The last death is noticed within 15 s, and its category goes on within 30: nobody waits for a silence to last.
        await_true(lambda: product.rows(UNDONE)[0]["categories"] <= len(run_workers(product)), 30, every_s=0.5)
        [before] = product.rows("SELECT pg_postmaster_start_time()::text AS at")
        restart_postgres(home)
        assert product.rows("SELECT pg_postmaster_start_time()::text AS at") != [before]
        waited = product.command("collect", "--name", "killed", *chosen, "--wait", timeout=240)
        assert waited.returncode == 0, waited.stdout
        assert_undisturbed(product, simulator, kills + 1)


@pytest.mark.timeout(300)
def test_everything_killed_at_once_with_the_marketplace_goes_on_with_the_next_start(home: Path) -> None:
    chosen = [word for category in CATEGORIES for word in ("--category", category)]
    port = free_port()
    accounts = simulated_accounts(f"http://127.0.0.1:{port}")
    with simulator_process(port) as first, up(home, accounts) as product:
        assert product.command("collect", "--name", "killed", *chosen).returncode == 0
        await_searches(first, 15)
        for process in product.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()  # the database's server too
        product.process.wait()
    with simulator_process(port) as second, up(home, accounts) as product:
        waited = product.command("collect", "--name", "killed", *chosen, "--wait", timeout=240)
        assert waited.returncode == 0, waited.stdout
        assert_undisturbed(product, second, kills=1)


@contextmanager
def simulator_process(port: int) -> Iterator[RunningSimulator]:
    """A simulator in a process of its own, killed at the end."""
    chosen = {field.name: getattr(SIMULATED, field.name) for field in fields(SIMULATED) if field.name in CHANGED}
    values = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "collection_pipeline.simulator", "--port", str(port), *values]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as control:
            _await_answer(control)
            yield RunningSimulator(url, Simulator(SIMULATED), control)
    finally:
        process.kill()
        process.wait()


def _await_answer(control: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            control.get("/_control/stats").raise_for_status()
            return
        time.sleep(0.1)
    raise AssertionError("The simulator did not start.")


def restart_postgres(home: Path) -> None:
    """As an administrator does it: all connections are cut, and for a moment nobody answers."""
    server = PostgresServer(home / "postgres", home / "postgres")
    server.stop()
    await_true(lambda: server.is_running, 20)  # `up` has started it again
    start_embedded(home)  # waits until it answers
    stop_embedded(home)
