"""How much of an allowed rate do five runs of five workers use, and how often does the marketplace refuse them?

Each run is a process with connections of its own; the simulator refuses what exceeds its limit with a 429.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from decimal import Decimal

from benchmarks.parts import fresh_database
from collection_pipeline.core.collecting.listings import ListingQuery
from collection_pipeline.core.collecting.usage import DEFAULT_LIMITS, Limits
from collection_pipeline.core.errors import RateLimited
from collection_pipeline.core.money import BandRule, Money
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import running
from collection_pipeline.sources.ebay.token import EbayAccount
from collection_pipeline.sources.opening import open_listings
from collection_pipeline.tables.collecting.governor import Governor
from collection_pipeline.tables.server.database import create_engine, database_url

RATE = 40
SEARCHES_PER_RUN = 160


def run(address: str, ebay_url: str) -> None:
    """One run: five workers search as fast as they are let."""
    engine = create_engine(database_url(address))
    limits = {**DEFAULT_LIMITS, "ebay": Limits(requests_per_s=RATE, in_flight=25)}
    query = ListingQuery("coffee", BandRule().band(Money(Decimal(100), "USD")))

    async def search() -> None:
        ledger = Governor(engine, limits).ledger()
        async with open_listings(EbayAccount(ebay_url, "id", "secret"), ledger) as source:
            waiting = iter(range(SEARCHES_PER_RUN))

            async def work() -> None:
                for _ in waiting:
                    try:
                        await source.search(query, 1)
                    except RateLimited:
                        continue

            await asyncio.gather(*(work() for _ in range(5)))

    asyncio.run(search())
    engine.dispose()


def main() -> None:
    """Prints how much of the rate was used, and how many requests were refused."""
    config = SimulatorConfig(ebay_latency_s=0.1, ebay_rate_per_s=RATE)
    with fresh_database() as url, running(config) as simulator:
        address = url.render_as_string(hide_password=False)
        processes = multiprocessing.get_context("spawn")
        runs = [processes.Process(target=run, args=(address, simulator.ebay_url)) for _ in range(5)]
        for one in runs:
            one.start()
        while simulator.stats()["requests"].get("ebay.search", 0) < RATE:
            time.sleep(0.1)
        began, before = time.monotonic(), simulator.stats()["requests"]["ebay.search"]
        while (count := simulator.stats()["requests"]["ebay.search"]) < 5 * SEARCHES_PER_RUN - RATE:
            time.sleep(0.1)
        rate = (count - before) / (time.monotonic() - began)
        for one in runs:
            one.join()
        stats = simulator.stats()
    print(
        f"{rate:.1f} of {RATE} requests a second used, {rate / RATE:.3f}; refused: {stats['rejected']}, "
        f"most in one second: {stats['peak_per_s']['ebay.search']}, most at once: {stats['highest_in_flight']}"
    )


if __name__ == "__main__":
    main()
