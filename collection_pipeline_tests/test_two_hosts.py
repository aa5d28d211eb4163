"""Two hosts, for real: whatever happens to one, to the cable, to Redis or to Postgres, the tables are the truth."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path

import httpx
import pytest

from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.settings.pipeline import simulated_accounts
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline_tests.running import COMMAND
from collection_pipeline_tests.two_hosts import (
    Host,
    Marketplaces,
    Postgres,
    Redis,
    marketplaces,
    reason_not_here,
    two_hosts,
)
from collection_pipeline_tests.waiting import await_true

pytestmark = [pytest.mark.alone, pytest.mark.skipif(bool(reason_not_here()), reason=reason_not_here() or "")]

CATALOGUE = read_catalogue(STARTER_FILE)
CATEGORIES = list(CATALOGUE.categories)[:40]
SLOW = SimulatorConfig(
    products_per_page=8, pages=2, listings_per_product=8, sellers=80, ebay_latency_s=4.0, amazon_latency_s=0.5
)
"""A category takes some twenty seconds, so that all that happens meets runs in their middle."""

REQUESTS_PER_S = 40
"""What both hosts together may ask of eBay."""

IN_FLIGHT = 25
"""Five runs of five workers."""

SPANS = """
    SELECT extract(epoch FROM e.timestamp)::float8, r.end_time::float8, p.value FROM runs r
    JOIN run_tags p ON p.run_id = r.run_id AND p.key = 'dagster/partition'
    JOIN event_logs e ON e.run_id = r.run_id AND e.dagster_event_type = 'PIPELINE_START'
    WHERE r.pipeline_name = 'category_collect' ORDER BY 1
"""
"""When collecting runs were at work, as Dagster knows it, and at which category."""

BEGUN_TWICE = """
    SELECT run_id FROM event_logs WHERE dagster_event_type = 'PIPELINE_START' GROUP BY run_id HAVING count(*) > 1
"""


@dataclass
class Cluster:
    """Everything that is started: Postgres, Redis and the control plane on one host, a worker on both."""

    here: Host
    there: Host
    markets: Marketplaces
    postgres: Postgres
    redis: Redis
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    recovered_in: dict[str, float] = field(default_factory=dict)

    def environment(self, host: Host) -> dict[str, str]:
        return {
            **simulated_accounts(self.markets.url(host)),
            "COLLECTION_HOME": str(host.folder / "home"),
            "COLLECTION_DATABASE_URL": self.postgres.url("collection"),
            "COLLECTION_DAGSTER_DATABASE_URL": self.postgres.url("dagster"),
            "COLLECTION_LAUNCHER": "celery",
            "COLLECTION_BROKER_URL": self.redis.url,
            "COLLECTION_WORKER_GRACE_S": "1",
            "COLLECTION_EBAY_REQUESTS_PER_S": str(REQUESTS_PER_S),
        }

    def start(self, name: str, host: Host, *words: str) -> subprocess.Popen[bytes]:
        return host.start(name, [COMMAND, *words], self.environment(host))

    def start_worker(self, host: Host) -> None:
        self.workers[host.name] = self.start("worker", host, "worker", "--concurrency", "4")

    def has_ui(self) -> bool:
        with suppress(httpx.TransportError):
            return self.here.do(lambda: httpx.get("http://127.0.0.1:3000/server_info", trust_env=False)).is_success
        return False

    def runs_of(self, host: Host) -> dict[str, str]:
        """The categories that a host's worker has, and their runs."""
        leases = self.postgres.rows(
            "SELECT c.category, l.run_id, l.holder FROM run_leases l JOIN collection_categories c USING (run_id) "
            "WHERE l.held_until > now() AND c.status = 'running'"
        )
        pids = host.pids
        return {category: run_id for category, run_id, holder in leases if int(holder.rpartition(":")[2]) in pids}

    def await_runs(self, host: Host, count: int = 1) -> dict[str, str]:
        await_true(lambda: len(self.runs_of(host)) >= count, 60, every_s=0.2)
        return self.runs_of(host)

    def await_lost(self, lost: Mapping[str, str], within_s: float = 30) -> None:
        """Until categories whose runs were lost are done, or being worked on by other ones."""
        try:
            await_true(lambda: self._went_on(lost), within_s, every_s=0.2)
        except AssertionError as error:
            units = "SELECT category, status, attempt, reason, run_id FROM collection_categories"
            raise AssertionError(f"{lost} did not go on: {self.postgres.rows(units)}") from error

    def _went_on(self, lost: Mapping[str, str]) -> bool:
        rows = self.postgres.rows(
            "SELECT c.category, c.status, l.run_id FROM collection_categories c "
            "LEFT JOIN run_leases l ON l.run_id = c.run_id AND l.held_until > now()"
        )
        now = {category: (status, run_id) for category, status, run_id in rows}
        return all(
            now[category][0] == "done" or now[category][1] not in (None, run_id) for category, run_id in lost.items()
        )

    def await_done(self, categories: Collection[str]) -> None:
        names = ", ".join(f"'{category}'" for category in categories)
        query = f"SELECT 1 FROM collection_categories WHERE category IN ({names}) AND status <> 'done'"
        await_true(lambda: not self.postgres.rows(query), 60, every_s=0.2)

    def sent(self) -> set[str]:
        """Runs that no worker has begun."""
        return {
            run_id for (run_id,) in self.postgres.rows("SELECT run_id FROM runs WHERE status = 'STARTING'", "dagster")
        }

    def done(self) -> int:
        [(count,)] = self.postgres.rows("SELECT count(*) FROM collection_categories WHERE status = 'done'")
        return int(count)

    def await_progress(self, categories: int = 2) -> None:
        before = self.done()
        await_true(lambda: self.done() >= before + categories, 60, every_s=0.2)


