"""The unit of collecting: one product searched within one collection, and how that ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from collection_pipeline.core.collecting.planning.candidates import NOTHING, Expected
from collection_pipeline.core.collecting.planning.resting import LeftOut
from collection_pipeline.core.errors import ErrorStage, NothingWorked
from collection_pipeline.core.money import BandRule, Money, PriceBand

Unsearchable = Literal["no_price", "foreign_currency", "empty_band", "unsearchable_title"]
SkipReason = Unsearchable | LeftOut


class SearchStatus(StrEnum):
    """How a planned search stands. The last four are outcomes and add up to what was planned."""

    PLANNED = "planned"
    DONE = "done"  # searched; at least one listing is evidence
    EMPTY = "empty"  # searched; no listing is evidence
    FAILED = "failed"
    SKIPPED = "skipped"  # not searched, for a reason that is no failure


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """A product that this collection has to search. Known by ASIN, so that it is planned once for all categories.

    `pages_done` pages are already committed: a search that was interrupted goes on behind them.
    """

    asin: str
    title: str
    price: Money | None
    pages_done: int = 0


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """What one category's run has to search: how many best sellers it looked at, and those it is left with, in order.

    `budget` is what is left of the calls that the category's searches may take; None is without limit.
    """

    products: int
    pending: tuple[PlannedSearch, ...]
    budget: int | None = None
    expected: Expected = NOTHING


@dataclass(frozen=True, slots=True)
class SearchedPage:
    """One page of a product's search, to be committed with its evidence before the next page is asked for.

    `status` is PLANNED while more pages are to come. `reason` is a SkipReason or the kind of the error; `rejected`
    counts the items that were no evidence, by rule. `pages` is 1 where a page came back, else 0.
    """

    asin: str
    status: SearchStatus
    query: str = ""
    band: PriceBand | None = None
    reason: str | None = None
    error_stage: ErrorStage | None = None
    error_message: str | None = None
    pages: int = 0
    calls: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    duration_ms: int = 0
    saw_everything: bool = False
    """Whether the search is at its end because the marketplace had no more, not because enough pages were read."""


@dataclass(frozen=True, slots=True)
class SearchTally:
    """How the searches stand that one category's run is responsible for in one collection."""

    outcomes: Counter[SearchStatus]
    skipped: Counter[str]
    failed: Counter[str]
    listings: int
    calls: int

    def require_some_success(self, category: str) -> None:
        """Raises NothingWorked if searches were made and every single one of them failed."""
        worked = self.outcomes[SearchStatus.DONE] + self.outcomes[SearchStatus.EMPTY]
        if self.failed and not worked:
            reasons = ", ".join(f"{count} × {reason}" for reason, count in self.failed.most_common())
            raise NothingWorked(
                f"{category}: all {self.failed.total()} searches failed ({reasons}). The view collection_failures has "
                "each one's message; resume the collection when the cause is gone."
            )


def skip_reason(search: PlannedSearch, text: str, rule: BandRule) -> Unsearchable | None:
    """Why a product cannot be searched on eBay US, or None if it can."""
    if search.price is None:
        return "no_price"
    if search.price.currency != "USD":
        return "foreign_currency"
    if rule.band(search.price).is_empty:
        return "empty_band"
    if not text:
        return "unsearchable_title"
    return None
