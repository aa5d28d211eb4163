"""Collections: one pass over a set of categories, what state it is in, and what has to happen next.

Pure decisions from facts. The sensors read the facts, ask here, and do what the answer says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import BandRule

DEFAULT_ORG = "default"
"""The organisation whose seller list is meant where nobody says otherwise."""

Cause = Literal["collection", "manual"]
"""What made somebody count the sellers."""


class CollectionStatus(StrEnum):
    """Where a collection stands. The first two are open; the others are ends, from which a new run reopens it."""

    RUNNING = "running"
    FINISHING = "finishing"  # every category has ended; the snapshot is due
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"  # not one product was collected


OPEN_STATUSES = (CollectionStatus.RUNNING, CollectionStatus.FINISHING)


class CategoryStatus(StrEnum):
    """Where one category of a collection stands."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RunState(StrEnum):
    """What matters of a Dagster run: whether it may still do something, and how it ended."""

    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """What somebody wants collected. Raises PipelineError where there is nothing to do or the name is unusable."""

    collection_id: str
    categories: tuple[str, ...]
    band: BandRule
    org_id: str = DEFAULT_ORG
    preset: str | None = None

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
    """One category of a collection. `attempt` counts how often it was started or restarted."""

    category: str
    status: CategoryStatus
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class RunFact:
    """One Dagster run of a category of a collection. `message` says why it ended badly, where that is known."""

    run_id: str
    category: str
    state: RunState
    created_at: datetime
    message: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether the run may still do something."""
        return self.state is RunState.ACTIVE


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a category's run ended, to be written down."""

    category: str
    status: CategoryStatus
    run_id: str
    reason: str | None = None
    message: str | None = None


_BACKFILL = "backfill-"


def new_collection_id(name: str, moment: datetime) -> str:
    """A readable id: what was collected and when, such as `starter-20261123-141500`."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "collection"
    return f"{slug[:60]}-{moment:%Y%m%d-%H%M%S}"


def collection_of_run(run_id: str, root_run_id: str | None, backfill_id: str | None) -> str:
    """The collection of runs that somebody started by hand: a backfill's runs belong together, re-runs to the first."""
    if backfill_id:
        return f"{_BACKFILL}{backfill_id}"
    return f"run-{(root_run_id or run_id)[:8]}"


def backfill_of_collection(collection_id: str) -> str | None:
    """The backfill that a collection is, if it is one."""
    return collection_id.removeprefix(_BACKFILL) if collection_id.startswith(_BACKFILL) else None


def settlements(units: Iterable[CategoryUnit], runs: Sequence[RunFact]) -> list[Settlement]:
    """The categories whose newest run has ended while the category does not say so yet.

    A run that died said nothing itself, so what it left open is settled from Dagster's word.
    """
    newest = {run.category: run for run in sorted(runs, key=lambda run: run.created_at)}
    open_units = [unit for unit in units if unit.status in (CategoryStatus.PLANNED, CategoryStatus.RUNNING)]
    return [
        _settlement(newest[unit.category])
        for unit in open_units
        if unit.category in newest and not newest[unit.category].is_active
    ]


def _settlement(run: RunFact) -> Settlement:
    if run.state is RunState.SUCCEEDED:
        return Settlement(run.category, CategoryStatus.DONE, run.run_id)
    reason = "run_canceled" if run.state is RunState.CANCELED else "run_failed"
    message = run.message or f"The run ended as {run.state} without saying why; its page in Dagster shows the log."
    return Settlement(run.category, CategoryStatus.FAILED, run.run_id, reason, message)


def to_start(units: Iterable[CategoryUnit], runs: Iterable[RunFact]) -> list[CategoryUnit]:
    """The planned categories that no run has been asked for yet."""
    asked = {run.category for run in runs}
    return [unit for unit in units if unit.status is CategoryStatus.PLANNED and unit.category not in asked]


def is_over(units: Sequence[CategoryUnit], runs: Sequence[RunFact], *, more_runs_to_come: bool) -> bool:
    """Whether nothing of a collection is left to happen: all categories ended, no run active, no backfill going on."""
    return (
        bool(units)
        and not more_runs_to_come
        and all(unit.status in (CategoryStatus.DONE, CategoryStatus.FAILED) for unit in units)
        and not any(run.is_active for run in runs)
    )


def conclusion(units: Sequence[CategoryUnit], *, failed_searches: int) -> CollectionStatus:
    """The final status: plainly completed only if no category and no product failed."""
    if all(unit.status is CategoryStatus.FAILED for unit in units):
        return CollectionStatus.FAILED
    if failed_searches or any(unit.status is CategoryStatus.FAILED for unit in units):
        return CollectionStatus.COMPLETED_WITH_ERRORS
    return CollectionStatus.COMPLETED
