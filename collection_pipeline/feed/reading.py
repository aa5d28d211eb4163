"""Blocking SQL beside an event loop: in a few threads, and once for all who ask the same at the same time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

P = ParamSpec("P")
R = TypeVar("R")

UNREACHABLE = (OperationalError, InterfaceError, NoConnectionFree)
"""What a database that restarts or is overwhelmed looks like; asking again later helps."""

logger = logging.getLogger(__name__)


class Lane:
    """A few threads for one kind of reading, so that one kind never waits for another."""

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"feed-{name}")

    async def read(self, query: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of a query, or what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: query(*args, **kwargs))

    async def read_at_last(self, query: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of a query, however long the database does not answer."""
        wait_s = 0.1
        while True:
            try:
                return await self.read(query, *args, **kwargs)
            except UNREACHABLE as error:
                logger.warning("The database does not answer (%s); the feed asks again.", type(error).__name__)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, 2.0)

    def close(self) -> None:
        """Takes no more queries, and waits for none."""
        self._pool.shutdown(wait=False, cancel_futures=True)


GOOD_FOR_S = 1.0
COST_FACTOR = 10
"""An answer is good for a second, or for ten times what it cost: a hundred pages that ask the same every second take
no more than a tenth of one database core from the collection they look at."""


class Answers:
    """Answers that many ask for: while one is being found or is fresh, everybody who asks the same shares it."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._answers: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}

    async def to(self, query: Callable[..., R], *args: Hashable) -> R:
        """The answer to a query with these arguments, at most a moment old."""
        now = time.monotonic()
        self._answers = {key: known for key, known in self._answers.items() if now < known[0]}
        key = (query, args)
        if key not in self._answers:
            self._answers[key] = (float("inf"), asyncio.ensure_future(self._find(key, query, args)))
        # Shielded: that one who asked goes away takes nothing from the others.
        answer: R = await asyncio.shield(self._answers[key][1])
        return answer

    async def _find(self, key: Hashable, query: Callable[..., R], args: tuple[Hashable, ...]) -> R:
        began = time.monotonic()
        good_for_s = 0.0
        try:
            answer = await self._lane.read(query, *args)
            if answer is not None:  # what is not there yet may be there at the next look
                good_for_s = max(GOOD_FOR_S, COST_FACTOR * (time.monotonic() - began))
            return answer
        finally:
            if key in self._answers:
                self._answers[key] = (time.monotonic() + good_for_s, self._answers[key][1])

    def forget(self) -> None:
        """Something has changed: the next reader of each answer asks again."""
        self._answers = {}
