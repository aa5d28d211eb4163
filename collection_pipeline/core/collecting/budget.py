"""What a collection will cost, said before it starts, and whether that can be afforded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from collection_pipeline.core.collecting.tariff import CategoryCalls, Tariff
from collection_pipeline.core.collecting.usage import Source
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import Money

TYPICAL = CategoryCalls(best_sellers=2, searches=120)
"""A category never collected before: two pages of about 50 products, and a little more than a page for each product."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls that a collection will probably make, and their cost: in the vendors' units together, and in money."""

    categories: int
    calls: Mapping[Source, int]
    cost: Decimal
    money: Money | None = None
    """None where no price is known."""

    def __str__(self) -> str:
        calls = " and ".join(f"{count:,} {source} calls" for source, count in self.calls.items())
        money = "" if self.money is None else f", which is about {self.money}"
        return f"about {calls} for {self.categories} categories, a cost of {self.cost:,.0f}{money}"


def estimate(
    categories: Iterable[str], history: Mapping[str, CategoryCalls], tariff: Tariff, budget: int | None = None
) -> Estimate:
    """The estimate for some categories, from what each of them took the last time.

    With a `budget` the searches take at most so many calls.
    """
    each = [history.get(category, TYPICAL) for category in categories]
    searches = sum(one.searches for one in each)
    wanted = CategoryCalls(sum(one.best_sellers for one in each), searches if budget is None else min(searches, budget))
    return Estimate(len(each), tariff.by_source(wanted), tariff.units(wanted), tariff.money(wanted))


def require_affordable(wanted: Estimate, *, cap: Decimal | None, left_today: Mapping[Source, int | None]) -> None:
    """Raises PipelineError, with the figures, if the estimate exceeds the cap or what is left of a day's quota."""
    advice = "Collect fewer categories, or say --as-far-as-it-goes: it then stops there and can be resumed."
    if cap is not None and wanted.cost > cap:
        raise PipelineError(f"The collection would take {wanted}, which is more than its cap of {cap:,.0f}. {advice}")
    for source, calls in wanted.calls.items():
        left = left_today[source]
        if left is not None and calls > left:
            raise PipelineError(
                f"The collection would take {wanted}, but {source} allows only {left:,} more calls today. {advice}"
            )
