"""One run's places among a source's requests in flight: leased, renewed while a request lasts, given back after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress

import sqlalchemy as sa

from collection_pipeline.core.collecting.usage import Source
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.schema.admission import Admissions

RENEWED_AFTER = 0.3
"""Of a lease. Most requests are over before, and cost no renewal."""

GIVEN_BACK_AFTER_S = 0.05
"""A place that is free again goes back with the run's next request, or after this time where none follows."""


class Places:
    """The places of one holder and source. For one event loop."""

    def __init__(self, source: Source, admissions: Admissions) -> None:
        self._source = source
        self._admissions = admissions
        self._leases: dict[int, asyncio.Timeout] = {}
        self._free: list[int] = []
        self._renewing: asyncio.Task[None] | None = None
        self._giving_back: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def held(self, place: int, wait_s: float) -> AsyncIterator[None]:
        """A place for as long as the context lasts, the first `wait_s` of which are spent waiting for a moment.

        Raises PipelineError once the lease has ended because the database could not be reached.
        """
        try:
            async with asyncio.timeout(wait_s + self._admissions.lease_s) as lease:
                self._leases[place] = lease
                if self._renewing is None:
                    self._renewing = asyncio.create_task(self._renew())
                yield
        except TimeoutError as error:
            if not lease.expired():
                raise
            raise PipelineError(
                f"The database did not answer for {self._admissions.lease_s:.0f} seconds. A request to {self._source} "
                "was given up, because another run may have its place by now. The run is tried again."
            ) from error
        finally:
            self._leases.pop(place, None)
            self.add_free([place])

    def add_free(self, places: Sequence[int]) -> None:
        """Takes places that are to be given back, with the next request or by themselves."""
        self._free.extend(places)
        if self._giving_back is None and self._free:
            self._giving_back = asyncio.create_task(self._give_back_later())

    def take_free(self) -> list[int]:
        """The places to give back, which are the caller's business from now on."""
        taken, self._free = self._free, []
        return taken

    async def close(self) -> None:
        """Gives everything back."""
        for task in (self._renewing, self._giving_back):
            if task is not None:
                task.cancel()
        await self._give_back()

    async def _give_back_later(self) -> None:
        await asyncio.sleep(GIVEN_BACK_AFTER_S)
        self._giving_back = None
        await self._give_back()

    async def _give_back(self) -> None:
        if places := self.take_free():
            with suppress(sa.exc.DBAPIError):  # the leases end by themselves
                await asyncio.to_thread(self._admissions.give_back, self._source, places)

    async def _renew(self) -> None:
        """Until no place is held. What cannot be renewed comes to an end."""
        while self._leases:
            await asyncio.sleep(self._admissions.lease_s * RENEWED_AFTER)
            before, places = asyncio.get_running_loop().time(), list(self._leases)
            with suppress(sa.exc.DBAPIError):
                renewed = await asyncio.to_thread(self._admissions.renew, self._source, places)
                for place in places:
                    if (lease := self._leases.get(place)) is not None and not lease.expired():
                        lease.reschedule(before + self._admissions.lease_s if place in renewed else before)
        self._renewing = None


async def shielded(work: Coroutine[None, None, None]) -> None:
    """Does all of it, also where the caller is cancelled meanwhile."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
