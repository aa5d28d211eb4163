"""Sellers: the pool of eBay accounts that all listings share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from random import Random

from collection_pipeline.simulator.world.draws import draw, number
from collection_pipeline.simulator.world.names import other_spelling, seller_key, seller_name


@dataclass(frozen=True, slots=True, eq=False)
class Seller:
    """One eBay account. `user_id` is what some developers see instead of its name (docs/sources.md 4)."""

    name: str
    other_name: str | None
    user_id: str
    feedback_score: int
    feedback_percentage: str
    account_type: str

    @property
    def key(self) -> str:
        """The one key of all its spellings."""
        return seller_key(self.name)


class Sellers:
    """The pool. A few accounts sell a lot, most a little, and all of them in any category."""

    def __init__(self, seed: int, size: int) -> None:
        self._seed = seed
        self._size = size
        self.seller = lru_cache(maxsize=None)(self._seller)

    def pick(self, rng: Random) -> Seller:
        """The account behind one listing; low numbers sell most."""
        return self.seller(int(self._size * rng.random() ** 1.6))

    def is_known(self, name: str) -> bool:
        """Whether a seller filter may name this account, by name or user id."""
        return seller_key(name) in self._keys

    @cached_property
    def _keys(self) -> frozenset[str]:
        accounts = [self.seller(index) for index in range(self._size)]
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
        )
