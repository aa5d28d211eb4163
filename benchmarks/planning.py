"""Does the plan spend calls where they find most? Twelve monthly collections of the simulated marketplace, in memory.

    python -m benchmarks.planning [--categories 12] [--months 12] [--seed 1]

Each way of choosing may make a share of the calls that all searches of a month take. Nothing is fetched: every search
finds what a perfect one would find on that day.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from math import ceil

from collection_pipeline.core.collecting.planning.candidates import Candidate, Expected, Past
from collection_pipeline.core.collecting.planning.correcting import Outcome, correction
from collection_pipeline.core.collecting.planning.expecting import FirstSearches
from collection_pipeline.core.collecting.planning.plan import plan
from collection_pipeline.core.money import PriceBand
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.state import Simulator
from collection_pipeline.simulator.truth import Collection, matching
from collection_pipeline.simulator.world.kinds import Band
from collection_pipeline.simulator.world.names import seller_key

SHARES = (0.25, 0.5, 1.0)
DAYS_A_MONTH = 30
PAGE = 200
NEWEST = 300
"""First searches that tell how full the list is; tables/collecting/candidates.py reads as many."""
FORMER_CALLS = 3
"""Three pages of 60 for every product, whatever the first one held."""


@dataclass(frozen=True)
class Offer:
    """One best seller of a month, and what its search would find."""

    asin: str
    category: str
    rank: int
    title: str
    band: PriceBand
    sellers: frozenset[str]
    calls: int


Month = Sequence[Offer]
Way = Callable[["Year", Month, int, int], Sequence[Offer]]


@dataclass(frozen=True)
class Search:
    """A search that was made: when, what it found, and its part of the collection's new sellers."""

    day: int
    sellers: int
    arrived: int
    new: float
    calls: int


@dataclass
class Year:
    """What one way of choosing has found so far."""

    known: set[str] = field(default_factory=set)
    searches: defaultdict[str, list[Search]] = field(default_factory=lambda: defaultdict(list))
    on_product: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    first_seen: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    promised: list[Expected] = field(default_factory=list)
    """What was expected of each collection, where somebody said so."""
    came: list[int] = field(default_factory=list)
    """The new sellers of each collection."""

    def collect(self, chosen: Sequence[Offer], day: int) -> int:
        """Makes the searches of a month and gives back how many new sellers they found."""
        found = Counter(seller for offer in chosen for seller in offer.sellers - self.known)
        for offer in chosen:
            new = sum(1 / found[seller] for seller in offer.sellers - self.known)
            arrived = len(offer.sellers - self.on_product[offer.asin])
            self.on_product[offer.asin] |= offer.sellers
            self.searches[offer.asin].append(Search(day, len(offer.sellers), arrived, new, offer.calls))
        self.known |= found.keys()
        self.calls += sum(offer.calls for offer in chosen)
        self.came.append(len(found))
        return len(found)

    def lately(self) -> FirstSearches:
        """The newest first searches, as the tables would tell of them."""
        firsts = sorted((made[0] for made in self.searches.values() if made), key=lambda first: first.day)[-NEWEST:]
        return FirstSearches(len(firsts), sum(first.new for first in firsts))

    def past(self, asin: str, day: int) -> Past | None:
        """A product's past as the tables would tell it."""
        made = self.searches[asin]
        if not made:
            return None
        return Past(
            searches=len(made),
            first_days_ago=day - made[0].day,
            last_days_ago=day - made[-1].day,
            found=sum(each.sellers for each in made) / len(made),
            arrived=sum(each.arrived for each in made[1:]),
            first_new=made[0].new,
            later_new=sum(each.new for each in made[1:]),
            calls=made[-1].calls,
            empty_in_a_row=next((index for index, each in enumerate(reversed(made)) if each.sellers), len(made)),
        )


def by_plan(year: Year, month: Month, budget: int, day: int) -> Sequence[Offer]:
    """The rules of core/collecting/planning."""
    offers = {offer.asin: offer for offer in month}
    candidates = [
        Candidate(
            asin=offer.asin,
            category=offer.category,
            rank=offer.rank,
            query=offer.title,
            band=offer.band,
            age_days=day - year.first_seen.setdefault(offer.asin, day),
            past=year.past(offer.asin, day),
        )
        for offer in month
    ]
    outcomes = [Outcome(said.mean, came) for said, came in zip(year.promised, year.came, strict=True)]
    chosen = plan(candidates, budget=budget, lately=year.lately(), correction=correction(outcomes))
    year.promised.append(chosen.expected)
    return [offers[choice.candidate.asin] for choice in chosen.choices]