@contextmanager
def timed(cluster: Cluster, what: str) -> Iterator[None]:
    began_at = time.monotonic()
    yield
    cluster.recovered_in[what] = round(time.monotonic() - began_at, 1)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="collection_pipeline_hosts_"))
    folder.chmod(0o755)  # the server's user has to get to its folder
    try:
        with two_hosts(folder) as (here, there), marketplaces(SLOW, (here, there)) as markets:
            started = Cluster(here, there, markets, Postgres(here), Redis(here))
            control = started.start("up", here, "up", "--no-runs")
            await_true(lambda: control.poll() is None and started.has_ui(), 90, every_s=0.2)
            yield started
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(400)
def test_whatever_happens_to_hosts_cable_redis_and_postgres_the_tables_are_the_truth(cluster: Cluster) -> None:
    chosen = [word for category in CATEGORIES for word in ("--category", category)]
    for host in (cluster.here, cluster.there):
        cluster.start_worker(host)
    assert cluster.start("collect", cluster.here, "collect", "--name", "hosts", *chosen).wait(60) == 0
    a_worker_is_told_to_stop(cluster)
    a_host_dies(cluster)
    cut_off = the_cable_is_cut(cluster)
    cluster.markets.simulator.configure(ebay_latency_s=1.5)
    redis_loses_everything(cluster)
    cluster.await_done(cut_off)  # a category may die three times and no more
    postgres_is_restarted(cluster)
    cluster.markets.simulator.configure(ebay_latency_s=0.05)
    await_true(lambda: cluster.done() == len(CATEGORIES), 120, every_s=0.5)
    print(cluster.recovered_in)
    assert_the_truth(cluster)


def a_host_dies(cluster: Cluster) -> None:
    lost = cluster.await_runs(cluster.there)
    cluster.there.kill()
    with timed(cluster, "a host dies"):
        cluster.await_lost(lost)
    cluster.start_worker(cluster.there)


def the_cable_is_cut(cluster: Cluster) -> Collection[str]:
    lost = cluster.await_runs(cluster.there)
    cluster.there.cut_cable()
    cut_at = time.monotonic()
    with timed(cluster, "the cable is cut"):
        cluster.await_lost(lost)
    time.sleep(max(0.0, cut_at + 20 - time.monotonic()))
    mended_at = time.monotonic()
    cluster.there.mend_cable()
    late = [call - cut_at for call in cluster.markets.calls(cluster.there) if cut_at + 10 < call < mended_at]
    assert not late, "the marketplace was called without the database's leave"
    with timed(cluster, "the cable is mended"):
        cluster.await_runs(cluster.there)
    return lost


def redis_loses_everything(cluster: Cluster) -> None:
    cluster.redis.kill()
    await_true(lambda: len(cluster.sent()) >= 2, 60, every_s=0.2)  # what was begun ends, what comes next waits
    waiting = cluster.sent()
    cluster.redis.start()
    with timed(cluster, "Redis came back empty"):
        await_true(lambda: not waiting & cluster.sent(), 60, every_s=0.2)


def postgres_is_restarted(cluster: Cluster) -> None:
    cluster.postgres.stop()
    cluster.postgres.start()
    with timed(cluster, "Postgres was restarted"):
        cluster.await_progress(2)


def a_worker_is_told_to_stop(cluster: Cluster) -> None:
    lost = cluster.await_runs(cluster.there)
    worker = cluster.workers[cluster.there.name]
    worker.terminate()
    with timed(cluster, "a worker is told to stop"):
        assert worker.wait(30) == 0
    cluster.await_lost(lost, 60)
    cluster.start_worker(cluster.there)  # as after an upgrade


def assert_the_truth(cluster: Cluster) -> None:
    rows = cluster.postgres.rows
    truth = cluster.markets.simulator.truth(*(CATALOGUE.categories[category].node for category in CATEGORIES))
    await_true(lambda: rows("SELECT status FROM collections") == [("completed",)], 60, every_s=0.5)
    sellers = rows("SELECT seller_key FROM sellers WHERE status = 'active'")
    assert sorted(key for (key,) in sellers) == truth["sellers"]
    found = rows("SELECT asin, listing_id FROM ebay_listings WHERE gone_at IS NULL")
    assert sorted(found) == sorted(
        (asin, one) for asin, facts in truth["products"].items() for one in facts["listings"]
    )
    assert rows("SELECT sum(affected_count) FROM seller_audit_log") == [(truth["seller_count"],)]
    stats = cluster.markets.simulator.stats()
    assert sum(search["requests"] - 1 for search in stats["searches"]) <= 4 * IN_FLIGHT
    assert stats["peak_per_s"]["ebay.search"] <= 1.1 * REQUESTS_PER_S
    assert rows(BEGUN_TWICE, "dagster") == []
    spans = rows(SPANS, "dagster")
    assert max(sum(began <= moment < ended for began, ended, _ in spans) for moment, _, _ in spans) == 5
    for _, of_one in groupby(sorted(spans, key=itemgetter(2, 0)), key=itemgetter(2)):
        assert all(former[1] <= later[0] for former, later in pairwise(of_one)), "two runs at one category at once"
