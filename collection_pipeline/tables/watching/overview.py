"""What a manager opens on Monday: the list over time, where new sellers came from, what is left, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from collection_pipeline.core.collecting.usage import Limits, Source, next_day, vendor_day
from collection_pipeline.tables.schema.paging import PageReader

DAYS_OF_ALERTS = 7
DAYS_OF_NEW_SELLERS = 30
MOST_CATEGORIES = 12
MOST_POINTS = 400
"""Counts of the list that a plot has room for."""


@dataclass(frozen=True, slots=True)
class ListPoint:
    """One count of the list, with what changed it. `affected` is how many sellers an edit was about."""

    taken_at: datetime
    seller_count: int
    new_sellers: int
    cause: str
    collection_id: str | None
    action: str | None
    actor: str | None
    affected: int | None


@dataclass(frozen=True, slots=True)
class NewSellersOfCategory:
    """New sellers that a category brought lately; `collections` is in how many collections."""

    category: str
    name: str | None
    new_sellers: int
    collections: int


@dataclass(frozen=True, slots=True)
class RecentAlert:
    """Something that people were, or are to be, told of. `path` is its page in Dagster."""

    cause: str
    subject: str
    text: str
    path: str
    happened_at: datetime
    is_sent: bool


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """What a source still allows today, in the vendor's unit; `left` is null without a limit."""

    source: str
    used: Decimal
    left: Decimal | None
    quota: int | None
    renewed_at: datetime


@dataclass(frozen=True, slots=True)
class _Used:
    used: Decimal


_POINTS = """
    SELECT * FROM (
        SELECT s.taken_at, s.seller_count, s.new_sellers, s.cause, s.collection_id, a.action, a.actor,
               a.affected_count AS affected, s.id
        FROM (
            SELECT * FROM seller_count_snapshots WHERE org_id = :org_id ORDER BY taken_at DESC LIMIT :limit
        ) s
        LEFT JOIN seller_audit_log a ON a.id = s.audit_id
    ) newest ORDER BY taken_at, id
"""
# The collections first, as keys: the planner then reads their categories by key, whatever it knows of the tables.
_NEW_SELLERS = """
    SELECT u.category, k.name, sum(u.new_sellers)::bigint AS new_sellers, count(*) AS collections
    FROM collection_categories u LEFT JOIN categories k USING (category)
    WHERE u.new_sellers > 0 AND u.collection_id = ANY (ARRAY(
        SELECT collection_id FROM collections WHERE org_id = :org_id AND started_at >= :since
        ORDER BY started_at DESC LIMIT 200
    ))
    GROUP BY u.category, k.name ORDER BY new_sellers DESC, u.category LIMIT :limit
"""
_ALERTS = """
    SELECT cause, subject, text, path, happened_at, sent_at IS NOT NULL AS is_sent
    FROM (SELECT * FROM alerts ORDER BY id DESC LIMIT 200) newest
    WHERE happened_at >= :since AND (CAST(:org_id AS text) IS NULL OR EXISTS (
        SELECT FROM collections c WHERE c.collection_id = newest.subject AND c.org_id = :org_id))
    ORDER BY id DESC LIMIT 20
"""
_USED = "SELECT coalesce(sum(cost), 0) AS used FROM api_usage WHERE source = :source AND day = :day"


class OverviewStore:
    """Reads what the overview shows. Changes nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._reader = PageReader(engine)

    def points(self, org_id: str, limit: int = MOST_POINTS) -> list[ListPoint]:
        """The newest counts of a list with what caused each, oldest first."""
        return self._reader.rows(ListPoint, _POINTS, org_id=org_id, limit=limit)

    def new_sellers(self, org_id: str, since: datetime) -> list[NewSellersOfCategory]:
        """The categories that brought the most new sellers in collections since a moment."""
        return self._reader.rows(NewSellersOfCategory, _NEW_SELLERS, org_id=org_id, since=since, limit=MOST_CATEGORIES)

    def alerts(self, org_id: str | None, since: datetime) -> list[RecentAlert]:
        """Alerts since a moment, newest first: all, or those about an organisation's collections."""
        return self._reader.rows(RecentAlert, _ALERTS, org_id=org_id, since=since)

    def quotas(self, limits: Mapping[Source, Limits], now: datetime) -> list[QuotaLeft]:
        """What each source still allows on its present day."""
        return [self._quota(source, limits[source].calls_per_day, now) for source in limits]

    def _quota(self, source: Source, quota: int | None, now: datetime) -> QuotaLeft:
        day: date = vendor_day(source, now)
        found = self._reader.one(_Used, _USED, source=source, day=day)
        used = Decimal(0) if found is None else found.used
        left = None if quota is None else max(Decimal(0), quota - used)
        return QuotaLeft(source, used, left, quota, next_day(source, now))
