"""What a plan means for each category of a collection, whose run keeps to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from collection_pipeline.core.collecting.planning.candidates import NOTHING, Candidate, Expected
from collection_pipeline.core.collecting.planning.plan import Choice, Plan
from collection_pipeline.core.collecting.planning.resting import LeftOut

PRODUCTS_OF_A_LIST = 100
"""So many best sellers a category is taken to have that was never collected: two pages of about 50."""
_STAND_INS = 100_000
"""So many products stand in for unknown lists at most; ten thousand categories get ten each."""


@dataclass(frozen=True, slots=True)
class CategoryShare:
    """What is planned for one category before its list of today is known.

    `budget` are the calls that its searches may take; None is without limit.
    """

    category: str
    budget: int | None
    searches: int
    calls: int
    expected: Expected
    left_out: Mapping[LeftOut, int]


def shares(
    categories: Sequence[str], candidates: Iterable[Candidate], plan: Plan, budget: int | None
) -> tuple[CategoryShare, ...]:
    """The share of each category. Calls of the budget that the plan has no use for are dealt out evenly."""
    category_of = {each.asin: each.category for each in candidates}
    left_out = {category: Counter[LeftOut]() for category in categories}
    for asin, reason in plan.left_out.items():
        left_out[category_of[asin]][reason] += 1
    extra = [0] * len(categories)
    if budget is not None:
        even, rest = divmod(budget - plan.calls, len(categories))
        extra = [even + (place < rest) for place in range(len(categories))]
    choices: dict[str, list[Choice]] = {category: [] for category in categories}
    for choice in plan.choices:
        choices[choice.candidate.category].append(choice)
    made = []
    for (category, own), more in zip(choices.items(), extra, strict=True):
        calls = sum(choice.candidate.calls for choice in own)
        expected = sum((choice.expected for choice in own), NOTHING)
        share = None if budget is None else calls + more
        made.append(CategoryShare(category, share, len(own), calls, expected, left_out[category]))
    return tuple(made)


def unknown_lists(categories: Sequence[str]) -> Iterator[Candidate]:
    """Stand-ins for the best sellers of categories that were never collected."""
    each = max(1, min(PRODUCTS_OF_A_LIST, _STAND_INS // max(1, len(categories))))
    for category in categories:
        for rank in range(1, each + 1):
            yield Candidate(f"{category}#{rank}", category, rank, "", None)
