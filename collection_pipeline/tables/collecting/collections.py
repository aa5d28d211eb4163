"""Collections and their categories: what was asked for, and how it stands. What changes that is in control.py."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from collection_pipeline.core.collecting.collections import (
    OPEN_STATUSES,
    CategoryStatus,
    CategoryUnit,
    CollectionPlan,
    CollectionStatus,
    Pause,
)
from collection_pipeline.core.collecting.failed_units import FailedUnit
from collection_pipeline.core.collecting.planning.shares import CategoryShare
from collection_pipeline.core.collecting.progress import Progress
from collection_pipeline.core.collecting.tariff import CategoryCalls
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import BandRule
from collection_pipeline.core.suggesting import did_you_mean
from collection_pipeline.tables.schema.notices import DAEMON, announce
from collection_pipeline.tables.schema.tables import collection_categories, collection_plans, collections


@dataclass(frozen=True, slots=True)
class Collection:
    """One row of `collections`."""

    collection_id: str
    org_id: str
    status: CollectionStatus
    preset: str | None
    band: BandRule | None
    started_at: datetime
    completed_at: datetime | None
    seller_count_snapshot: int | None
    endings: int
    cost: Decimal
    cost_cap: Decimal | None
    pause: Pause | None
    controlled: str | None = None
    """What somebody last did to it, who, and where."""


class CollectionStore:
    """Starts collections and reads their status."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def start(self, plan: CollectionPlan) -> tuple[Collection, bool]:
        """The collection of a plan, and whether this call started it.

        A collection of that id, or an open one that collects the same, is given back instead of a second one. Raises
        PipelineError where the id is taken by a collection of something else.
        """
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    collections.insert().values(
                        collection_id=plan.collection_id,
                        org_id=plan.org_id,
                        status=CollectionStatus.RUNNING,
                        preset=plan.preset,
                        fingerprint=plan.fingerprint,
                        min_markup_percent=plan.band.min_markup_percent,
                        max_markup_percent=plan.band.max_markup_percent,
                        cost_cap=plan.cost_cap,
                    )
                )
                connection.execute(
                    collection_categories.insert(),
                    [
                        {
                            "collection_id": plan.collection_id,
                            "category": category,
                            "status": CategoryStatus.PLANNED,
                        }
                        for category in plan.categories
                    ],
                )
                if plan.shares:
                    connection.execute(collection_plans.insert(), [_share(plan, share) for share in plan.shares])
                announce(connection, DAEMON)
        except IntegrityError:
            return self._same(plan), False
        return self.get(plan.collection_id), True

    def _same(self, plan: CollectionPlan) -> Collection:
        same = sa.select(collections.c.collection_id).where(
            collections.c.fingerprint == plan.fingerprint,
            (collections.c.collection_id == plan.collection_id) | collections.c.status.in_(OPEN_STATUSES),
        )
        with self._engine.connect() as connection:
            found = connection.scalar(same)
        if found is None:
            raise PipelineError(
                f"There is already a collection {plan.collection_id!r}, of other categories or another price band. "
                "Choose another name."
            )
        return self.get(found)

    def agree_on_band(self, collection_id: str, band: BandRule) -> None:
        """Stores the band rule with the collection. Raises PipelineError if it already has another one."""
        with self._engine.begin() as connection:
            connection.execute(
                collections.update()
                .where(collections.c.collection_id == collection_id, collections.c.min_markup_percent.is_(None))
                .values(min_markup_percent=band.min_markup_percent, max_markup_percent=band.max_markup_percent)
            )
        agreed = self.get(collection_id).band
        if agreed != band:
            raise PipelineError(
                f"The collection {collection_id} searches at {agreed}; this run asks for {band}. Use the "
                "collection's band, or start another collection."
            )

    def get(self, collection_id: str) -> Collection:
        """One collection. Raises PipelineError if there is no such collection."""
        found = self._select(collections.c.collection_id == collection_id)
        if not found:
            raise PipelineError(
                f"There is no collection {collection_id!r}.{self._nearest(collection_id)} "
                "`collection-pipeline collections list` shows them."
            )
        return found[0]

    def _nearest(self, collection_id: str) -> str:
        newest = sa.select(collections.c.collection_id).order_by(collections.c.started_at.desc()).limit(1000)
        with self._engine.connect() as connection:
            return did_you_mean(collection_id, connection.scalars(newest).all())

    def organisation(self, collection_id: str) -> str | None:
        """The organisation that a collection belongs to; None if there is no such collection."""
        owner = sa.select(collections.c.org_id).where(collections.c.collection_id == collection_id)
        with self._engine.connect() as connection:
            return connection.scalar(owner)

    def open(self) -> list[Collection]:
        """The collections that are not over, oldest first."""
        return self._select(collections.c.status.in_(OPEN_STATUSES))

    def due(self, now: datetime) -> list[Collection]:
        """The paused collections that go on by themselves by now."""
        return self._select((collections.c.status == CollectionStatus.PAUSED) & (collections.c.paused_until <= now))

    def all(self) -> list[Collection]:
        """Every collection, oldest first."""
        return self._select(sa.true())

    def _select(self, condition: sa.ColumnElement[bool]) -> list[Collection]:
        with self._engine.connect() as connection:
            rows = connection.execute(collections.select().where(condition).order_by(collections.c.started_at)).all()
        return [
            Collection(
                collection_id=row.collection_id,
                org_id=row.org_id,
                status=CollectionStatus(row.status),
                preset=row.preset,
                band=None
                if row.min_markup_percent is None
                else BandRule(row.min_markup_percent, row.max_markup_percent),
                started_at=row.started_at,
                completed_at=row.completed_at,
                seller_count_snapshot=row.seller_count_snapshot,
                endings=row.endings,
                controlled=row.controlled,
                cost=row.cost,
                cost_cap=row.cost_cap,
                pause=None
                if row.paused_reason is None
                else Pause(row.paused_reason, row.paused_message, row.paused_until),
            )
            for row in rows
        ]

    def units(self, collection_id: str) -> list[CategoryUnit]:
        """The categories of a collection and how they stand."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(
                    collection_categories.c.category,
                    collection_categories.c.status,
                    collection_categories.c.attempt,
                    collection_categories.c.run_id,
                    collection_categories.c.seen_at,
                    collection_categories.c.last_attempt,
                    collection_categories.c.starts,
                    (collection_categories.c.started_attempt >= collection_categories.c.attempt).label("is_asked_for"),
                )
                .where(collection_categories.c.collection_id == collection_id)
                .order_by(collection_categories.c.category)
            ).all()
        return [
            CategoryUnit(
                row.category,
                CategoryStatus(row.status),
                row.attempt,
                row.run_id,
                row.seen_at,
                row.last_attempt,
                tuple(row.starts),
                row.is_asked_for,
            )
            for row in rows
        ]

    def in_flight(self) -> set[str]:
        """The categories that open collections still have to do."""
        unfinished = (
            sa.select(collection_categories.c.category)
            .join(collections, collections.c.collection_id == collection_categories.c.collection_id)
            .where(
                collections.c.status.in_(OPEN_STATUSES),
                collection_categories.c.status.in_((CategoryStatus.PLANNED, CategoryStatus.RUNNING)),
            )
        )
        with self._engine.connect() as connection:
            return set(connection.scalars(unfinished))

    def last_calls(self, org_id: str) -> dict[str, CategoryCalls]:
        """What each category took in the last collection that completed it."""
        query = sa.text("""
            SELECT DISTINCT ON (u.category) u.category, u.calls AS best_sellers,
                   coalesce((SELECT sum(s.calls) FROM product_searches s
                             WHERE s.collection_id = u.collection_id AND s.category = u.category), 0)::int AS searches
            FROM collection_categories u JOIN collections c USING (collection_id)
            WHERE c.org_id = :org_id AND u.status = 'done' AND u.calls > 0
            ORDER BY u.category, u.ended_at DESC
        """)
        with self._engine.connect() as connection:
            rows = connection.execute(query, {"org_id": org_id}).all()
        return {row.category: CategoryCalls(row.best_sellers, row.searches) for row in rows}

    def calls(self, collection_id: str) -> CategoryCalls:
        """What all categories of a collection have taken so far."""
        query = sa.text("""
            SELECT coalesce((SELECT sum(calls) FROM collection_categories WHERE collection_id = :id), 0)::int AS lists,
                   coalesce((SELECT sum(calls) FROM product_searches WHERE collection_id = :id), 0)::int AS searches
        """)
        with self._engine.connect() as connection:
            row = connection.execute(query, {"id": collection_id}).one()
        return CategoryCalls(row.lists, row.searches)

    def expected_of(self, collection_id: str, category: str) -> Decimal | None:
        """The new sellers that a collection's plan promised of one category; None if it was not planned."""
        promised = sa.select(collection_plans.c.expected_new_sellers).where(
            collection_plans.c.collection_id == collection_id, collection_plans.c.category == category
        )
        with self._engine.connect() as connection:
            return connection.scalar(promised)

    def progress(self, collection_id: str) -> Progress:
        """The figures of one collection at this moment. Raises PipelineError if there is no such collection."""
        progress = self.find_progress(collection_id)
        if progress is None:
            self.get(collection_id)  # says that there is none
            raise AssertionError("every collection has its progress")
        return progress

    def find_progress(self, collection_id: str) -> Progress | None:
        """The figures of one collection at this moment; None if there is no such collection."""
        query = sa.text("""
            SELECT *, extract(epoch FROM time_left)::float8 AS time_left_s
            FROM collection_progress WHERE collection_id = :collection_id
        """)
        with self._engine.connect() as connection:
            row = connection.execute(query, {"collection_id": collection_id}).mappings().one_or_none()
        if row is None:
            return None
        figures = {field.name: row[field.name] for field in fields(Progress)}
        return Progress(**{**figures, "status": CollectionStatus(row["status"])})

    def expected(self, collection_id: str) -> Decimal | None:
        """The new sellers that a collection's plan promised; None if it was not planned, as a backfill is not."""
        total = sa.select(sa.func.sum(collection_plans.c.expected_new_sellers)).where(
            collection_plans.c.collection_id == collection_id
        )
        with self._engine.connect() as connection:
            promised: Decimal | None = connection.scalar(total)
        return promised

    def failures(self, collection_id: str) -> list[FailedUnit]:
        """Every unit that failed, with its reason."""
        query = sa.text(
            "SELECT unit, category, asin, reason, error_stage, error_message FROM collection_failures "
            "WHERE collection_id = :collection_id ORDER BY category, asin NULLS FIRST"
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query, {"collection_id": collection_id}).all()
        return [FailedUnit(*row) for row in rows]


def _share(plan: CollectionPlan, share: CategoryShare) -> dict[str, object]:
    return {
        "collection_id": plan.collection_id,
        "category": share.category,
        "budget_calls": share.budget,
        "searches": share.searches,
        "calls": share.calls,
        "expected_new_sellers": round(share.expected.mean, 1),
        "expected_low": round(share.expected.low, 1),
        "expected_high": round(share.expected.high, 1),
        "left_out": dict(share.left_out),
    }
