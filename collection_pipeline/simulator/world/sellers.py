"""Sellers: the pool of eBay accounts that all listings share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import log
from random import Random

from collection_pipeline.simulator.world.draws import draw, number, unit
from collection_pipeline.simulator.world.names import other_spelling, seller_key, seller_name


@dataclass(frozen=True, slots=True, eq=False)
class Seller:
    """One eBay account. `user_id` is what some developers see instead of its name (docs/sources.md 4).

    On the day `leaves_on` it has left, and its listings with it.
    """

    name: str
    other_name: str | None
    user_id: str
    feedback_score: int
    feedback_percentage: str
    account_type: str
    leaves_on: float

    @property
    def key(self) -> str:
        """The one key of all its spellings."""
        return seller_key(self.name)


NEWCOMERS_A_YEAR = 0.5
"""New accounts a year, as a share of those of day 0."""
_NEWCOMERS_SHARE = 0.3
"""Share of new listings that accounts offer which came after day 0."""
_MEAN_STAY_DAYS = 730
_SHORTEST_STAY_DAYS = 30


class Sellers:
    """The pool. A few accounts sell a lot, most a little, and all of them in any category. Accounts come and go."""

    def __init__(self, seed: int, size: int, day: int = 0) -> None:
        self._seed = seed
        self._size = size
        self._day = day
        self.seller = lru_cache(maxsize=None)(self._seller)

    def pick(self, rng: Random) -> Seller:
        """The account behind one listing; low numbers sell most."""
        return self.seller(int(self._size * rng.random() ** 1.6))

    def pick_on(self, day: int, *key: object) -> Seller:
        """The account behind a listing that begins on a day: one of the first that is still there, or a newcomer."""
        draws = [unit(self._seed, name, *key) for name in ("account", "is newcomer", "newcomer")]
        first = self.seller(int(self._size * draws[0] ** 1.6))
        newcomers = self._newcomers(day)
        if not newcomers or (first.leaves_on > day and draws[1] >= _NEWCOMERS_SHARE):
            return first
        newcomer = self.seller(self._size + int(newcomers * draws[2] ** 1.6))
        return newcomer if newcomer.leaves_on > day else self.seller(self._size + newcomers - 1)

    def _newcomers(self, day: int) -> int:
        """How many accounts have come between day 0 and a day."""
        return int(self._size * NEWCOMERS_A_YEAR * day / 365)

    def _joined_on(self, index: int) -> float:
        return max(0, index - self._size + 1) * 365 / (self._size * NEWCOMERS_A_YEAR)

    def is_known(self, name: str) -> bool:
        """Whether a seller filter may name this account, by name or user id."""
        return seller_key(name) in self._keys

    @cached_property
    def _keys(self) -> frozenset[str]:
        accounts = [self.seller(index) for index in range(self._size + self._newcomers(self._day))]
        return frozenset([each.key for each in accounts] + [each.user_id for each in accounts])

    def _seller(self, index: int) -> Seller:
        rng = draw(self._seed, "seller", index)
        name = seller_name(rng, index)
        is_new = rng.random() < 0.05
        return Seller(
            name=name,
            other_name=other_spelling(name) if rng.random() < 0.25 else None,
            user_id=f"{number(self._seed, 'user', index):016x}"[:11],
            feedback_score=0 if is_new else rng.choice((rng.randint(1, 99), rng.randint(100, 250_000))),
            # A text, as eBay sends it; "0.0" is a new seller, not a bad one.
            feedback_percentage="0.0" if is_new else f"{rng.choice((100.0, rng.randint(930, 999) / 10)):.1f}",
            account_type=rng.choice(("BUSINESS", "BUSINESS", "INDIVIDUAL")),
            leaves_on=self._joined_on(index) + _SHORTEST_STAY_DAYS - _MEAN_STAY_DAYS * log(1 - rng.random()),
        )
