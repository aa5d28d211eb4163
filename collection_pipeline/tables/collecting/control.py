"""What changes a collection's status: runs that enter it, people who pause it, sensors that settle and end it.

Every change is one transaction that starts from the status it found, so that two who change at once cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from collection_pipeline.core.collecting.collections import (
    BY_HAND,
    OPEN_STATUSES,
    CategoryStatus,
    CategoryUnit,
    CollectionStatus,
    Pause,
    Settlement,
)
from collection_pipeline.core.collecting.restarts import MOST_STARTS, RUN_ATTEMPTS
from collection_pipeline.core.collecting.searches import SearchStatus
from collection_pipeline.core.errors import PipelineError, SourceError, Stopped
from collection_pipeline.tables.schema.notices import DAEMON, announce
from collection_pipeline.tables.schema.tables import collection_categories, collections, product_searches

_STOPPING = (CollectionStatus.PAUSED, CollectionStatus.CANCELLING)


@dataclass(frozen=True, slots=True)
class Place:
    """A run's place in its collection: whose list it feeds, and which attempt at its category it is."""

    org_id: str
    attempt: int


class CollectionControl:
    """Changes the status of collections and their categories."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def enter(
        self, collection_id: str, category: str, run_id: str, *, org_id: str, attempt: int | None = None
    ) -> Place:
        """A run begins to work on a category. Creates the collection of a run that was started by hand, for `org_id`.

        A collection that had already ended is open again, and will end again. The run that enters last has the
        category. Raises Stopped, having entered nothing, where the collection is paused or being cancelled, and where
        a later attempt than the run's own was already asked for.
        """
        with self._engine.begin() as connection:
            connection.execute(
                insert(collections)
                .values(collection_id=collection_id, org_id=org_id, status=CollectionStatus.RUNNING)
                .on_conflict_do_nothing()
            )
            found = connection.execute(_locked(collection_id)).one()
            if found.status in _STOPPING:
                raise Stopped(
                    found.status, f"The collection {collection_id} is {found.status}; this run does not begin."
                )
            if found.status != CollectionStatus.RUNNING:
                _reopen(connection, collection_id, None)
            entered = connection.execute(_entering(collection_id, category, run_id)).scalar_one()
            if attempt is not None and attempt < entered:
                raise Stopped("superseded", f"A later run was asked for than this one of {category}; resume to go on.")
        return Place(found.org_id, entered)

    def require_wanted(self, collection_id: str, category: str, run_id: str) -> None:
        """A sign of life of the run that works on a category. Raises Stopped if it should not go on."""
        alive = (
            collection_categories.update()
            .where(
                collection_categories.c.collection_id == collection_id,
                collection_categories.c.category == category,
                collection_categories.c.run_id == run_id,
                collection_categories.c.status == CategoryStatus.RUNNING,
            )
            .values(seen_at=sa.func.now())
        )
        status = sa.select(collections.c.status, collections.c.paused_message)
        with self._engine.begin() as connection:
            is_mine = bool(connection.execute(alive).rowcount)
            row = connection.execute(status.where(collections.c.collection_id == collection_id)).one()
        if row.status in _STOPPING:
            raise Stopped(
                row.status, f"The collection {collection_id} is {row.status}. {row.paused_message or ''}".strip()
            )
        if not is_mine:
            raise Stopped("superseded", f"Another run has taken over {category} of {collection_id}.")

    def category_failed(self, collection_id: str, category: str, run_id: str, error: PipelineError) -> None:
        """Writes down why a run failed on its category, at once: the process may not live to report it otherwise."""
        self._end_category(
            collection_id,
            category,
            collection_categories.c.run_id == run_id,
            status=CategoryStatus.FAILED,
            reason=error.kind,
            error_stage=error.stage if isinstance(error, SourceError) else None,
            error_message=str(error),
        )

    def settle(self, collection_id: str, settled: Sequence[Settlement]) -> None:
        """Writes down what becomes of categories whose runs could not say it themselves, and have not done so since."""
        for settlement in settled:
            starts_again = settlement.status is CategoryStatus.PLANNED
            self._end_category(
                collection_id,
                settlement.category,
                collection_categories.c.attempt == settlement.attempt,
                collection_categories.c.status.in_((CategoryStatus.PLANNED, CategoryStatus.RUNNING)),
                status=settlement.status,
                reason=settlement.reason,
                error_message=settlement.message,
                attempt=settlement.attempt + int(starts_again),
                last_attempt=collection_categories.c.last_attempt + int(starts_again and not settlement.counts),
                ended_at=_not_before_its_start(settlement.ended_at),
            )

    def _end_category(
        self, collection_id: str, category: str, *conditions: sa.ColumnElement[bool], **values: object
    ) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                collection_categories.update()
                .where(
                    collection_categories.c.collection_id == collection_id,
                    collection_categories.c.category == category,
                    *conditions,
                )
                .values({"ended_at": sa.func.now(), **values})
            )

    def plan_missing(self, collection_id: str, categories: Iterable[str]) -> None:
        """Adds categories to a collection whose runs somebody started by hand, before any of them begins."""
        rows = [
            {"collection_id": collection_id, "category": category, "status": CategoryStatus.PLANNED}
            for category in categories
        ]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(insert(collection_categories).on_conflict_do_nothing(), rows)

    def note_starts(self, collection_id: str, units: Iterable[CategoryUnit]) -> None:
        """Writes down that runs of these attempts are being asked for; what was written of an attempt stays.

        The last MOST_STARTS are kept: what the guard against storms looks at.
        """
        noting = (
            collection_categories.update()
            .where(
                collection_categories.c.collection_id == collection_id,
                collection_categories.c.category == sa.bindparam("of_category"),
                collection_categories.c.attempt == sa.bindparam("of_attempt"),
                collection_categories.c.started_attempt < sa.bindparam("of_attempt"),
            )
            .values(
                started_attempt=sa.bindparam("of_attempt"),
                starts=sa.text(f"(ARRAY[now()] || collection_categories.starts)[1:{MOST_STARTS}]"),
            )
        )
        rows = [{"of_category": unit.category, "of_attempt": unit.attempt} for unit in units]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(noting, rows)

    def pause(self, collection_id: str, pause: Pause) -> bool:
        """Pauses a running collection; whether it was running. Its runs notice within two seconds."""
        reasons = {"paused_reason": pause.reason, "paused_message": pause.message, "paused_until": pause.until}
        if pause.reason == BY_HAND:
            reasons["controlled"] = pause.message
        return self._move(collection_id, (CollectionStatus.RUNNING,), CollectionStatus.PAUSED, reasons)

    def cancel(self, collection_id: str, *, controlled: str | None = None) -> bool:
        """Cancels an open collection; whether it was open. It ends, with its snapshot, once its runs have stopped.

        `controlled` says who did what, in a sentence.
        """
        froms = (CollectionStatus.RUNNING, CollectionStatus.PAUSED)
        return self._move(collection_id, froms, CollectionStatus.CANCELLING, {"controlled": controlled})

    def _move(
        self,
        collection_id: str,
        froms: Sequence[CollectionStatus],
        to: CollectionStatus,
        values: Mapping[str, object],
    ) -> bool:
        with self._engine.begin() as connection:
            moved = connection.execute(
                collections.update()
                .where(collections.c.collection_id == collection_id, collections.c.status.in_(froms))
                .values(status=to, **values)
            )
            announce(connection, DAEMON)
        return bool(moved.rowcount)

    def resume(self, collection_id: str, *, cost_cap: Decimal | None = None, controlled: str | None = None) -> int:
        """Starts what is missing of a collection that does not run: how many categories that is.

        Missing are categories that did not end well, and those of whose searches some failed. Where nothing is missing
        nothing happens, so resuming twice is harmless. A new `cost_cap` replaces the old one.
        """
        with self._engine.begin() as connection:
            status = connection.execute(_locked(collection_id)).one().status
            if status in (CollectionStatus.RUNNING, CollectionStatus.CANCELLING, CollectionStatus.FINISHING):
                return 0
            if cost_cap is not None:
                connection.execute(
                    collections.update().where(collections.c.collection_id == collection_id).values(cost_cap=cost_cap)
                )
            restarted = connection.execute(_restarting(collection_id)).rowcount
            if restarted or status == CollectionStatus.PAUSED:
                _reopen(connection, collection_id, controlled)
                announce(connection, DAEMON)
        return restarted

    def begin_finishing(self, collection_id: str) -> bool:
        """Closes a collection for its snapshot if nothing of it is left to happen; whether this call did it.

        Searches that no run got round to are failures with that reason, so that the outcomes add up to the plan.
        """
        unfinished = sa.select(sa.func.count()).where(
            collection_categories.c.collection_id == collection_id,
            collection_categories.c.status.in_((CategoryStatus.PLANNED, CategoryStatus.RUNNING)),
        )
        with self._engine.begin() as connection:
            # Locked before the look, because a run that enters at this moment locks it too.
            status = connection.execute(_locked(collection_id)).one().status
            if status not in (CollectionStatus.RUNNING, CollectionStatus.CANCELLING) or connection.scalar(unfinished):
                return False
            connection.execute(
                collections.update()
                .where(collections.c.collection_id == collection_id)
                .values(status=CollectionStatus.FINISHING)
            )
            connection.execute(
                product_searches.update()
                .where(
                    product_searches.c.collection_id == collection_id,
                    product_searches.c.status == SearchStatus.PLANNED,
                )
                .values(
                    status=SearchStatus.FAILED,
                    reason="not_searched",
                    error_message="The run of its category ended before it was searched.",
                )
            )
        return True


def _locked(collection_id: str) -> sa.Select[tuple[str, str]]:
    """A collection's status and organisation, which nobody else changes before this transaction ends."""
    found = sa.select(collections.c.status, collections.c.org_id)
    return found.where(collections.c.collection_id == collection_id).with_for_update()


