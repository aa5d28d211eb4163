"""How many new sellers a search will bring: the product's own past, drawn towards that of its like.

A product that was searched before brings the sellers who came to it since, as far as they are on no list yet. One
that was not brings what first searches of its category bring. A category with little past is taken to be like all
others, and a product with little past like its category.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, prod

from collection_pipeline.core.collecting.planning.candidates import Candidate, Expected, Past

Lifts = Mapping[Hashable, float]


@dataclass(frozen=True, slots=True)
class Rates:
    """What searches bring.

    `first` are new sellers of a first search, `found` listings of any search, `change` the share of listings replaced a
    day, `novelty` how many of the sellers who come to a product are on no list yet.
    """

    first: float
    found: float
    change: float
    novelty: float

    def replaced(self, days: float) -> float:
        """The share of a product's listings that came within so many days."""
        return 1 - exp(-self.change * days)


@dataclass(frozen=True, slots=True)
class FirstSearches:
    """The newest first searches of an organisation, of whatever products: how many, and what they brought together.

    The list was shorter when earlier ones brought more: what the newest brought tells how full it is now.
    """

    searches: int = 0
    new_sellers: float = 0.0


NEVER = FirstSearches()

ASSUMED = Rates(first=6.0, found=10.0, change=0.01, novelty=0.5)
"""Where nothing is known at all."""
SEARCHES, LISTINGS = 5.0, 30.0
"""How much past makes a category count as much as all others, and all others as what is assumed."""
OF_A_PRODUCT_SEARCHES, OF_A_PRODUCT_LISTINGS = 2.0, 5.0
"""How much past makes a product count as much as its category."""
OF_A_TRAIT = 20.0
"""How many new sellers make a trait, such as a high rank, count half."""
FORGOTTEN_BY_HALF_DAYS = 60.0
"""A first search of so long ago counts half, because the list was shorter then."""
OVERLAP = 0.9
"""So many first searches, to this power, bring what one does: sellers come up for several products. 100 items of one
recorded search were from 38 sellers, which is 100 to the power of 0.79; searches of different products overlap less."""
SHAPE = 2.0
"""How much searches differ among each other, as the shape of a gamma distribution."""
_MOST = 0.98
"""Listings of which all seem to be replaced are not taken to change at once."""


@dataclass(frozen=True)
class Expectations:
    """What was learnt from the past of all candidates."""

    everywhere: Rates
    categories: dict[str, Rates]
    first_lifts: Lifts
    """By which factor first searches of products with a trait brought more than their categories' rates say."""
    change_lifts: Lifts
    """The same for how fast listings change."""
    level: float = 1.0
    """What first searches bring now, as a share of what those of the candidates brought."""
    assumed: float = 0.0
    """The part of `everywhere.first` that was not learnt but assumed; what was learnt has overlapped already."""

    def overlapping(self, first_searches: int) -> float:
        """What so many first searches bring together, as a share of what each would bring alone."""
        return 1 - self.assumed + self.assumed * float(max(1, first_searches) ** (OVERLAP - 1))

    def of(self, candidate: Candidate) -> Expected:
        """New sellers that searching this product now will bring."""
        rates, past = self.categories.get(candidate.category, self.everywhere), candidate.past
        if past is None:
            mean = rates.first * _lift(self.first_lifts, candidate) * self.level
        else:
            there = _mean(past.found * past.searches, past.searches, rates.found, OF_A_PRODUCT_SEARCHES)
            change = _change(past, rates, _lift(self.change_lifts, candidate))
            mean = there * (1 - exp(-change * past.rested_days)) * rates.novelty
        return Expected(mean, mean + mean**2 / SHAPE)


