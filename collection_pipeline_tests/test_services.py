"""What `up` keeps running: stopped in the middle it goes on at once, and whatever dies comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.processes.running_services import Services, free_port
from collection_pipeline_tests.conftest import REPOSITORY
from collection_pipeline_tests.running import COMMAND, STOPS_WITHIN_S, Product, up
from collection_pipeline_tests.waiting import await_true

pytestmark = [pytest.mark.xdist_group("services"), pytest.mark.timeout(400)]

CATEGORIES = list(read_catalogue(STARTER_FILE).categories)[:4]
CHOSEN = [word for category in CATEGORIES for word in ("--category", category)]


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="collection_pipeline_services_"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_ctrl_c_in_the_middle_is_no_failure_and_the_next_start_goes_on_at_once(home: Path) -> None:
    with up(home, {}) as product:  # without credentials, so that its own simulator stops with it
        slow_down(home)
        assert product.command("collect", "--name", "interrupted", *CHOSEN).returncode == 0
        await_searches(product, 10)
        assert readable_by_others(home) == []
        product.interrupt()
        assert product.process.wait(STOPS_WITHIN_S) == 0
        assert product.processes() == []
    with up(home, {}) as product:
        await_true(lambda: searches(product) > 0 and status(product) == "completed", 150, every_s=1)
        [counted] = product.rows(
            "SELECT count(*)::int AS categories, min(attempt)::int AS least, max(attempt)::int AS most, "
            "bool_and(last_attempt - attempt >= 2) AS none_is_used_up FROM collection_categories"
        )
        assert counted["categories"] == len(CATEGORIES)
        assert counted["most"] == 2, "somebody was interrupted"
        assert counted["none_is_used_up"], "an interruption is none of the attempts that a category has"
        assert product.rows("SELECT 1 FROM activity_events WHERE action IN ('paused', 'error')") == []
        assert product.rows("SELECT 1 FROM product_searches WHERE status = 'failed'") == []
        assert product.rows("SELECT 1 FROM alerts WHERE cause = 'run_failed'") == []
        assert set(run_statuses(product)) <= {"SUCCESS", "CANCELED"}


def test_whatever_dies_comes_back_and_the_collection_does_not_notice(home: Path) -> None:
    with up(home, {}) as product:
        assert product.command("collect", "--name", "interrupted", *CHOSEN).returncode == 0
        await_searches(product, 5)
        reload_code(product)  # another process has the code then, and none has died
        assert code_answers(product)
        assert "started again" not in (home / "up.log").read_text()
        await_true(lambda: len(found(product, "api grpc")) == 1, 60, every_s=0.2)  # the former one takes its time
        assert_comes_back(product, "code", "api grpc", lambda: code_answers(product))
        assert_comes_back(product, "code", "code-server start", lambda: code_answers(product))
        assert_comes_back(product, "webserver", "instance.webserver", lambda: answers(product.url))
        assert_comes_back(product, "daemon", "instance.daemon", lambda: True)
        await_true(lambda: status(product) == "completed", 150, every_s=1)
        # Runs are not the code server's or the daemon's to lose.
        assert product.rows("SELECT 1 FROM collection_categories WHERE attempt > 1") == []
        assert set(run_statuses(product)) == {"SUCCESS"}
        simulator = Services.read(home)
        assert simulator is not None
        assert_comes_back(product, "feed", "collection_pipeline.feed", lambda: answers(product.feed_url))
        assert_comes_back(
            product,
            "simulator",
            "collection_pipeline.simulator",
            lambda: answers(f"{simulator.simulator_url}/_control/stats"),
        )
        assert product.process.poll() is None
        product.interrupt()
        assert product.process.wait(STOPS_WITHIN_S) == 0
        assert product.processes() == []


def test_of_two_started_at_the_same_moment_one_says_so_and_leaves(home: Path) -> None:
    with up(home, {}) as product:
        pass
    first, second = (starting(product, number) for number in (1, 2))
    try:
        await_true(lambda: first.poll() is not None or second.poll() is not None, 60)
        left, stays = (first, second) if first.poll() is not None else (second, first)
        said = (home / f"up{1 if left is first else 2}.log").read_text()
        assert left.returncode == 0
        assert "Another `up`" in said or "already runs" in said
        await_true(lambda: Services.read(home) is not None, 30)
        assert stays.poll() is None
    finally:
        for process in (first, second):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(STOPS_WITHIN_S)
    assert product.processes() == []


def readable_by_others(home: Path) -> list[Path]:
    """What another user could read of what `up` writes; the database's files are the database's to close."""
    written = [home / "services.json", home / "logs", *(home / "logs").glob("*.log")]
    written += [home / "dagster", home / "dagster" / "dagster.yaml", home / "dagster" / "workspace.yaml"]
    return [file for file in written if file.stat().st_mode & 0o077]


def starting(product: Product, number: int) -> subprocess.Popen[bytes]:
    """One more `up` on the same home, with ports and a log of its own."""
    with (product.home / f"up{number}.log").open("wb") as log:
        return subprocess.Popen(
            [COMMAND, "up", "--port", str(free_port()), "--feed-port", str(free_port())],
            cwd=REPOSITORY,
            env={**os.environ, **product.environment},
            stdout=log,
            stderr=log,
        )


def assert_comes_back(product: Product, service: str, words: str, lives: Callable[[], bool]) -> None:
    """Kills the process with these words in its command, and waits until there is another one that works."""
    [victim] = found(product, words)
    victim.kill()
    await_true(lambda: victim not in found(product, words) and bool(found(product, words)), 60, every_s=0.1)
    await_true(lives, 60, every_s=0.2)
    said = (product.home / "up.log").read_text()
    assert f"{service} is started again." in said
    assert "it is started again in" in (product.home / "logs" / f"{service}.log").read_text()


def found(product: Product, words: str) -> list[psutil.Process]:
    return [one for one in product.processes() if words in " ".join(command_of(one))]


def command_of(process: psutil.Process) -> list[str]:
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def answers(address: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(address, timeout=5).status_code == 200
    return False


def code_answers(product: Product) -> bool:
    """Whether a sensor can be evaluated, which only the process that has loaded the code does."""
    query = """
        mutation Try($one: SensorSelector!) {
          sensorDryRun(selectorData: $one, cursor: null) {
            ... on DryRunInstigationTick { evaluationResult { error { message } } }
          }
        }
    """
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "collection_pipeline",
        "sensorName": "resume_collections",
    }
    answer = httpx.post(
        f"{product.url}/graphql", json={"query": query, "variables": {"one": selector}}, timeout=60
    ).json()
    result = (answer.get("data") or {}).get("sensorDryRun", {}).get("evaluationResult")
    return result is not None and result["error"] is None


def reload_code(product: Product) -> None:
    query = """
        mutation { reloadRepositoryLocation(repositoryLocationName: "collection_pipeline") { __typename } }
    """
    answer = product.graphql(query)["reloadRepositoryLocation"]
    assert answer == {"__typename": "WorkspaceLocationEntry"}


def slow_down(home: Path) -> None:
    """Has the product's own simulator answer as slowly as a marketplace, so that there is a middle to meet."""
    running = Services.read(home)
    assert running is not None
    changes = {"ebay_latency_s": 1.0}
    assert httpx.post(f"{running.simulator_url}/_control/config", json=changes, timeout=10).is_success


def searches(product: Product) -> int:
    [row] = product.rows("SELECT count(*)::int AS done FROM product_searches WHERE status IN ('done', 'empty')")
    return int(row["done"])


def await_searches(product: Product, count: int) -> None:
    await_true(lambda: searches(product) >= count, 90, every_s=0.2)


def status(product: Product) -> str:
    [row] = product.rows("SELECT status FROM collections WHERE collection_id = 'interrupted'")
    return str(row["status"])


def run_statuses(product: Product) -> list[str]:
    runs = product.graphql("{ runsOrError { ... on Runs { results { status } } } }")["runsOrError"]["results"]
    return [run["status"] for run in runs]
