"""The governor: one request rate, one number of requests in flight and one quota per source, for all runs everywhere.

What is shared is kept in Postgres and changed in short statements, so any number of machines agree. The database's
clock rules the rate; theirs may differ.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from collection_pipeline.core.errors import BudgetSpent, QuotaExhausted
from collection_pipeline.core.usage import COSTS, Call, CallLedger, Limits, Source, next_day, vendor_day
from collection_pipeline.tables.locking import add_places, take_place
from collection_pipeline.tables.schema import api_usage, collections

P = ParamSpec("P")
T = TypeVar("T")

LOOK_AGAIN_S = 0.02
"""Between the first two looks for a free slot, when all are taken; then twice as long each time."""

LONGEST_LOOK_S = 0.25

TOO_LATE_S = 0.02
MOMENTS_TRIED = 3
"""A request that is later than this has lost its moment; on a machine that is always late the last one is taken."""

SHARE_OF_RATE = 0.96
"""Requests are spaced a little wider than the limit demands: on their way they bunch up by some milliseconds."""

# Every request takes the next moment that is free, and waits for it: a virtual queue in one row.
_TAKE_MOMENT = sa.text("""
    INSERT INTO source_rates AS r (source, next_at)
    VALUES (:source, clock_timestamp() + make_interval(secs => 1 / :rate))
    ON CONFLICT (source) DO UPDATE SET next_at = greatest(r.next_at, clock_timestamp())
        + make_interval(secs => 1 / least(:rate, coalesce(r.vendor_requests_per_s * :share, :rate)))
    RETURNING extract(epoch FROM next_at - clock_timestamp())::float8
        - 1 / least(:rate, coalesce(r.vendor_requests_per_s * :share, :rate)) AS wait_s
""")

_OBSERVE = sa.text("""
    INSERT INTO source_rates (source, next_at, vendor_requests_per_s) VALUES (:source, clock_timestamp(), :rate)
    ON CONFLICT (source) DO UPDATE SET vendor_requests_per_s = :rate
""")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Governor:
    """Hands out ledgers that all obey the same limits."""

    engine: sa.Engine
    limits: Mapping[Source, Limits]
    clock: Callable[[], datetime] = _utc_now

    def ledger(self, collection_id: str | None = None) -> CallLedger:
        """The ledger of one collection, which also keeps to its cost cap; or of nobody's."""
        return _Ledger(self, collection_id)

    def left_today(self, source: Source) -> int | None:
        """Calls left of the vendor's day, or None where there is no quota."""
        quota = self.limits[source].calls_per_day
        if quota is None:
            return None
        spent = sa.select(sa.func.coalesce(sa.func.sum(api_usage.c.cost), 0)).where(
            api_usage.c.source == source, api_usage.c.day == vendor_day(source, self.clock())
        )
        with self.engine.connect() as connection:
            return max(0, quota - int(connection.scalar(spent) or 0))


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like asyncio.to_thread, but a cancelled caller waits for the end of the thread.

    The thread goes on all the same, and its connection, which can be used by one thread at a time, is not free before.
    """
    work = asyncio.create_task(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # looked at, so that asyncio does not complain of an error that nobody asked for
        raise


async def _slept_in_time(wait_s: float) -> bool:
    """Sleeps; whether the machine woke it when it should."""
    due = time.monotonic() + max(0.0, wait_s)
    await asyncio.sleep(wait_s)
    return time.monotonic() - due <= TOO_LATE_S


@dataclass(frozen=True)
class _Slot:
    """A request's place among those in flight, held by a transaction: whoever dies, or loses the database, frees it."""

    connection: sa.Connection

    def give_back(self) -> None:
        """Frees the slot; a connection that is broken has freed it by breaking."""
        try:
            self.connection.rollback()
        except sa.exc.DBAPIError:
            self.connection.invalidate()
        finally:
            self.connection.close()


