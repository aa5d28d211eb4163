"""How long does a collection take, next to Scrapy asking the same marketplaces, and what does it cost?

Needs the group of dependencies `benchmarks` (`pip install -e '.[benchmarks]'`) and a machine with nothing else to do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click
import httpx
import sqlalchemy as sa

from benchmarks.parts import fresh_database
from benchmarks.processes import Usage, measured
from collection_pipeline.core.catalogue import STARTER_FILE, Category, read_catalogue
from collection_pipeline.processes.running_services import free_port
from collection_pipeline.settings.pipeline import simulated_accounts
from collection_pipeline.tables.server.database import create_engine

COMMAND = str(Path(sys.executable).parent / "collection-pipeline")
IN_FLIGHT = 25
"""Five runs of five workers; Scrapy is given as many."""

LATENCY_S = 0.2


_LARGEST = """
    largest AS (
        SELECT category, started_at, ended_at, row_number() OVER (ORDER BY started_at DESC) AS from_the_end
        FROM collection_categories WHERE collection_id = (
            SELECT collection_id FROM collection_categories GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)
    )
"""

# While five or more categories wait: until the fifth last one starts.
_AT_WORK = f"""
    WITH {_LARGEST},
    busy AS (SELECT min(started_at) AS since, max(started_at) FILTER (WHERE from_the_end >= 5) AS until FROM largest)
    SELECT extract(epoch FROM sum(least(ended_at, until) - started_at)) / extract(epoch FROM min(until) - min(since))
    FROM largest, busy WHERE started_at < until
"""  # noqa: S608

_COLLECTING = f"WITH {_LARGEST} SELECT extract(epoch FROM max(ended_at) - min(started_at)) FROM largest"  # noqa: S608


@dataclass(frozen=True)
class Product:
    """The product, running."""

    home: Path
    environment: Mapping[str, str]
    engine: sa.Engine

    def collect(self, categories: Sequence[Category]) -> float:
        """Collects, and waits; the seconds from the command's start to its end."""
        words = [word for category in categories for word in ("--category", category.key)]
        began = time.monotonic()
        done = subprocess.run(
            [COMMAND, "collect", "--wait", *words],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return time.monotonic() - began

    def value(self, query: str) -> float:
        """The one figure that a query asks for."""
        with self.engine.connect() as connection:
            return float(connection.scalar(sa.text(query)) or 0)

    def sessions(self) -> float:
        """How many sessions both databases ever had."""
        time.sleep(1.5)  # the server counts with a delay
        return self.value("SELECT sum(sessions) FROM pg_stat_database WHERE datname IN ('collection', 'dagster')")


@contextmanager
def marketplace(*options: str) -> Iterator[str]:
    """The simulator in a process of its own; its address."""
    port = free_port()
    settings = (f"ebay_latency_s={LATENCY_S}", f"amazon_latency_s={LATENCY_S}", "latency_jitter=0", *options)
    words = [word for setting in settings for word in ("--set", setting)]
    with _process([sys.executable, "-m", "collection_pipeline.simulator", "--port", str(port), *words], os.environ):
        _await(f"http://127.0.0.1:{port}/_control/stats")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def product(url: str, rate: float) -> Iterator[Product]:
    """The product on a database of its own, asking the simulator at `rate` requests a second at most."""
    with fresh_database() as database:
        home = Path(os.environ["DAGSTER_HOME"])
        port = free_port()
        environment = {
            **os.environ,
            **simulated_accounts(url),
            "COLLECTION_HOME": str(home),
            "COLLECTION_EBAY_REQUESTS_PER_S": str(rate),
        }
        engine = create_engine(database)
        command = [COMMAND, "up", "--port", str(port), "--feed-port", str(free_port())]
        with _process(command, environment):
            _await(f"http://127.0.0.1:{port}/server_info")
            yield Product(home, environment, engine)
        engine.dispose()


@contextmanager
def _process(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(90)


def _await(url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(url, timeout=5).is_success:
                return
        time.sleep(0.2)
    raise TimeoutError(f"{url} did not answer.")


def scrapy(url: str, categories: Sequence[Category], rate: float | None = None) -> float:
    """Scrapy's seconds for the same."""
    nodes = ",".join(category.node for category in categories)
    words = [] if rate is None else [str(rate)]
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "benchmarks.spider", url, nodes, *words], check=True)
    return time.monotonic() - began


def requests(url: str) -> int:
    """Searches that the marketplace has answered."""
    return int(httpx.get(f"{url}/_control/stats").json()["requests"].get("ebay.search", 0))


@click.command()
@click.option("--categories", "count", default=12, show_default=True, help="How many are collected.")
@click.option("--products", default=40, show_default=True, help="Best sellers of each.")
@click.option("--rate", default=500.0, show_default=True, help="Requests a second that politeness allows.")
def main(count: int, products: int, rate: float) -> None:
    """Prints a table of figures and ratios."""
    chosen = list(read_catalogue(STARTER_FILE).categories.values())
    categories, extra = chosen[:count], [*chosen[count:], *chosen][:2]
    with marketplace(f"products_per_page={products}", "pages=1") as url:
        by_scrapy = scrapy(url, categories, rate if rate < 500 else None)
        asked_by_scrapy = requests(url)
        with product(url, rate) as running:
            time.sleep(10)  # what starting costs is another question
            with measured(running.home) as idle:
                time.sleep(20)
            running.collect(extra[:1])  # the first run of all makes the warm process
            sessions, asked = running.sessions(), requests(url)
            with measured(running.home) as busy:
                wall = running.collect(categories)
            asked = requests(url) - asked
            sessions = (running.sessions() - sessions) / count
            with measured(running.home) as one:
                running.collect(extra[1:])
            bound = max(asked * LATENCY_S / IN_FLIGHT, asked / rate)
            _print(running, count, wall, by_scrapy, bound, asked, asked_by_scrapy, sessions, idle, busy, one)


def _print(
    running: Product,
    count: int,
    wall: float,
    by_scrapy: float,
    bound: float,
    asked: int,
    asked_by_scrapy: int,
    sessions: float,
    idle: Usage,
    busy: Usage,
    one: Usage,
) -> None:
    at_work = running.value(_AT_WORK)
    collecting = running.value(_COLLECTING)
    rows = {
        f"{count} categories, `collect --wait`": f"{wall:.1f} s ({asked} searches)",
        "Scrapy": f"{by_scrapy:.1f} s ({asked_by_scrapy} searches)",
        "÷ Scrapy": f"{wall / by_scrapy:.2f}",
        "÷ bound": f"{wall / bound:.2f} (bound {bound:.1f} s; first run's start to last run's end {collecting:.1f} s)",
        "CPU": f"{busy.ours:.1f} s ({_by_kind(busy)})",
        "CPU of one more category": f"{one.ours:.2f} s ({_by_kind(one)})",
        "idle CPU": f"{idle.ours / 20:.1%} of a core",
        "idle memory": f"{idle.megabytes:.0f} MB",
        "memory of a run, of its own": f"{busy.run_megabytes:.0f} MB at most",
        "new sessions per category": f"{sessions:.1f}",
        "runs at work on average": f"{at_work:.2f}",
    }
    for name, figure in rows.items():
        print(f"| {name} | {figure} |")


def _by_kind(usage: Usage) -> str:
    return ", ".join(f"{kind} {seconds:.2f}" for kind, seconds in usage.seconds.most_common())


if __name__ == "__main__":
    main()
