"""Seller count snapshots: how many sellers there were, and what made somebody count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

import sqlalchemy as sa

from collection_pipeline.core.collecting.collections import (
    CategoryStatus,
    CategoryUnit,
    Cause,
    CollectionStatus,
    final_status,
)
from collection_pipeline.core.collecting.planning.resting import LeftOut
from collection_pipeline.core.collecting.searches import SearchStatus
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.schema.tables import (
    collection_categories,
    collections,
    product_searches,
    seller_count_snapshots,
)
from collection_pipeline.tables.sellers.seller_list import count_sellers, lock_list


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One count of a seller list."""

    org_id: str
    collection_id: str | None
    seller_count: int
    new_sellers: int
    cause: Cause
    taken_at: datetime


class SnapshotStore:
    """Counts lists and keeps the counts. Snapshots are only ever added."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of_collection(self, collection_id: str) -> Snapshot:
        """Ends a collection that is finishing: its final status and its snapshot, in one transaction.

        Asked again, or for a collection that has already ended, it gives the snapshot that there is. Raises
        PipelineError for one that goes on and has none yet.
        """
        with self._engine.begin() as connection:
            row = connection.execute(
                collections.select().where(collections.c.collection_id == collection_id).with_for_update()
            ).one()
            if row.status == CollectionStatus.FINISHING:
                self._end(connection, row.org_id, collection_id, row.endings + 1)
            taken = connection.execute(
                seller_count_snapshots.select()
                .where(seller_count_snapshots.c.collection_id == collection_id)
                .order_by(seller_count_snapshots.c.id.desc())
                .limit(1)
            ).one_or_none()
        if taken is None:
            raise PipelineError(f"The collection {collection_id} is {row.status}; its snapshot is taken when it ends.")
        return _snapshot(taken)

    def _end(self, connection: sa.Connection, org_id: str, collection_id: str, ending: int) -> None:
        lock_list(connection, org_id)
        seller_count = count_sellers(connection, org_id)
        units = connection.execute(
            sa.select(
                collection_categories.c.category,
                collection_categories.c.status,
                collection_categories.c.new_sellers,
            ).where(collection_categories.c.collection_id == collection_id)
        ).all()
        searched = connection.execute(
            sa.select(
                sa.func.count().label("planned"),
                sa.func.count().filter(product_searches.c.status == SearchStatus.FAILED).label("failed"),
                sa.func.count()
                .filter(
                    product_searches.c.reason.not_in(get_args(LeftOut))
                    & (product_searches.c.status == SearchStatus.SKIPPED)
                )
                .label("impossible"),
            ).where(product_searches.c.collection_id == collection_id)
        ).one()
        status = final_status(
            [CategoryUnit(unit.category, CategoryStatus(unit.status)) for unit in units],
            failed_searches=searched.failed,
            nothing_searched=searched.planned > 0 and searched.planned == searched.impossible,
        )
        connection.execute(
            seller_count_snapshots.insert().values(
                org_id=org_id,
                collection_id=collection_id,
                ending=ending,
                seller_count=seller_count,
                new_sellers=sum(unit.new_sellers for unit in units),
                cause="collection",
            )
        )
        connection.execute(
            collections.update()
            .where(collections.c.collection_id == collection_id)
            .values(
                status=status,
                endings=ending,
                seller_count_snapshot=seller_count,
                completed_at=sa.func.clock_timestamp(),
            )
        )

    def by_hand(self, org_id: str) -> Snapshot:
        """Counts a list because somebody asked."""
        with self._engine.begin() as connection:
            lock_list(connection, org_id)
            taken = connection.execute(
                seller_count_snapshots.insert()
                .values(org_id=org_id, seller_count=count_sellers(connection, org_id), new_sellers=0, cause="manual")
                .returning(*seller_count_snapshots.c)
            ).one()
        return _snapshot(taken)

    def count(self) -> int:
        """How many snapshots there are, of all lists."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(seller_count_snapshots)) or 0

    def latest(self, org_id: str) -> Snapshot | None:
        """The newest snapshot of a list, if there is any."""
        newest = (
            seller_count_snapshots.select()
            .where(seller_count_snapshots.c.org_id == org_id)
            .order_by(seller_count_snapshots.c.id.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            row = connection.execute(newest).one_or_none()
        return None if row is None else _snapshot(row)


def _snapshot(row: sa.Row[tuple[object, ...]]) -> Snapshot:
    return Snapshot(row.org_id, row.collection_id, row.seller_count, row.new_sellers, row.cause, row.taken_at)
