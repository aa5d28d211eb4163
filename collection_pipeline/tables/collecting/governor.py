"""The governor: one request rate, one number of requests in flight and one quota per source, for all runs everywhere.

What is shared is kept in Postgres and changed in short statements (admission.py), so any number of machines agree. The
database's clock rules the rate; theirs may differ.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from collection_pipeline.core.collecting.usage import COSTS, Call, CallLedger, Limits, Source, next_day, vendor_day
from collection_pipeline.core.errors import BudgetSpent, QuotaExhausted, SourceError
from collection_pipeline.tables.collecting.places import Places, shielded
from collection_pipeline.tables.schema.admission import Admission, AdmissionRequest, Admissions
from collection_pipeline.tables.schema.tables import api_usage

LOOK_AGAIN_S = 0.02
"""Between the first two looks for a free place, when all are taken; then twice as long each time."""

LONGEST_LOOK_S = 1.0

LEASE_S = 10.0
"""How long a run that has died, or lost the database, keeps its places; a request may not go on for longer either."""

TOO_LATE_S = 0.02
MOMENTS_TRIED = 3
"""A request that is later than this has lost its moment; the next one may be twice as late, and the last one is taken:
a machine that is always late would otherwise use up the moments of all others.
"""

SHARE_OF_RATE = 0.96
"""Requests are spaced a little wider than the limit demands: on their way they bunch up by some milliseconds."""

_TAKE_MOMENT = sa.text("""
    UPDATE source_rates SET next_at = greatest(next_at, clock_timestamp())
        + make_interval(secs => 1 / least(:rate, vendor_requests_per_s * :share))
    WHERE source = :source
    RETURNING extract(epoch FROM next_at - clock_timestamp())::float8
        - 1 / least(:rate, vendor_requests_per_s * :share) AS wait_s
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
    lease_s: float = LEASE_S

    def ledger(self, collection_id: str | None = None) -> Ledger:
        """The ledger of one collection, which also keeps to its cost cap; or of nobody's. Close it after use."""
        return Ledger(self, collection_id)

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

    @cached_property
    def autocommit(self) -> sa.Engine:
        """The same connections, on which every statement commits by itself: one round trip in place of three."""
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")


async def _lateness(moment: float) -> float:
    """Sleeps until then; how many seconds later the machine woke it."""
    await asyncio.sleep(moment - time.monotonic())
    return time.monotonic() - moment


class Ledger(CallLedger):
    """Implements core.usage.CallLedger for one event loop."""

    def __init__(self, governor: Governor, collection_id: str | None) -> None:
        self._governor = governor
        self._collection_id = collection_id
        self._admissions = Admissions(governor.autocommit, uuid.uuid4().hex, governor.lease_s)
        self._places: dict[Source, Places] = {}
        self._asking = asyncio.Lock()
        self._last_observed: float | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for places in self._places.values():
            await shielded(places.close())

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[None]:
        """Is entered once the call may be made.

        Raises SourceError for one that may not, and PipelineError once the database has lost sight of this run.
        """
        place, moment = await self._admitted(call)
        async with self._places[call.source].held(place, moment - time.monotonic()):
            await self._wait_for(moment, call.source)
            yield

    async def observed(self, source: Source, requests_per_s: float) -> None:
        """Takes note of the rate that the vendor itself says it allows."""
        if requests_per_s > 0 and requests_per_s != self._last_observed:
            self._last_observed = requests_per_s
            await asyncio.to_thread(self._observe, source, requests_per_s)

    async def _admitted(self, call: Call) -> tuple[int, float]:
        """A call's place and its moment, by time.monotonic(). Raises SourceError for one that may not be made."""
        now, limits = self._governor.clock(), self._governor.limits[call.source]
        if call.source not in self._places:
            await asyncio.to_thread(self._admissions.prepare, call.source, limits.in_flight)
            self._places.setdefault(call.source, Places(call.source, self._admissions))
        asked = AdmissionRequest(
            source=call.source,
            operation=call.operation,
            day=vendor_day(call.source, now),
            cost=COSTS[call],
            collection_id=self._collection_id,
            calls_per_day=limits.calls_per_day,
            places=limits.in_flight,
            requests_per_s=limits.requests_per_s * SHARE_OF_RATE,
            share=SHARE_OF_RATE,
        )
        look_again_s = LOOK_AGAIN_S
        async with self._asking:  # where all places are taken, one worker of a run looks for all of them
            while True:
                admission = await self._ask(self._places[call.source], asked)
                if admission.refusal is not None:
                    raise self._refused(admission.refusal, call.source, limits, now)
                if admission.place is not None:
                    return admission.place, admission.moment
                await asyncio.sleep(look_again_s)
                look_again_s = min(2 * look_again_s, LONGEST_LOOK_S)

    async def _ask(self, places: Places, asked: AdmissionRequest) -> Admission:
        given_back = places.take_free()
        asking = asyncio.create_task(asyncio.to_thread(self._admissions.ask, asked, given_back))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            # The thread goes on all the same, and the place that it takes would be nobody's.
            with suppress(sa.exc.DBAPIError):
                if (late := await asking).place is not None:
                    places.add_free([late.place])
            raise
        except sa.exc.DBAPIError:
            places.add_free(given_back)
            raise

    async def _wait_for(self, moment: float, source: Source) -> None:
        """Waits for a moment that no other request has.

        One that a busy machine has slept through is given up for another, because late requests would come in a bunch
        with those that are on time.
        """
        for tried in range(MOMENTS_TRIED - 1):
            if await _lateness(moment) <= TOO_LATE_S * 2**tried:
                return
            moment = await asyncio.to_thread(self._take_another_moment, source)
        await _lateness(moment)

    def _refused(self, refusal: str, source: Source, limits: Limits, now: datetime) -> SourceError:
        if refusal == "quota":
            resets_at = next_day(source, now)
            return QuotaExhausted(
                f"The {limits.calls_per_day} calls a day that {source} allows are used up. There are new ones from "
                f"{resets_at:%Y-%m-%d %H:%M} UTC on.",
                resets_at=resets_at,
            )
        return BudgetSpent(
            f"The collection {self._collection_id} has spent its cost cap. Resume it with a higher one: "
            f"collection-pipeline collections resume {self._collection_id} --cap N."
        )

    def _take_another_moment(self, source: Source) -> float:
        rate = self._governor.limits[source].requests_per_s * SHARE_OF_RATE
        with self._governor.autocommit.connect() as connection:
            wait_s = connection.scalar(_TAKE_MOMENT, {"source": source, "rate": rate, "share": SHARE_OF_RATE})
            return time.monotonic() + float(wait_s or 0)

    def _observe(self, source: Source, requests_per_s: float) -> None:
        with self._governor.autocommit.connect() as connection:
            connection.execute(_OBSERVE, {"source": source, "rate": requests_per_s})
