"""Collections: one pass over a set of categories, what state it is in, and what has to happen next.

Pure decisions from facts. The sensors read the facts, ask here, and do what the answer says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Literal

from collection_pipeline.core.collecting.planning.shares import CategoryShare
from collection_pipeline.core.collecting.restarts import RUN_ATTEMPTS, STARTED_TOO_OFTEN, starts_too_often, too_often
from collection_pipeline.core.errors import DiskFull, FailuresInARow, PipelineError, QuotaExhausted, SourceError
from collection_pipeline.core.money import BandRule

DEFAULT_ORG = "default"
"""The organisation whose seller list is meant where nobody says otherwise."""

Cause = Literal["collection", "manual", "import"]
"""What made somebody count the sellers."""


class CollectionStatus(StrEnum):
    """Where a collection stands. No status is a dead end: whatever is left of one that does not run can be resumed."""

    RUNNING = "running"
    PAUSED = "paused"  # nothing of it runs; goes on by itself at `paused_until`, or on command
    CANCELLING = "cancelling"  # its runs are stopping
    FINISHING = "finishing"  # every category has ended; the snapshot is due
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"  # not one category was collected
    CANCELLED = "cancelled"


OPEN_STATUSES = (
    CollectionStatus.RUNNING,
    CollectionStatus.PAUSED,
    CollectionStatus.CANCELLING,
    CollectionStatus.FINISHING,
)
"""The statuses that a second collection of the same would disturb."""


class CategoryStatus(StrEnum):
    """Where one category of a collection stands."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunState(StrEnum):
    """What matters of a Dagster run: whether it may still do something, and how it ended."""

    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    INTERRUPTED = "interrupted"  # its process was told to stop, as `up` does when it stops: nobody's failure


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """What somebody wants collected. Raises PipelineError where there is nothing to do or the name is unusable."""

    collection_id: str
    categories: tuple[str, ...]
    band: BandRule
    org_id: str = DEFAULT_ORG
    preset: str | None = None
    cost_cap: Decimal | None = None
    shares: tuple[CategoryShare, ...] = ()
    """What was planned for the searches of each category."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", self.collection_id):
            raise PipelineError(
                f"{self.collection_id!r} cannot name a collection: use up to 100 letters, digits, '-', '_' and '.'."
            )
        if not self.categories:
            raise PipelineError("There is nothing to collect: name at least one category or a preset that has some.")

    @property
    def fingerprint(self) -> str:
        """The same for two plans that would collect the same for the same list: started twice, they are one."""
        facts = [
            self.org_id,
            sorted(set(self.categories)),
            f"{self.band.min_markup_percent.normalize()}",
            f"{self.band.max_markup_percent.normalize()}",
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class CategoryUnit:
    """One category of a collection: how often it was started, and the run that last entered it."""

    category: str
    status: CategoryStatus
    attempt: int = 1
    run_id: str | None = None
    seen_at: datetime | None = None
    last_attempt: int = RUN_ATTEMPTS
    """After it the category is not started again by itself."""
    starts: tuple[datetime, ...] = ()
    """When runs of it were asked for lately, the last time first."""
    is_asked_for: bool = False
    """Whether a run of the present attempt was."""

    @property
    def is_open(self) -> bool:
        """Whether it still has to be done."""
        return self.status in (CategoryStatus.PLANNED, CategoryStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class RunFact:
    """One Dagster run of a category of a collection; `started_at` is None while it waits in the queue.

    `ended_at` is None while it may still do something, and where Dagster does not know.
    """

    run_id: str
    category: str
    state: RunState
    created_at: datetime
    attempt: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether the run may still do something."""
        return self.state is RunState.ACTIVE


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a category whose run has ended, to be written down. PLANNED means that it starts once more.

    `attempt` is the one that ended: a settlement that comes late settles no later one. `ended_at` is None for now. An
    attempt that does not count is none of the few that a category has.
    """

    category: str
    attempt: int
    status: CategoryStatus
    reason: str | None = None
    message: str | None = None
    ended_at: datetime | None = None
    counts: bool = True


_BACKFILL = "backfill-"


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a collection does not go on, and when it does by itself; without `until` it waits for a command."""

    reason: str
    message: str
    until: datetime | None = None


BY_HAND = "by_hand"


def paused_by_hand(whence: str) -> Pause:
    """The pause that somebody asked for, and from where: "in the Dagster UI"."""
    return Pause(BY_HAND, f"Somebody paused it {whence}.")