def by_category(year: Year, month: Month, budget: int, day: int) -> Sequence[Offer]:  # noqa: ARG001
    """One category after the other, each by rank, until the calls are used up."""
    return list(_affordable(month, budget))


def by_chance(year: Year, month: Month, budget: int, day: int) -> Sequence[Offer]:  # noqa: ARG001
    """Any products."""
    return list(_affordable(random.Random(day).sample(month, len(month)), budget))


def by_foresight(year: Year, month: Month, budget: int, day: int) -> Sequence[Offer]:  # noqa: ARG001
    """What brings most, were it known: a bound that no plan reaches."""
    known = set(year.known)
    chosen: list[Offer] = []
    best = [(-len(offer.sellers - known), place) for place, offer in enumerate(month)]
    heapify(best)
    while best and len(chosen) < budget:
        promised, place = heappop(best)
        now = -len(month[place].sellers - known)
        if now != promised:  # others have brought some of them meanwhile
            heappush(best, (now, place))
            continue
        chosen.append(month[place])
        known |= month[place].sellers
    return list(_affordable(chosen, budget))


WAYS: dict[str, Way] = {"plan": by_plan, "random": by_chance, "category order": by_category, "foresight": by_foresight}


def _affordable(offers: Sequence[Offer], budget: int) -> Iterator[Offer]:
    for offer in offers:
        budget -= offer.calls
        if budget < 0:
            return
        yield offer


def month_of(config: SimulatorConfig, nodes: Sequence[str]) -> Month:
    """Every searchable best seller of a day, once, in the order of categories and ranks."""
    simulator = Simulator(config)
    offers: dict[str, Offer] = {}
    for node in nodes:
        for page in simulator.products.pages(node):
            for row in page:
                product = row.product
                if product.amazon_price is None or product.asin in offers:
                    continue
                found = matching(simulator, product, Collection())
                band = Band.around(product.amazon_price)
                sellers = frozenset(seller_key(listing.seller_name) for listing in found)
                calls = max(1, ceil(len(found) / PAGE))
                money = PriceBand(band.low, band.high, "USD")
                title = product.amazon_title
                offers[product.asin] = Offer(product.asin, node, row.position, title, money, sellers, calls)
    return list(offers.values())


def run(way: Way, months: Sequence[Month], share: float) -> tuple[Year, list[int]]:
    """A year of collections, and the new sellers of each."""
    year, found = Year(), []
    for number, month in enumerate(months):
        budget = round(share * sum(offer.calls for offer in month))
        found.append(year.collect(way(year, month, budget, number * DAYS_A_MONTH), number * DAYS_A_MONTH))
    return year, found


def kept_promises(months: Sequence[Month], share: float) -> Iterator[str]:
    """For each collection what was expected, what came, and whether that was within the range; how many were."""
    year, found = run(by_plan, months, share)
    within = 0
    for promised, came in zip(year.promised, found, strict=True):
        is_within = promised.low <= came <= promised.high
        within += is_within
        yield f"{promised.mean:,.0f} → {came:,}{'' if is_within else ' (!)'}"
    yield f"{within} of {len(found)} within the range"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--categories", type=int, default=12)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--sellers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    nodes = [str(100 + index) for index in range(wanted.categories)]
    months = [
        month_of(SimulatorConfig(seed=wanted.seed, sellers=wanted.sellers, day=number * DAYS_A_MONTH), nodes)
        for number in range(wanted.months)
    ]
    everything, _ = run(by_category, months, 1.0)
    print(f"{len(months)} collections of {len(nodes)} categories with {len(months[0]):,} products in the first;")
    print(f"all searches find {len(everything.known):,} sellers. Found of them with a share of the calls:")
    for name, way in WAYS.items():
        found = [len(run(way, months, share)[0].known) / len(everything.known) for share in SHARES]
        print(
            f"  {name:15}", "   ".join(f"{share:4.0%}: {part:6.1%}" for share, part in zip(SHARES, found, strict=True))
        )
    for share in SHARES:
        print(f"  expected and came with {share:.0%} of the calls:", "; ".join(kept_promises(months, share)))
    first, _ = run(by_plan, months[:1], 1.0)
    there = {seller for offer in months[0] for seller in offer.sellers}
    former = FORMER_CALLS * len(months[0]) / len(there)
    print(f"calls per seller ÷ three pages of 60 per product: {first.calls / len(first.known) / former:.2f},")
    print(f"with {len(first.known) / len(there):.1%} of the sellers that are there")


if __name__ == "__main__":
    main()
