"""What failed in a collection, grouped: a marketplace that is down fails a hundred searches for one reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from collection_pipeline.core.collecting.collections import OPEN_STATUSES, CollectionStatus


@dataclass(frozen=True, slots=True)
class FailedUnit:
    """One unit of a collection that failed: a category, or a product of one. As in the view `collection_failures`."""

    unit: str
    category: str
    asin: str | None
    reason: str
    error_stage: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Units of one kind that failed for the same reason at the same stage, and the first of them as an example."""

    unit: str
    reason: str
    error_stage: str | None
    count: int
    categories: tuple[str, ...]
    asin: str | None
    error_message: str | None


def grouped(failed: Iterable[FailedUnit]) -> list[FailureGroup]:
    """The groups, the largest first."""
    ordered = sorted(failed, key=lambda one: (*_kind(one), one.category, one.asin or ""))
    groups = [_group(list(units)) for _, units in groupby(ordered, _kind)]
    return sorted(groups, key=lambda group: -group.count)


def mending(collection_id: str, status: CollectionStatus, groups: list[FailureGroup]) -> str | None:
    """The command that tries again what failed; None where nothing did, and while the collection still works."""
    if not groups or (status in OPEN_STATUSES and status is not CollectionStatus.PAUSED):
        return None
    return f"collection-pipeline collections resume {collection_id}"


def _kind(one: FailedUnit) -> tuple[str, str, str]:
    return one.unit, one.reason, one.error_stage or ""


def _group(units: list[FailedUnit]) -> FailureGroup:
    first = units[0]
    categories = tuple(dict.fromkeys(one.category for one in units))
    return FailureGroup(
        first.unit, first.reason, first.error_stage, len(units), categories, first.asin, first.error_message
    )
