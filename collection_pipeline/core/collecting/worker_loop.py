"""The worker loop: a category's products are searched by workers that commit each page before they ask for the next.

Nothing is collected in memory and saved at the end. Time and sleep come in as values, so a test drives hours in
milliseconds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from collection_pipeline.core.activity import Action, Activity
from collection_pipeline.core.collecting.listings import Listing, ListingSource
from collection_pipeline.core.collecting.product_search import PageResult, SearchRules, search_product
from collection_pipeline.core.collecting.requester import Requester
from collection_pipeline.core.collecting.retrying import RetryPolicy, Sleep
from collection_pipeline.core.collecting.searches import PlannedSearch, SearchedPage, SearchStatus
from collection_pipeline.core.collecting.stopping import StopSwitch
from collection_pipeline.core.collecting.streaks import ReplyStreak
from collection_pipeline.core.errors import SourceError

WORKERS = 5
"""Concurrent searches in one run. A fixed number, as the team knows it; the marketplaces' limits span all runs."""


class Checkpoints(Protocol):
    """Where searches rest, page by page."""

    def record(self, page: SearchedPage, listings: Sequence[Listing]) -> None:
        """Commits a page's outcome together with its listings, or neither."""
        ...


@dataclass(frozen=True)
class CollectingResult:
    """What one run did. After `stopped_by`, an error that would meet every product, none was started any more."""

    outcomes: Counter[SearchStatus]
    stopped_by: SourceError | None

    def require_finished(self) -> None:
        """Raises the error that stopped the workers, if one did."""
        if self.stopped_by is not None:
            raise self.stopped_by


@dataclass
class Collector:
    """Searches products with a fixed number of workers that take the next one as they finish one."""

    source: ListingSource
    checkpoints: Checkpoints
    rules: SearchRules
    retry: RetryPolicy
    activity: Activity
    sleep: Sleep
    stop: StopSwitch = field(default_factory=StopSwitch)
    workers: int = WORKERS
    budget: int | None = None
    """Calls after which no further search begins; those that have begun end, with all their pages."""

    def __post_init__(self) -> None:
        self._calls = 0
        self._at_work = 0
        self._outcomes: dict[str, SearchStatus] = {}
        self._to_repeat: list[PlannedSearch] = []
        self._streak = ReplyStreak()
        self._stopped_by: SourceError | None = None

    async def collect(self, searches: Iterable[PlannedSearch]) -> CollectingResult:
        """Searches every product, or those before a stop. Single failures are outcomes.

        Those that failed for a reason that passes are searched in a second pass, from the page that failed.
        """
        await self._pass(searches)
        if not self._is_stopping:
            await self._pass(self._to_repeat.copy())
        return CollectingResult(Counter(self._outcomes.values()), self._stopped_by)

    async def _pass(self, searches: Iterable[PlannedSearch]) -> None:
        waiting = iter(searches)
        async with asyncio.TaskGroup() as workers:
            for worker_id in range(1, self.workers + 1):
                workers.create_task(self._work(worker_id, waiting), name=f"worker {worker_id}")

    async def _work(self, worker_id: int, waiting: Iterator[PlannedSearch]) -> None:
        for search in waiting:
            if self._is_stopping or self._is_spent:
                return
            self._at_work += 1
            try:
                await self._search(worker_id, search)
            finally:
                self._at_work -= 1

    async def _search(self, worker_id: int, search: PlannedSearch) -> None:
        requester = Requester(self.activity, self.retry, self.sleep, worker_id, search.title, self._streak)
        began, evidence, pages = self.activity.clock(), 0, search.pages_done
        async for result in search_product(self.source, search, self.rules, requester):
            # In a thread: the commit blocks, and the other workers go on fetching meanwhile.
            await asyncio.to_thread(self.checkpoints.record, result.page, result.listings)
            evidence += len(result.listings)
            pages += result.page.pages
            self._calls += result.page.calls
            if result.page.status is SearchStatus.PLANNED:
                if self._is_stopping:
                    return
                continue
            self._end(replace(search, pages_done=pages), result)
            if result.page.status is SearchStatus.DONE:
                elapsed = self.activity.clock() - began
                self.activity.record(
                    worker_id,
                    Action.COMPLETE,
                    product_name=search.title,
                    duration_ms=round(elapsed.total_seconds() * 1000),
                    items_count=evidence,
                )

    def _end(self, search: PlannedSearch, result: PageResult) -> None:
        self._outcomes[search.asin] = result.page.status
        if result.error is None:
            return
        if result.error.stops_collection:
            self._stopped_by = self._stopped_by or result.error
        elif (failure := self._streak.failure) is not None:
            # Said here too: the last products of a category may all be in flight, and nobody ask once more.
            self._stopped_by = self._stopped_by or failure
        elif result.error.retryable:
            self._to_repeat.append(search)

    @property
    def _is_spent(self) -> bool:
        """Whether the budget is used up, if each search at work makes one more call."""
        return self.budget is not None and self._calls + self._at_work >= self.budget

    @property
    def _is_stopping(self) -> bool:
        return self._stopped_by is not None or self.stop.is_thrown
