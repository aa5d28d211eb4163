"""Calls to the marketplaces, counted by day before they are made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from collection_pipeline.core.usage import COSTS, Call, vendor_day
from collection_pipeline.tables.schema import api_usage


def _utc_now() -> datetime:
    return datetime.now(UTC)


class UsageStore:
    """The ledger of calls. Implements core.usage.CallLedger."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime] = _utc_now) -> None:
        self._engine = engine
        self._clock = clock

    async def admit(self, call: Call) -> None:
        """Counts one call, committed before it is made: a call whose process dies was made all the same."""
        await asyncio.to_thread(self.count, call)

    def count(self, call: Call) -> None:
        """Counts one call of today, in the vendor's time zone."""
        upsert = insert(api_usage).values(
            source=call.source,
            operation=call.operation,
            day=vendor_day(call.source, self._clock()),
            calls=1,
            cost=COSTS[call],
        )
        with self._engine.begin() as connection:
            connection.execute(
                upsert.on_conflict_do_update(
                    constraint=api_usage.primary_key,
                    set_={"calls": api_usage.c.calls + 1, "cost": api_usage.c.cost + upsert.excluded.cost},
                )
            )