REST = timedelta(minutes=10)
"""A marketplace that fails one product after the other is left alone for this long."""


UNTIL_THERE_IS_ROOM = timedelta(minutes=2)
"""So often a full disk is tried again. A category is started at most ten times in 15 minutes, see `restarts`."""


def pause_for(error: SourceError | DiskFull, now: datetime) -> Pause:
    """The pause that an error demands: until the quota is back, for a rest, or until a person has mended something."""
    match error:
        case DiskFull():
            return Pause(error.kind, str(error), now + UNTIL_THERE_IS_ROOM)
        case QuotaExhausted():
            return Pause(error.kind, str(error), error.resets_at or now + REST)
        case FailuresInARow():
            return Pause(error.kind, str(error), now + REST)
        case _:
            return Pause(error.kind, str(error))


def new_collection_id(name: str, moment: datetime, org_id: str = DEFAULT_ORG) -> str:
    """A readable id: what was collected and when, such as `starter-20261123-141500`.

    Another organisation than the default one stands before it, so that two may start the same in the same second.
    """
    words = name if org_id == DEFAULT_ORG else f"{org_id}-{name}"
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "collection"
    return f"{slug[:60]}-{moment:%Y%m%d-%H%M%S}"


def collection_of_run(run_id: str, root_run_id: str | None, backfill_id: str | None) -> str:
    """The collection of runs that somebody started by hand: a backfill's runs belong together, re-runs to the first."""
    if backfill_id:
        return f"{_BACKFILL}{backfill_id}"
    return f"run-{(root_run_id or run_id)[:8]}"


def backfill_of_collection(collection_id: str) -> str | None:
    """The backfill that a collection is, if it is one."""
    return collection_id.removeprefix(_BACKFILL) if collection_id.startswith(_BACKFILL) else None


def settlements(
    collection: CollectionStatus, units: Iterable[CategoryUnit], runs: Sequence[RunFact]
) -> list[Settlement]:
    """What becomes of the categories whose run has ended while they do not say so themselves.

    A run that died said nothing, so what it left open is settled from Dagster's word, also where that knows no such run
    any more because somebody deleted it.
    """
    settled = []
    for unit in units:
        if not unit.is_open:
            continue
        run = _run_of(unit, runs)
        if run is not None and not run.is_active:
            settled.append(replace(_settlement(collection, unit, run), ended_at=run.ended_at))
        elif run is None and collection is CollectionStatus.CANCELLING:
            settled.append(Settlement(unit.category, unit.attempt, CategoryStatus.CANCELLED, "cancelled"))
        elif run is None and unit.status is CategoryStatus.RUNNING:
            settled.append(_once_more(unit, unit.run_id))
    return settled


def _run_of(unit: CategoryUnit, runs: Sequence[RunFact]) -> RunFact | None:
    """The run that a category's fate hangs on: the one that entered it, or before that the newest of its attempt."""
    if unit.status is CategoryStatus.RUNNING:
        return next((run for run in runs if run.run_id == unit.run_id), None)
    asked = [run for run in runs if run.category == unit.category and run.attempt == unit.attempt]
    return max(asked, key=lambda run: run.created_at, default=None)


def _settlement(collection: CollectionStatus, unit: CategoryUnit, run: RunFact) -> Settlement:
    if run.state is RunState.SUCCEEDED:
        return Settlement(unit.category, unit.attempt, CategoryStatus.DONE)
    if collection is CollectionStatus.CANCELLING:
        return Settlement(unit.category, unit.attempt, CategoryStatus.CANCELLED, "cancelled")
    if collection is CollectionStatus.PAUSED:
        return Settlement(unit.category, unit.attempt, CategoryStatus.PLANNED)
    if run.state is RunState.INTERRUPTED:
        return Settlement(unit.category, unit.attempt, CategoryStatus.PLANNED, counts=False)
    if run.state is RunState.CANCELED:
        return Settlement(
            unit.category,
            unit.attempt,
            CategoryStatus.FAILED,
            "run_canceled",
            "Somebody terminated its run; resume to go on.",
        )
    return _once_more(unit, run.run_id)


