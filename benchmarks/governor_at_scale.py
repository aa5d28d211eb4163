"""A thousand workers on fifty hosts behind one governor: is the rate kept and used, and what does Postgres do for it?

Hosts are simulated: each has connections of its own, and some of them share a process of this machine. A request is a
sleep; nothing but the governor and Postgres is real. Ratios and processor time hold on a busy machine, seconds do not.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path

import click
import psutil
import sqlalchemy as sa

from benchmarks.parts import fresh_database
from collection_pipeline.core.collecting.usage import DEFAULT_LIMITS, Call, Limits
from collection_pipeline.tables.collecting.governor import Governor
from collection_pipeline.tables.server.database import create_engine, database_url

SEARCH = Call("ebay", "search")
WARM_UP_S = 5.0
WORKERS_A_RUN = 5


@dataclass(frozen=True)
class Load:
    """What is simulated."""

    hosts: int
    runs_a_host: int
    processes: int
    rate: float
    in_flight: int
    request_s: float
    seconds: float

    @property
    def workers(self) -> int:
        """All of them."""
        return self.hosts * self.runs_a_host * WORKERS_A_RUN


async def work(load: Load, governors: Sequence[Governor], until: float) -> list[float]:
    """The workers of some hosts; the moments at which they were let through."""
    moments: list[float] = []

    async def run(governor: Governor) -> None:
        async with governor.ledger() as ledger:

            async def worker() -> None:
                while time.monotonic() < until:
                    async with ledger.call(SEARCH):
                        moments.append(time.monotonic())
                        await asyncio.sleep(load.request_s)

            await asyncio.gather(*(worker() for _ in range(WORKERS_A_RUN)))

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(3 * len(governors)))
    await asyncio.gather(*(run(governor) for governor in governors for _ in range(load.runs_a_host)))
    return moments


def some_hosts(address: str, load: Load, until: float, told: Queue[list[float]]) -> None:
    """A process with its share of the hosts."""
    limits = {**DEFAULT_LIMITS, "ebay": Limits(requests_per_s=load.rate, in_flight=load.in_flight)}
    engines = [create_engine(database_url(address)) for _ in range(load.hosts // load.processes)]
    told.put(asyncio.run(work(load, [Governor(engine, limits) for engine in engines], until)))
    for engine in engines:
        engine.dispose()


def processor_s(server: psutil.Process) -> float:
    """Processor time of Postgres and of all its processes that have not ended."""
    times = [one.cpu_times() for one in (server, *server.children())]
    return float(sum(time.user + time.system for time in times))


@contextmanager
def roomy_database() -> Iterator[tuple[str, psutil.Process]]:
    """A database of a server that lets everybody in; and the server's process."""
    with fresh_database(max_connections=400) as url:
        pid = int((Path(str(url.query["host"])) / "postmaster.pid").read_text().splitlines()[0])
        yield url.render_as_string(hide_password=False), psutil.Process(pid)


def most_in_a_second(moments: Sequence[float]) -> int:
    """The most requests within any second; `moments` in their order."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


@click.command()
@click.option("--hosts", default=50)
@click.option("--runs-a-host", default=4)
@click.option("--processes", default=2)
@click.option("--rate", default=100.0)
@click.option("--in-flight", default=1000)
@click.option("--request-s", default=0.2)
@click.option("--seconds", default=30.0)
def main(**options: float) -> None:
    """Prints how well the rate is kept and used, and what Postgres does for it."""
    load = Load(**options)  # type: ignore[arg-type]
    spawn = multiprocessing.get_context("spawn")
    with roomy_database() as (address, server):
        told: Queue[list[float]] = spawn.Queue()
        began = time.monotonic() + WARM_UP_S
        ends = began + load.seconds
        processes = [
            spawn.Process(target=some_hosts, args=(address, load, ends + 1, told)) for _ in range(load.processes)
        ]
        for one in processes:
            one.start()
        commits = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        engine = create_engine(database_url(address))
        time.sleep(max(0.0, began - time.monotonic()))
        before_s = processor_s(server)
        with engine.connect() as connection:
            before = connection.scalar(sa.text(commits))
        time.sleep(max(0.0, ends - time.monotonic()))
        used_s = processor_s(server) - before_s
        with engine.connect() as connection:
            committed = connection.scalar(sa.text(commits)) - before
        engine.dispose()
        everything = [told.get() for _ in processes]
        for one in processes:
            one.join()
    moments = sorted(moment for part in everything for moment in part if began <= moment < ends)
    print(
        f"{load.workers} workers on {load.hosts} hosts, {load.rate:g} requests a second, {load.in_flight} in flight: "
        f"used {len(moments) / load.seconds / load.rate:.3f} of the rate; most in a second "
        f"{most_in_a_second(moments) / load.rate:.3f} of it; Postgres {used_s / load.seconds:.2f} of a core, "
        f"{1000 * used_s / max(1, len(moments)):.2f} ms and {committed / max(1, len(moments)):.1f} statements a request"
    )


if __name__ == "__main__":
    main()
