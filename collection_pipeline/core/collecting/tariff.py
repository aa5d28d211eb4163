"""What calls cost: whom a search asks, and the price of a call in money where a team's contract has one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from collection_pipeline.core.collecting.usage import COSTS, LARGEST_COST, Call, Source
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import CENT, Money

_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?([A-Z]{3})", re.ASCII)
_LIST, _SEARCH = Call("oxylabs", "best_sellers"), Call("ebay", "search")


@dataclass(frozen=True, slots=True)
class CategoryCalls:
    """Calls that one category, or several, take: pages of best sellers, and searches on eBay."""

    best_sellers: int
    searches: int


@dataclass(frozen=True, slots=True)
class Price:
    """What one call costs, which may be a fraction of a cent, and its ISO 4217 currency."""

    amount: Decimal
    currency: str


def read_price(text: str) -> Price | None:
    """What somebody wrote, such as `0.0028 USD` or `5USD`; None if it is no amount with a currency."""
    found = _AMOUNT.fullmatch(text.strip())
    return None if found is None else Price(Decimal(found[1]), found[2])


def read_budget(text: str) -> int | Money:
    """A budget as somebody wrote it: calls, such as 4000, or money, such as `25 USD`. Raises PipelineError."""
    price = read_price(text)
    if price is not None and price.amount == price.amount.quantize(CENT):
        return Money(price.amount, price.currency)
    if text.strip().isdecimal() and 1 <= int(text) <= LARGEST_COST:
        return int(text)
    raise PipelineError(f"A budget is a number of calls from 1 to {LARGEST_COST:,}, or an amount such as 25 USD.")


@dataclass(frozen=True, slots=True)
class Tariff:
    """What every call counts as and costs. A source without a price costs no money that is known of."""

    search: Call = _SEARCH
    """What one page of listings is."""
    prices: Mapping[Source, Price] = field(default_factory=dict)
    """All in one currency."""

    def by_source(self, calls: CategoryCalls) -> Mapping[Source, int]:
        """Whom calls go to."""
        counted = Counter[Source]()
        counted[_LIST.source] += calls.best_sellers
        counted[self.search.source] += calls.searches
        return counted

    def units(self, calls: CategoryCalls) -> Decimal:
        """What calls cost in the vendors' own units."""
        return calls.best_sellers * COSTS[_LIST] + calls.searches * COSTS[self.search]

    def money(self, calls: CategoryCalls) -> Money | None:
        """What calls cost in money, rounded up to a cent; None where nobody who is called has a price."""
        priced = [(n, self.prices[source]) for source, n in self.by_source(calls).items() if source in self.prices]
        if not priced:
            return None
        total = sum((count * price.amount for count, price in priced), Decimal(0))
        return Money(total.quantize(CENT, rounding=ROUND_CEILING), priced[0][1].currency)

    def searches_within(self, budget: Money, *, lists: int) -> int:
        """How many searches an amount pays for after so many pages of best sellers.

        Raises PipelineError where that cannot be said, or where it pays for none.
        """
        listed = self._price(_LIST.source, budget).amount if lists else Decimal(0)
        price = self._price(self.search.source, budget)
        searches = min(LARGEST_COST, int((budget.amount - lists * listed) / price.amount))
        if searches < 1:
            raise PipelineError(
                f"A budget of {budget} pays for no search: {lists:,} pages of best sellers and one search cost more. "
                "Give more, or collect fewer categories."
            )
        return searches

    def _price(self, source: Source, budget: Money) -> Price:
        price = self.prices.get(source)
        if price is None or price.amount == 0:
            raise PipelineError(
                f"A budget of {budget} says nothing, because a call of {source} has no price. Set "
                f"COLLECTION_{source.upper()}_PRICE, such as 0.0028 USD, or give the budget in calls."
            )
        if price.currency != budget.currency:
            raise PipelineError(f"The budget is in {budget.currency}, and a call of {source} costs {price.currency}.")
        return price


BROWSE = Tariff()
"""eBay's Browse API, and no prices."""