@dataclass
class _Ledger:
    """Implements core.usage.CallLedger."""

    governor: Governor
    collection_id: str | None
    _last_observed: float | None = None
    _prepared: set[Source] = field(default_factory=set)
    """Sources whose slots this ledger knows to be there."""

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[None]:
        limits = self.governor.limits[call.source]
        slot = await self._slot(call.source, limits)
        try:
            await self._admit(call, limits)
            yield
        finally:
            # Shielded: a cancelled worker gives its slot back all the same.
            await asyncio.shield(asyncio.to_thread(slot.give_back))

    async def observed(self, source: Source, requests_per_s: float) -> None:
        if requests_per_s > 0 and requests_per_s != self._last_observed:
            self._last_observed = requests_per_s
            await asyncio.to_thread(self._observe, source, requests_per_s)

    async def _slot(self, source: Source, limits: Limits) -> _Slot:
        wait_s = LOOK_AGAIN_S
        while True:
            taking = asyncio.create_task(asyncio.to_thread(self._take_slot, source, limits))
            try:
                slot = await asyncio.shield(taking)
            except asyncio.CancelledError:
                # The thread goes on all the same, and what it takes would be nobody's.
                if (late := await taking) is not None:
                    late.give_back()
                raise
            if slot is not None:
                return slot
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_LOOK_S)

    def _take_slot(self, source: Source, limits: Limits) -> _Slot | None:
        names = [f"in flight: {source} {number}" for number in range(1, limits.in_flight + 1)]
        if source not in self._prepared:
            with self.governor.engine.begin() as connection:
                add_places(connection, names)
            self._prepared.add(source)
        holding = self.governor.engine.connect()
        try:
            if take_place(holding, names):
                return _Slot(holding)
        except BaseException:
            holding.close()
            raise
        holding.close()
        return None

    async def _admit(self, call: Call, limits: Limits) -> None:
        """Counts a call that is about to be made, and waits for a moment that no other request has.

        A moment that a busy machine has slept through is given up for another, because late requests would come in a
        bunch with those that are on time. Raises SourceError, having counted nothing, for a call that may not be made.
        """
        wait_s = await _in_thread(self._count_and_take_moment, call, limits)
        for _ in range(MOMENTS_TRIED - 1):
            if await _slept_in_time(wait_s):
                return
            wait_s = await _in_thread(self._take_another_moment, call.source, limits)
        await asyncio.sleep(wait_s)

    def _count_and_take_moment(self, call: Call, limits: Limits) -> float:
        """One transaction for both: seconds until the moment that is this request's."""
        with self.governor.engine.begin() as connection:
            self._spend(connection, call)
            self._use(connection, call, limits)
            return self._take_moment(connection, call.source, limits)

    def _take_another_moment(self, source: Source, limits: Limits) -> float:
        with self.governor.engine.begin() as connection:
            return self._take_moment(connection, source, limits)

    def _take_moment(self, connection: sa.Connection, source: Source, limits: Limits) -> float:
        rate = {"rate": limits.requests_per_s * SHARE_OF_RATE, "share": SHARE_OF_RATE, "source": source}
        return float(connection.scalar(_TAKE_MOMENT, rate) or 0)

    def _spend(self, connection: sa.Connection, call: Call) -> None:
        if self.collection_id is None:
            return
        cost = COSTS[call]
        is_affordable = collections.c.cost_cap.is_(None) | (collections.c.cost + cost <= collections.c.cost_cap)
        spent = connection.execute(
            collections.update()
            .where(collections.c.collection_id == self.collection_id, is_affordable)
            .values(calls=collections.c.calls + 1, cost=collections.c.cost + cost)
        )
        if not spent.rowcount:
            raise BudgetSpent(
                f"The collection {self.collection_id} has spent its cost cap. Resume it with a higher one: "
                f"collection-pipeline collections resume {self.collection_id} --cap N."
            )

    def _use(self, connection: sa.Connection, call: Call, limits: Limits) -> None:
        now = self.governor.clock()
        upsert = insert(api_usage).values(
            source=call.source,
            operation=call.operation,
            day=vendor_day(call.source, now),
            calls=1,
            cost=COSTS[call],
        )
        connection.execute(
            upsert.on_conflict_do_update(
                constraint=api_usage.primary_key,
                set_={"calls": api_usage.c.calls + 1, "cost": api_usage.c.cost + upsert.excluded.cost},
            )
        )
        quota = limits.calls_per_day
        if quota is not None and COSTS[call] and self._used(connection, call.source, now) > quota:
            resets_at = next_day(call.source, now)
            raise QuotaExhausted(
                f"The {quota} calls a day that {call.source} allows are used up. There are new ones from "
                f"{resets_at:%Y-%m-%d %H:%M} UTC on.",
                resets_at=resets_at,
            )

    def _used(self, connection: sa.Connection, source: Source, now: datetime) -> int:
        used = sa.select(sa.func.sum(api_usage.c.cost)).where(
            api_usage.c.source == source, api_usage.c.day == vendor_day(source, now)
        )
        return int(connection.scalar(used) or 0)

    def _observe(self, source: Source, requests_per_s: float) -> None:
        with self.governor.engine.begin() as connection:
            connection.execute(_OBSERVE, {"source": source, "rate": requests_per_s})
