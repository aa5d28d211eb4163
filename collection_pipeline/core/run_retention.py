"""How long Dagster's runs are kept: which old run may go, and the loop that removes them in small batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

DEFAULT_DAYS = 90
"""As long as activity events: nobody looks into the log of a single run after a quarter."""

BATCH = 100
"""Runs looked at, and removed, in one transaction: about 20,000 events, which takes less than a second."""

AT_MOST = timedelta(hours=1)
"""How long one purge may take. What is left then goes the next night."""


class Kept(StrEnum):
    """Why a run stays although it was created long ago."""

    UNFINISHED = "it has not finished"
    RECENT = "it finished later than that"
    OPEN_COLLECTION = "its collection, or backfill, is open"
    LATEST_EVENT = "it holds the latest materialization, observation or attempt of an asset's partition"
    LATEST_CHECK = "it holds the latest evaluation of a check"


@dataclass(frozen=True, slots=True)
class StoredRun:
    """What decides about a run. `ended_at` is None while it has not finished."""

    run_id: str
    collection_id: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunPurge:
    """What a purge removed, or would remove: runs created and finished before `older_than`, and their events."""

    older_than: datetime
    runs: int = 0
    events: int = 0
    kept: Mapping[Kept, int] = field(default_factory=dict)
    """How many runs that were created before `older_than` stay, by reason."""
    is_complete: bool = True
    """False where time ran out before the last old run."""

    def lines(self, verb: str) -> list[str]:
        """The purge in sentences; `verb` is `removed` or `would be removed`."""
        ended = f"from before {self.older_than:%Y-%m-%d %H:%M} UTC {verb}"
        lines = [f"Dagster: {self.runs:,} runs with {self.events:,} events {ended}."]
        lines += [f"Dagster: {count:,} runs as old stay, each because {why}." for why, count in self.kept.items()]
        if not self.is_complete:
            lines.append("Dagster: the time for one purge is over. The next one goes on.")
        return lines


class RunHistory(Protocol):
    """The stored runs."""

    def page(self, after: str | None, limit: int) -> Sequence[StoredRun]:
        """The runs that were created after a given one, oldest first."""
        ...

    def needed(self, run_ids: Sequence[str]) -> Mapping[str, Kept]:
        """Those of the runs that hold what an asset's page shows, each with what that is."""
        ...

    def remove(self, run_ids: Sequence[str]) -> int:
        """Removes runs with their events, all or none; how many events."""
        ...

    def count_events(self, run_ids: Sequence[str]) -> int:
        """How many events the runs have."""
        ...


def reason_to_keep(run: StoredRun, older_than: datetime, open_collections: Collection[str]) -> Kept | None:
    """Why a run that was created before `older_than` stays, as far as the run itself says; None if it may go."""
    if run.ended_at is None:
        return Kept.UNFINISHED
    if run.ended_at >= older_than:
        return Kept.RECENT
    return Kept.OPEN_COLLECTION if run.collection_id in open_collections else None


def purge_runs(
    history: RunHistory,
    older_than: datetime,
    open_collections: Callable[[], Collection[str]],
    clock: Callable[[], datetime],
    *,
    only_count: bool = False,
    batch: int = BATCH,
) -> RunPurge:
    """Removes the runs that are old enough, batch after batch, or only counts them.

    `open_collections` is asked for every batch, because a collection may be resumed at any time.
    """
    stops_at = clock() + AT_MOST
    act = history.count_events if only_count else history.remove
    kept, runs, events = Counter[Kept](), 0, 0
    after, is_complete = None, True
    while page := [run for run in history.page(after, batch) if run.created_at < older_than]:
        if clock() >= stops_at:
            is_complete = False
            break
        stay = _to_keep(history, page, older_than, open_collections())
        kept.update(stay.values())
        if going := [run.run_id for run in page if run.run_id not in stay]:
            events += act(going)
            runs += len(going)
        # A run that was removed is no place to go on from: the last one that is still there is.
        staying = [run.run_id for run in page if only_count or run.run_id in stay]
        after = staying[-1] if staying else after
    return RunPurge(older_than, runs, events, dict(kept), is_complete)


def _to_keep(
    history: RunHistory, page: Sequence[StoredRun], older_than: datetime, open_collections: Collection[str]
) -> dict[str, Kept]:
    """Those of a page that stay, each with its reason."""
    stay = {run.run_id: why for run in page if (why := reason_to_keep(run, older_than, open_collections))}
    undecided = [run.run_id for run in page if run.run_id not in stay]
    return {**stay, **history.needed(undecided)} if undecided else stay