def _reopen(connection: sa.Connection, collection_id: str, controlled: str | None) -> None:
    """Makes a collection running again. Nobody has done it where it does so by itself.

    It loses its fingerprint if another one of the same was started meanwhile, which is the same's collection now.
    """
    others = collections.alias()
    is_taken = sa.exists().where(
        others.c.fingerprint == collections.c.fingerprint,
        others.c.collection_id != collections.c.collection_id,
        others.c.status.in_(OPEN_STATUSES),
    )
    connection.execute(
        collections.update()
        .where(collections.c.collection_id == collection_id)
        .values(
            status=CollectionStatus.RUNNING,
            controlled=sa.func.coalesce(controlled, collections.c.controlled),
            completed_at=None,
            seller_count_snapshot=None,
            paused_reason=None,
            paused_message=None,
            paused_until=None,
            fingerprint=sa.case((is_taken, None), else_=collections.c.fingerprint),
        )
    )


def _not_before_its_start(ended_at: datetime | None) -> sa.ColumnElement[datetime]:
    """When a run ended by its own machine's clock, which may be a little behind that of the database."""
    return sa.func.now() if ended_at is None else sa.func.greatest(collection_categories.c.started_at, ended_at)


def _entering(collection_id: str, category: str, run_id: str) -> ReturningInsert[tuple[int]]:
    """The category is being worked on by this run now, and has not failed yet; gives the attempt."""
    fresh = {"ended_at": None, "reason": None, "error_stage": None, "error_message": None}
    running = {"status": CategoryStatus.RUNNING, "run_id": run_id, "seen_at": sa.func.now()}
    upsert = insert(collection_categories).values(
        collection_id=collection_id, category=category, started_at=sa.func.now(), **running
    )
    started_at = sa.func.coalesce(collection_categories.c.started_at, sa.func.now())
    return upsert.on_conflict_do_update(
        constraint=collection_categories.primary_key, set_={**running, **fresh, "started_at": started_at}
    ).returning(collection_categories.c.attempt)


def _restarting(collection_id: str) -> sa.Update:
    """The categories that did not end well, or of whose searches some failed, are planned once more."""
    has_failed_searches = sa.exists().where(
        product_searches.c.collection_id == collection_id,
        product_searches.c.category == collection_categories.c.category,
        product_searches.c.status == SearchStatus.FAILED,
    )
    return (
        collection_categories.update()
        .where(
            collection_categories.c.collection_id == collection_id,
            (collection_categories.c.status != CategoryStatus.DONE) | has_failed_searches,
        )
        .values(
            status=CategoryStatus.PLANNED,
            attempt=collection_categories.c.attempt + 1,
            last_attempt=collection_categories.c.attempt + RUN_ATTEMPTS,
            ended_at=None,
            reason=None,
            error_stage=None,
            error_message=None,
        )
    )
