"""Which products are not searched for now, whatever they may bring: what rests, and what would be asked twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from collection_pipeline.core.collecting.planning.candidates import Candidate

LeftOut = Literal["fresh", "resting", "same_title", "over_budget"]
"""Why a product is not searched in a collection, although it could be."""

EMPTY_SEARCHES = 3
"""A product whose search brought nothing so often in a row rests."""
FIRST_REST_DAYS, LONGEST_REST_DAYS = 14.0, 180.0
"""It rests so long after the third, twice as long after each further one, and never longer than half a year."""


def rest_days(empty_in_a_row: int) -> float:
    """How many days a product is left alone after so many searches in a row that found nothing."""
    if empty_in_a_row < EMPTY_SEARCHES:
        return 0.0
    return min(LONGEST_REST_DAYS, FIRST_REST_DAYS * 2.0 ** min(empty_in_a_row - EMPTY_SEARCHES, 10))


def left_alone(candidate: Candidate, fresh_for_days: float) -> LeftOut | None:
    """Why a product is not due, or None if it is: it was searched a short while ago, or keeps finding nothing."""
    past = candidate.past
    if past is None:
        return None
    if past.last_days_ago < fresh_for_days:
        return "fresh"
    return "resting" if past.last_days_ago < rest_days(past.empty_in_a_row) else None


def asked_twice(candidates: Iterable[Candidate]) -> set[str]:
    """Products whose search another one's, named before it, answers: the same words in a band that overlaps."""
    asked = defaultdict[str, list[Candidate]](list)
    twice: set[str] = set()
    for candidate in candidates:
        if candidate.band is None:
            continue
        if any(_overlap(candidate, other) for other in asked[candidate.query]):
            twice.add(candidate.asin)
        else:
            asked[candidate.query].append(candidate)
    return twice


def _overlap(one: Candidate, other: Candidate) -> bool:
    if one.band is None or other.band is None or one.band.currency != other.band.currency:
        return False
    return one.band.low <= other.band.high and other.band.low <= one.band.high
