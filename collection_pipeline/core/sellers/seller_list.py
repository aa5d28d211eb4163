"""The seller list as values: who is on it, how one change alters it, and what a whole log of changes comes to.

A change is written down with the sellers before and after it, so that the log alone gives the list at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from collection_pipeline.core.sellers.identity import MARKETPLACE

Status = Literal["active", "removed"]
AuditSource = Literal["collection", "manual", "import"]
"""Who changed the list: a collection, a person, or a file that a person gave."""


class AuditAction(StrEnum):
    """What was done to a list. The first two are done by collections."""

    DISCOVERED = "discovered"  # a collection found sellers that were not on the list
    RETURNED = "returned"  # a collection saw removed sellers again, and the policy lets them return
    ADDED = "added"
    UPDATED = "updated"
    REMOVED = "removed"
    FLAGGED = "flagged"  # or no longer flagged
    BULK_ADDED = "bulk_added"
    BULK_REMOVED = "bulk_removed"
    IMPORTED = "imported"
    UNDONE = "undone"  # an earlier change was taken back
    REKEYED = "rekeyed"  # the marketplace names the same accounts in another form
    ERASED = "erased"  # somebody asked to be forgotten; the log no longer holds the name


@dataclass(frozen=True, slots=True)
class ListedSeller:
    """One seller as a list holds it. `seller_key` is who it is; everything else may change."""

    seller_key: str
    display_name: str
    status: Status = "active"
    note: str | None = None
    is_flagged: bool = False
    marketplace: str = MARKETPLACE

    @property
    def identity(self) -> tuple[str, str]:
        """What stays the same through every change."""
        return self.marketplace, self.seller_key


@dataclass(frozen=True, slots=True)
class SellerRow:
    """One seller with everything that is known of it, as lists and files show it. Times are UTC and know it."""

    org_id: str
    marketplace: str
    seller_key: str
    display_name: str
    status: str
    note: str | None
    is_flagged: bool
    exported_at: datetime | None
    feedback_score: int | None
    feedback_percent: Decimal | None
    listing_count: int
    product_count: int
    matched_products: int
    best_match: Decimal | None
    first_collection_id: str | None
    last_collection_id: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    is_simulated: bool


@dataclass(frozen=True, slots=True)
class SellerChange:
    """One seller before and after; None where it is not on the list at all."""

    before: ListedSeller | None
    after: ListedSeller | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the log: the changed sellers before and after, and the count that was stored with it."""

    audit_id: int
    old: Sequence[ListedSeller]
    new: Sequence[ListedSeller]
    seller_count_snapshot: int


SellerList = Mapping[tuple[str, str], ListedSeller]


def replayed(log: Iterable[AuditEntry], start: SellerList | None = None) -> dict[tuple[str, str], ListedSeller]:
    """The list that a log comes to, beginning with an empty one or with `start`."""
    sellers = dict(start or {})
    for entry in log:
        for gone in entry.old:
            sellers.pop(gone.identity, None)
        sellers |= {seller.identity: seller for seller in entry.new}
    return sellers


def active_count(sellers: SellerList) -> int:
    """How many sellers count: the active ones."""
    return sum(seller.status == "active" for seller in sellers.values())


def reversed_change(entry: AuditEntry) -> list[SellerChange]:
    """The changes that take an entry of the log back."""
    before = {seller.identity: seller for seller in entry.old}
    after = {seller.identity: seller for seller in entry.new}
    return [SellerChange(after.get(identity), before.get(identity)) for identity in {**after, **before}]


def as_json(seller: ListedSeller) -> dict[str, Any]:
    """A seller as the log keeps it."""
    return {
        "marketplace": seller.marketplace,
        "seller_key": seller.seller_key,
        "display_name": seller.display_name,
        "status": seller.status,
        "note": seller.note,
        "is_flagged": seller.is_flagged,
    }


def from_json(kept: Mapping[str, Any]) -> ListedSeller:
    """A seller from the log; rows of the first versions have neither note nor flag."""
    return ListedSeller(
        seller_key=kept["seller_key"],
        display_name=kept["display_name"],
        status=kept["status"],
        note=kept.get("note"),
        is_flagged=bool(kept.get("is_flagged")),
        marketplace=kept["marketplace"],
    )
