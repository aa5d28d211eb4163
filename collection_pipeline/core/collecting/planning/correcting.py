"""What earlier plans were wrong by, and how far the next one is to be trusted.

What searches bring is learnt from searches alone. That the list which they all add to fills up, so that the same
sellers come up again and again, shows only in whole collections: in what was expected of them and what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEARNT_FROM_EACH = 0.5
"""How much of what a plan was wrong by, as a power of the ratio, the next one takes into account."""

FEW = 20.0
"""A plan that expected so few new sellers teaches half as much: chance alone may have made it wrong."""

MOST = 5.0
"""A plan is corrected by this factor at most, up or down."""

DOUBT = (4.0, 4.0, 2.5, 2.0)
"""By which factor a plan may be wrong, nine times in ten, after so many collections. Without a past nobody knows
whether a marketplace has a thousand sellers of these products or a hundred thousand."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The new sellers that were expected of one collection, and those that came."""

    expected: float
    came: float


@dataclass(frozen=True, slots=True)
class Correction:
    """By what expectations are multiplied, and by which factor they may still be wrong."""

    factor: float = 1.0
    doubt: float = DOUBT[0]


def correction(outcomes: Sequence[Outcome]) -> Correction:
    """What the plans of an organisation teach, oldest first. What was expected of each was corrected by those before.

    The first one is left out: it had no past to learn from, so it says nothing of what is learnt from one.
    """
    factor = 1.0
    for outcome in outcomes[1:]:
        learnt = LEARNT_FROM_EACH * outcome.expected / (outcome.expected + FEW)
        factor *= ((outcome.came + 1) / (outcome.expected + 1)) ** learnt
        factor = min(MOST, max(1 / MOST, factor))
    return Correction(factor, DOUBT[min(len(outcomes), len(DOUBT) - 1)])
