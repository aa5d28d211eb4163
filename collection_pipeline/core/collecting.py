"""The worker loop: a category's products are searched by workers that commit each one before they take the next.

Nothing is collected in memory and saved at the end. Time and sleep come in as values, so a test drives hours in
milliseconds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from collection_pipeline.core.activity import Action, Activity
from collection_pipeline.core.errors import SourceError
from collection_pipeline.core.listings import Listing, ListingSource
from collection_pipeline.core.requests import Requester
from collection_pipeline.core.retrying import RetryPolicy, Sleep
from collection_pipeline.core.searches import PlannedSearch, SearchOutcome, SearchStatus
from collection_pipeline.core.searching import SearchResult, SearchRules, search_product

WORKERS = 5
"""Concurrent searches in one run. A fixed number, as the team knows it; the marketplaces' limits span all runs."""


class Checkpoints(Protocol):
    """Where finished searches rest."""

    def record(self, outcome: SearchOutcome, listings: Sequence[Listing]) -> None:
        """Commits a product's outcome together with its listings, or neither."""
        ...


@dataclass(frozen=True)
class CollectingResult:
    """What one run did. After `stopped_by`, an error that would meet every product, none was started any more."""

    outcomes: Counter[SearchStatus]
    stopped_by: SourceError | None


@dataclass
class Collector:
    """Searches products with a fixed number of workers that take the next one as they finish one."""

    source: ListingSource
    checkpoints: Checkpoints
    rules: SearchRules
    retry: RetryPolicy
    activity: Activity
    sleep: Sleep
    workers: int = WORKERS

    def __post_init__(self) -> None:
        self._outcomes: Counter[SearchStatus] = Counter()
        self._stopped_by: SourceError | None = None

    async def collect(self, searches: Iterable[PlannedSearch]) -> CollectingResult:
        """Searches every product, or those before an error that stops everything. Single failures are outcomes."""
        waiting = iter(searches)
        async with asyncio.TaskGroup() as workers:
            for worker_id in range(1, self.workers + 1):
                workers.create_task(self._work(worker_id, waiting), name=f"worker {worker_id}")
        return CollectingResult(self._outcomes, self._stopped_by)

    async def _work(self, worker_id: int, waiting: Iterator[PlannedSearch]) -> None:
        for search in waiting:
            if self._stopped_by is not None:
                return
            requester = Requester(self.activity, self.retry, self.sleep, worker_id, product_name=search.title)
            result = await search_product(self.source, search, self.rules, requester)
            # In a thread: the commit blocks, and the other workers go on fetching meanwhile.
            await asyncio.to_thread(self.checkpoints.record, result.outcome, result.listings)
            self._count(worker_id, search, result)

    def _count(self, worker_id: int, search: PlannedSearch, result: SearchResult) -> None:
        self._outcomes[result.outcome.status] += 1
        if result.error is not None and result.error.stops_collection:
            self._stopped_by = result.error
        if result.outcome.status in (SearchStatus.DONE, SearchStatus.EMPTY):
            self.activity.record(
                worker_id,
                Action.COMPLETE,
                product_name=search.title,
                duration_ms=result.outcome.duration_ms,
                items_count=len(result.listings),
            )
