"""How a node's best sellers move: each wanders and slowly declines, newcomers enter, and the last ones drop out.

A list follows from the one of day 0 and the day alone, so any day can be asked for, in any order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from collection_pipeline.simulator.world.draws import unit
from collection_pipeline.simulator.world.identities import ProductId

NEWCOMERS_A_WEEK = 0.04
"""New products a week, as a share of the places on a list."""
_WANDER = 0.15
"""How far a place moves up and down, as a share of the list."""
_DECLINE_A_YEAR = 2.0
"""How far the most short-lived product sinks in a year, in lists; the average sinks by half of it."""
_KNOT_DAYS = 14
_YEAR_DAYS = 365


def entry_day(index: int, capacity: int) -> int:
    """The day on which the newcomer with this index enters a list of so many places."""
    return 1 + int(index * 7 / (NEWCOMERS_A_WEEK * capacity))


def newcomers(capacity: int, day: int, *, at_most: int) -> Iterator[int]:
    """The indices of those who have entered a list by a day."""
    return takewhile(lambda index: entry_day(index, capacity) <= day, range(at_most))


def order_on(
    seed: int, node: str, first: Sequence[ProductId], entered: Sequence[tuple[ProductId, int]], day: int
) -> list[ProductId]:
    """The best sellers of a day, best first, as many as `first` has.

    `first` is the order of day 0, `entered` the newcomers, each with its day.
    """
    scores: dict[ProductId, float] = {}
    for place, product in enumerate(first):
        scores[product] = -place / len(first) + _moved(seed, (node, product.kind, product.number), 0, day)
    for product, since in entered:
        key = (node, product.kind, product.number)
        scores[product] = -unit(seed, "entry", *key) + _moved(seed, key, since, day)
    return sorted(scores, key=lambda product: -scores[product])[: len(first)]


def _moved(seed: int, key: tuple[object, ...], since: int, day: int) -> float:
    decline = _DECLINE_A_YEAR * unit(seed, "decline", *key) * (day - since) / _YEAR_DAYS
    return _WANDER * (_noise(seed, key, day) - _noise(seed, key, since)) - decline


def _noise(seed: int, key: tuple[object, ...], day: int) -> float:
    """A value that changes smoothly with the day."""
    knot, part = divmod(day, _KNOT_DAYS)
    before, after = (unit(seed, "noise", *key, each) for each in (knot, knot + 1))
    return before + (after - before) * part / _KNOT_DAYS
