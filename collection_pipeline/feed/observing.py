"""What operators ask this server: its health and its figures, each on a thread of its own."""

from __future__ import annotations

import asyncio
import time

from collection_pipeline.feed.health import ANSWERS_WITHIN_S, AWAY, Readiness, database_checks, readiness
from collection_pipeline.feed.hub import Hub
from collection_pipeline.feed.metrics import ServerFigures, exposition
from collection_pipeline.feed.reading import Answers, Lane
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.figures import Figures, FigureStore


class Observing:
    """Answers probes and scrapes. However many ask, the database is looked at once a second at most."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store, self._hub = store, hub
        self._figures = FigureStore(store.engine, store.governor.limits)
        # Not a thread of the page's questions: a probe must not fail because many look at the page. And one thread
        # for the figures, because their store is not for several.
        self._probes, self._scrapes = Lane("probes", 1), Lane("scrapes", 1)
        self._health, self._measured = Answers(self._probes), Answers(self._scrapes)

    async def readiness(self) -> Readiness:
        """Whether the server can do its work, found out within ANSWERS_WITHIN_S."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                database = await self._health.to(database_checks, self._store.engine)
        except TimeoutError:
            database = AWAY
        return readiness(database, is_listening=self._hub.is_listening)

    async def exposition(self) -> bytes:
        """The figures of this moment, for Prometheus."""
        figures, read_s = await self._measured.to(self._measure)
        return exposition(figures, ServerFigures(self._hub.readers, self._hub.is_listening, read_s))

    def close(self) -> None:
        """Takes no more questions."""
        self._probes.close()
        self._scrapes.close()

    def _measure(self) -> tuple[Figures, float]:
        began = time.monotonic()
        figures = self._figures.read()
        return figures, time.monotonic() - began