def _once_more(unit: CategoryUnit, run_id: str | None) -> Settlement:
    """The category is planned again, unless this was its last attempt."""
    if unit.attempt < unit.last_attempt:
        return Settlement(unit.category, unit.attempt, CategoryStatus.PLANNED)
    died = f"Its run died {RUN_ATTEMPTS} times; Dagster has the log of the last one, {run_id}. Resume to try again."
    return Settlement(unit.category, unit.attempt, CategoryStatus.FAILED, "run_died", died)


SILENCE = timedelta(minutes=2)
"""A run gives a sign of life twice a second; after this long without one its process is gone."""


def silent(units: Iterable[CategoryUnit], runs: Sequence[RunFact], now: datetime) -> list[RunFact]:
    """Runs that Dagster calls active, that have started, and that have been silent for too long."""
    silent_runs = []
    for unit in units:
        run = _run_of(unit, runs)
        if run is None or not run.is_active or run.started_at is None:
            continue
        heard = max(run.started_at, unit.seen_at or run.started_at)
        if now - heard > SILENCE:
            silent_runs.append(run)
    return silent_runs


def snapshot_is_due(attempts: Sequence[RunFact], now: datetime) -> bool:
    """Whether a run is to take a snapshot: none is at it, and since the last one that failed a growing time has passed.

    It is tried for ever, since nothing else would end the collection, but ever less often: up to every ten minutes.
    """
    if any(run.is_active and (run.started_at is None or now - run.started_at <= SILENCE) for run in attempts):
        return False
    if not attempts:
        return True
    rest = min(timedelta(seconds=5 * 2 ** min(len(attempts), 10)), REST)
    return now - max(run.created_at for run in attempts) >= rest


def to_start(units: Iterable[CategoryUnit], runs: Sequence[RunFact], *, at_most: int) -> list[CategoryUnit]:
    """The next planned categories whose present attempt no run has been asked for yet, and none of which is at work.

    One attempt at a category is alive at a time: the next one is asked for when the former has ended. `at_most` so many
    runs wait in the queue, because ten thousand of them would keep a sensor, and everybody who looks, busy for minutes.
    Those that were begun before come first, and do not wait until fewer others do.
    """
    asked = {(run.category, run.attempt) for run in runs}
    alive = {run.category for run in runs if run.is_active}
    waiting = [run for run in runs if run.is_active and run.started_at is None]
    due = [
        unit
        for unit in units
        if unit.status is CategoryStatus.PLANNED
        and (unit.category, unit.attempt) not in asked
        and unit.category not in alive
    ]
    again = [unit for unit in due if unit.attempt > 1][: max(0, at_most - sum(run.attempt > 1 for run in waiting))]
    fresh = (unit for unit in due if unit.attempt == 1)
    return [*again, *islice(fresh, max(0, at_most - len(waiting) - len(again)))]


def storms(units: Iterable[CategoryUnit], now: datetime) -> list[Settlement]:
    """Ends those of the categories to start that have been started too often lately."""
    return [
        Settlement(unit.category, unit.attempt, CategoryStatus.FAILED, STARTED_TOO_OFTEN, too_often(unit.category))
        for unit in units
        if starts_too_often(unit.starts, now)
    ]


def outdated(units: Iterable[CategoryUnit], runs: Iterable[RunFact]) -> list[RunFact]:
    """Runs of earlier attempts that have not started yet: they would only find that they are too late."""
    attempts = {unit.category: unit.attempt for unit in units}
    return [
        run
        for run in runs
        if run.is_active and run.started_at is None and run.attempt < attempts.get(run.category, run.attempt)
    ]


def is_over(units: Sequence[CategoryUnit], runs: Sequence[RunFact], *, more_runs_to_come: bool) -> bool:
    """Whether nothing of a collection is left to happen: all categories ended, no run active, no backfill going on."""
    return (
        bool(units)
        and not more_runs_to_come
        and not any(unit.is_open for unit in units)
        and not any(run.is_active for run in runs)
    )


def final_status(
    units: Sequence[CategoryUnit], *, failed_searches: int, nothing_searched: bool = False
) -> CollectionStatus:
    """The final status: plainly completed only if nothing failed, and something could be searched at all."""
    if any(unit.status is CategoryStatus.CANCELLED for unit in units):
        return CollectionStatus.CANCELLED
    if all(unit.status is CategoryStatus.FAILED for unit in units):
        return CollectionStatus.FAILED
    if failed_searches or nothing_searched or any(unit.status is CategoryStatus.FAILED for unit in units):
        return CollectionStatus.COMPLETED_WITH_ERRORS
    return CollectionStatus.COMPLETED
