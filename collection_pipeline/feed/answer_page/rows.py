"""What only the answer page puts together; all other rows are the stores' own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from collection_pipeline.tables.collecting.comparing import CollectionFigures
from collection_pipeline.tables.watching.overview import ListPoint, NewSellersOfCategory, QuotaLeft, RecentAlert


@dataclass(frozen=True, slots=True)
class NextCollection:
    """When the schedule collects next, provided that somebody has switched it on in Dagster."""

    due_at: datetime | None
    preset: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What a manager opens on Monday. `newest` holds the newest collection, if there is one."""

    org_id: str
    points: Sequence[ListPoint]
    new_sellers: Sequence[NewSellersOfCategory]
    new_sellers_days: int
    alerts: Sequence[RecentAlert]
    alerts_days: int
    quotas: Sequence[QuotaLeft]
    newest: Sequence[CollectionFigures]
    next_collection: NextCollection


@dataclass(frozen=True, slots=True)
class CategoryChoice:
    """A category that can be chosen."""

    category: str
    name: str
    department: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen in filters: the catalogue's categories, and the newest collections."""

    categories: Sequence[CategoryChoice]
    collections: Sequence[str]


@dataclass(frozen=True, slots=True)
class SellerCount:
    """How many sellers fit; beyond the number that is given there are more."""

    count: int
    is_more: bool


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit that was made: its number in the log, by which it can be undone, and the count of the list after it."""

    audit_id: int
    action: str
    affected: int
    seller_count: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judgement did: about how many listings it was."""

    listings: int
