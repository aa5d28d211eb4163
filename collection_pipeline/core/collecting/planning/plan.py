"""The plan of a collection's searches: the most new sellers per call first, and a share of the calls for the unknown.

Pure: the same candidates give the same plan, in whatever order they are named.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, zip_longest

from collection_pipeline.core.collecting.planning.candidates import NOTHING, Candidate, Expected
from collection_pipeline.core.collecting.planning.correcting import Correction
from collection_pipeline.core.collecting.planning.expecting import NEVER, Expectations, FirstSearches, learn
from collection_pipeline.core.collecting.planning.resting import LeftOut, asked_twice, left_alone

NO_PLANS_YET = Correction()

SHARE_OF_CATEGORIES = 0.25
"""So much of a budget is dealt out evenly, so that no category is starved by what others promise."""
SHARE_OF_EXPLORATION = 0.2
"""So much goes to products that were never searched, as long as there are any."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One product that is worth its search, and what can be expected of it."""

    candidate: Candidate
    expected: Expected

    @property
    def value(self) -> float:
        """New sellers per call."""
        return self.expected.mean / self.candidate.calls


@dataclass(frozen=True)
class Plan:
    """The searches to make, most promising first, and why the others are not made."""

    choices: tuple[Choice, ...]
    left_out: Mapping[str, LeftOut]
    """By ASIN."""

    @cached_property
    def expected(self) -> Expected:
        """New sellers of all searches together."""
        return sum((choice.expected for choice in self.choices), NOTHING)

    @cached_property
    def calls(self) -> int:
        """Calls of all searches together."""
        return sum(choice.candidate.calls for choice in self.choices)

    @cached_property
    def reasons(self) -> Counter[LeftOut]:
        """How many products are left out for which reason."""
        return Counter(self.left_out.values())

    def __str__(self) -> str:
        searches = f"{len(self.choices):,} searches with {self.calls:,} calls"
        left = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in sorted(self.reasons.items()))
        return f"{searches}, expecting {self.expected}; left out: {left or 'none'}"


def plan(
    candidates: Iterable[Candidate],
    *,
    budget: int | None = None,
    fresh_for_days: float = 0.0,
    lately: FirstSearches = NEVER,
    correction: Correction = NO_PLANS_YET,
) -> Plan:
    """The plan for some products with at most `budget` calls; None plans every product that is due.

    What is expected is learnt from the candidates' own pasts, from what first searches brought `lately`, and from what
    earlier plans were wrong by. A product that several categories list is planned once, for the one in which it stands
    highest.
    """
    ranked = sorted(candidates, key=lambda each: (each.rank, each.category, each.asin))
    once = list({each.asin: each for each in reversed(ranked)}.values())[::-1]
    left_out = {each.asin: reason for each in once if (reason := left_alone(each, fresh_for_days)) is not None}
    due = [each for each in once if each.asin not in left_out]
    twice = asked_twice(due)
    left_out |= dict.fromkeys(twice, "same_title")
    expectations = learn(ranked, lately)
    choices = _in_order([Choice(each, expectations.of(each)) for each in due if each.asin not in twice])
    if budget is not None:
        affordable = _within(budget, choices)
        left_out |= {each.candidate.asin: "over_budget" for each in choices if each.candidate.asin not in affordable}
        choices = [each for each in choices if each.candidate.asin in affordable]
    return Plan(tuple(_together(choices, expectations, correction)), left_out)


def _together(choices: Sequence[Choice], expectations: Expectations, correction: Correction) -> Iterator[Choice]:
    """The choices with what is expected of each as a part of all: what they share is counted once."""
    overlap = expectations.overlapping(sum(each.candidate.past is None for each in choices))
    for each in choices:
        factor = correction.factor * (overlap if each.candidate.past is None else 1.0)
        yield Choice(each.candidate, replace(each.expected.scaled(factor), doubt=correction.doubt))


def _in_order(choices: Iterable[Choice]) -> list[Choice]:
    """Most new sellers per call first; what promises the same, by rank, and so across all categories."""
    return sorted(
        choices, key=lambda each: (-each.value, each.candidate.rank, each.candidate.category, each.candidate.asin)
    )


def _within(budget: int, choices: Sequence[Choice]) -> set[str]:
    """The products that a budget is spent on: a part evenly, a part on exploration, and the rest on the best."""
    in_turn = _in_turn(choices)
    one_each = sum(choice.candidate.calls for choice in in_turn[: _categories(choices)])
    taken: dict[str, int] = {}
    _take(taken, in_turn, min(budget, max(one_each, round(budget * SHARE_OF_CATEGORIES))))
    unknown = [choice for choice in choices if choice.candidate.past is None]
    explored = sum(choice.candidate.calls for choice in unknown if choice.candidate.asin in taken)
    to_explore = max(0, round(budget * SHARE_OF_EXPLORATION) - explored)
    _take(taken, unknown, min(budget, sum(taken.values()) + to_explore))
    _take(taken, choices, budget)
    return set(taken)


def _take(taken: dict[str, int], choices: Iterable[Choice], limit: int) -> None:
    """Takes what fits, in order, until so many calls are spent in all."""
    spent = sum(taken.values())
    for choice in choices:
        calls = choice.candidate.calls
        if choice.candidate.asin not in taken and spent + calls <= limit:
            taken[choice.candidate.asin] = calls
            spent += calls


def _in_turn(choices: Sequence[Choice]) -> list[Choice]:
    """The best of every category, then the second best of every category, and so on."""
    categories = defaultdict[str, list[Choice]](list)
    for choice in choices:
        categories[choice.candidate.category].append(choice)
    return [choice for choice in chain.from_iterable(zip_longest(*categories.values())) if choice is not None]


def _categories(choices: Iterable[Choice]) -> int:
    return len({choice.candidate.category for choice in choices})
