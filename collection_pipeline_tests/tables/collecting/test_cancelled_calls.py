"""Requests that are cancelled at any moment leave nothing behind: no slot, no lock, no transaction."""

from __future__ import annotations

import asyncio
import random

import sqlalchemy as sa

from collection_pipeline.core.collecting.usage import Call
from collection_pipeline.tables.store import Store

IN_TRANSACTION = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'
"""


def test_a_cancelled_request_leaves_no_lock_behind(store: Store) -> None:
    store.control.enter("c1", "home", "run", org_id="default")
    ledger = store.governor.ledger("c1")
    chance = random.Random(1)

    async def request() -> None:
        async with ledger.call(Call("oxylabs", "best_sellers")):
            await asyncio.sleep(chance.random() * 0.01)

    async def cancel_some() -> None:
        for _ in range(60):
            tasks = [asyncio.create_task(request()) for _ in range(5)]
            await asyncio.sleep(chance.random() * 0.02)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results), results

    asyncio.run(asyncio.wait_for(cancel_some(), 60))
    with store.engine.connect() as connection:
        assert connection.scalar(sa.text(IN_TRANSACTION)) == 0