def learn(candidates: Iterable[Candidate], lately: FirstSearches = NEVER) -> Expectations:
    """The rates behind what the candidates' searches have brought so far, and first searches of any product lately."""
    known = [(each, each.past) for each in candidates if each.past is not None]
    everywhere = _rates([past for _, past in known], ASSUMED)
    pasts = defaultdict[str, list[Past]](list)
    for candidate, past in known:
        pasts[candidate.category].append(past)
    categories = {category: _rates(own, everywhere) for category, own in pasts.items()}
    firsts, changes = [], []
    for each, past in known:
        rates, weight = categories[each.category], _weight(past)
        firsts.append((each, weight * past.first_new, weight * rates.first))
        changes.append((each, float(past.arrived), past.shown * rates.replaced(past.days_between)))
    level = min(1.0, _mean(lately.new_sellers, lately.searches, everywhere.first, SEARCHES) / everywhere.first)
    assumed = SEARCHES / (SEARCHES + max(lately.searches, sum(_weight(past) for _, past in known)))
    return Expectations(everywhere, categories, _lifts(firsts), _lifts(changes), level, assumed)


def _rates(pasts: Sequence[Past], otherwise: Rates) -> Rates:
    weights = [_weight(past) for past in pasts]
    first = sum(weight * past.first_new for weight, past in zip(weights, pasts, strict=True))
    again = [past for past in pasts if past.searches > 1]
    arrived, shown = sum(past.arrived for past in again), sum(past.shown for past in again)
    days = sum(past.days_between for past in again) / max(1, len(again))
    found = sum(past.found * past.searches for past in pasts)
    return Rates(
        first=_mean(first, sum(weights), otherwise.first, SEARCHES),
        found=_mean(found, sum(past.searches for past in pasts), otherwise.found, SEARCHES),
        change=_change_rate(arrived, shown, days, otherwise.change, LISTINGS),
        novelty=_mean(sum(past.later_new for past in again), arrived, otherwise.novelty, LISTINGS),
    )


def _change(past: Past, rates: Rates, lift: float) -> float:
    """How fast a product's sellers change: as they did, drawn towards how those of its like do."""
    return _change_rate(past.arrived, past.shown, past.days_between, rates.change * lift, OF_A_PRODUCT_LISTINGS)


def _change_rate(arrived: float, shown: float, days: float, otherwise: float, believed: float) -> float:
    """The share replaced a day, from those who had arrived among those shown so many days after the last time."""
    if days <= 0:
        return otherwise
    share = (arrived + believed * (1 - exp(-otherwise * days))) / (shown + believed)
    return -log(1 - min(share, _MOST)) / days


def _lifts(searched: Iterable[tuple[Candidate, float, float]]) -> Lifts:
    """The lift of each trait, from what products brought and what was to be expected of them."""
    brought, expected = defaultdict[Hashable, float](float), defaultdict[Hashable, float](float)
    for candidate, came, due in searched:
        for trait in _traits(candidate):
            brought[trait] += came
            expected[trait] += due
    return {trait: (brought[trait] + OF_A_TRAIT) / (expected[trait] + OF_A_TRAIT) for trait in brought}


def _lift(lifts: Lifts, candidate: Candidate) -> float:
    return prod(lifts.get(trait, 1.0) for trait in _traits(candidate))


def _mean(total: float, count: float, otherwise: float, believed: float) -> float:
    """A mean, drawn towards what is otherwise believed by as many cases as that counts for."""
    return (total + otherwise * believed) / (count + believed)


def _weight(past: Past) -> float:
    return float(0.5 ** (past.first_days_ago / FORGOTTEN_BY_HALF_DAYS))


def _traits(candidate: Candidate) -> Iterable[Hashable]:
    """What a product has in common with others besides its category: its rank, price and age, roughly."""
    yield "rank", _group(candidate.rank, (10, 30))
    if candidate.band is not None:
        yield "price", _group(float(candidate.band.low), (20, 60, 150))
    if candidate.age_days is not None:
        yield "age", _group(candidate.age_days, (30, 90))


def _group(value: float, edges: tuple[float, ...]) -> int:
    return sum(value > edge for edge in edges)
