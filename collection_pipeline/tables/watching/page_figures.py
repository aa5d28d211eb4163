"""What the feed's page shows beside the events: collections and their figures, each row a frozen dataclass.

The fields are the page's contract: the feed answers with exactly them and describes them from here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """One collection."""

    collection_id: str
    org_id: str
    status: str
    preset: str | None
    started_at: datetime
    completed_at: datetime | None
    seller_count_snapshot: int | None
    cost: Decimal
    cost_cap: Decimal | None
    paused_reason: str | None
    paused_message: str | None
    paused_until: datetime | None


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One category of a collection, with the figures of its searches."""

    category: str
    name: str | None
    department: str | None
    status: str
    attempt: int
    run_id: str | None
    products: int | None
    searches_total: int
    searches_ended: int
    sellers_found: int | None
    new_sellers: int
    reason: str | None
    error_message: str | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many requests or units of a collection failed in one way."""

    error_type: str | None
    error_stage: str | None
    count: int


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """What one worker of one run has done; worker 0 is the system. `mean_ms` is that of the pages that came."""

    run_id: str
    category: str
    worker_id: int
    products: int
    pages: int
    errors: int
    rate_limited: int
    new_sellers: int
    mean_ms: int | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """The events of a collection, counted."""

    events: int
    failures: Sequence[FailureCount]
    workers: Sequence[WorkerRow]


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One count of a seller list."""

    taken_at: datetime
    collection_id: str | None
    seller_count: int
    new_sellers: int
    cause: str


class FeedStore:
    """Reads what the page shows. Changes nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def statuses(self, collection_ids: Collection[str]) -> dict[str, str]:
        """The status of collections; unknown ones are left out."""
        query = sa.text("SELECT collection_id, status FROM collections WHERE collection_id = ANY(:ids)")
        with self._engine.connect() as connection:
            rows = connection.execute(query, {"ids": list(collection_ids)}).all()
        return {row.collection_id: row.status for row in rows}

    def collections(self, limit: int, org_id: str | None = None) -> list[CollectionRow]:
        """The newest collections, of one organisation or of all."""
        where = "" if org_id is None else "WHERE org_id = :org_id"
        query = f"SELECT * FROM collections {where} ORDER BY started_at DESC, collection_id LIMIT :limit"  # noqa: S608
        return self._rows(CollectionRow, query, limit=limit, **({} if org_id is None else {"org_id": org_id}))

    def collection(self, collection_id: str) -> CollectionRow | None:
        """One collection; None if there is no such collection."""
        query = "SELECT * FROM collections WHERE collection_id = :collection_id"
        return next(iter(self._rows(CollectionRow, query, collection_id=collection_id)), None)

    def categories(self, collection_id: str) -> list[CategoryRow]:
        """The categories of a collection, in the catalogue's order."""
        query = """
            SELECT u.*, c.name, c.department,
                   coalesce(s.total, 0) AS searches_total, coalesce(s.ended, 0) AS searches_ended
            FROM collection_categories u
            LEFT JOIN categories c USING (category)
            LEFT JOIN (
                SELECT category, count(*) AS total, count(*) FILTER (WHERE status <> 'planned') AS ended
                FROM product_searches WHERE collection_id = :collection_id GROUP BY category
            ) s USING (category)
            WHERE u.collection_id = :collection_id
            ORDER BY c.position NULLS LAST, u.category
        """
        return self._rows(CategoryRow, query, collection_id=collection_id)

    def metrics(self, collection_id: str) -> Metrics:
        """The events of a collection, counted by failure and by worker."""
        failures = """
            SELECT error_type, error_stage, count(*) FROM activity_events
            WHERE collection_id = :collection_id AND action = 'error'
            GROUP BY error_type, error_stage ORDER BY count DESC, error_type, error_stage
        """
        workers = """
            SELECT run_id, category, worker_id,
                   count(*) FILTER (WHERE action = 'complete' AND phase = 'ebay') AS products,
                   count(*) FILTER (WHERE action = 'found') AS pages,
                   count(*) FILTER (WHERE action = 'error') AS errors,
                   count(*) FILTER (WHERE action = 'rate_limited') AS rate_limited,
                   coalesce(sum(new_sellers_count), 0) AS new_sellers,
                   round(avg(duration_ms) FILTER (WHERE action = 'found'))::int AS mean_ms
            FROM activity_events WHERE collection_id = :collection_id
            GROUP BY run_id, category, worker_id ORDER BY max(id) DESC, worker_id
        """
        events = sa.text("SELECT count(*) FROM activity_events WHERE collection_id = :collection_id")
        with self._engine.connect() as connection:
            counted = connection.scalar(events, {"collection_id": collection_id}) or 0
        return Metrics(
            events=counted,
            failures=self._rows(FailureCount, failures, collection_id=collection_id),
            workers=self._rows(WorkerRow, workers, collection_id=collection_id),
        )

    def snapshots(self, org_id: str, limit: int) -> list[SnapshotRow]:
        """The newest snapshots of an organisation's list, oldest first."""
        query = "SELECT * FROM seller_count_snapshots WHERE org_id = :org_id ORDER BY id DESC LIMIT :limit"
        return self._rows(SnapshotRow, query, org_id=org_id, limit=limit)[::-1]

    def _rows(self, kind: type[RowT], query: str, **values: Any) -> list[RowT]:
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # every kind is a dataclass
        with self._engine.connect() as connection:
            rows = connection.execute(sa.text(query), values).mappings().all()
        return [kind(**{name: row[name] for name in names}) for row in rows]
