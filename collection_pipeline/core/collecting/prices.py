"""What calls cost in money: a price for each source, as a team's contract says, where it says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from collection_pipeline.core.collecting.usage import LARGEST_COST, Source
from collection_pipeline.core.errors import PipelineError

_PRICE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?([A-Z]{3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Price:
    """An exact amount and its ISO 4217 currency; a call's may be a fraction of a cent."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:,.2f} {self.currency}"


def read_price(text: str) -> Price | None:
    """What somebody wrote, such as `0.0028 USD` or `5USD`; None if it is no amount with a currency."""
    found = _PRICE.fullmatch(text.strip())
    return None if found is None else Price(Decimal(found[1]), found[2])


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of one call of each source in vendors' units. A source without one costs no money that is known of."""

    of_source: Mapping[Source, Price]

    def cost(self, calls: Mapping[Source, int]) -> Price | None:
        """What calls come to, rounded up to a cent; None where no source that was called has a price."""
        priced = [(count, price) for source, count in calls.items() if (price := self.of_source.get(source))]
        if not priced:
            return None
        total = sum((count * price.amount for count, price in priced), Decimal(0))
        return Price(total.quantize(Decimal("0.01"), rounding=ROUND_CEILING), priced[0][1].currency)

    def searches_within(self, budget: Price, search: Source, *, lists: int) -> int:
        """How many searches an amount pays for, after so many pages of best sellers, which come from Oxylabs.

        Raises PipelineError where that cannot be said, or where it pays for none.
        """
        price = self.of_source.get(search)
        if price is None or price.amount == 0:
            raise PipelineError(
                f"A budget of {budget} says nothing, because a call of {search} has no price. Set "
                f"COLLECTION_{search.upper()}_PRICE, such as 0.0028 USD, or give the budget in calls."
            )
        if price.currency != budget.currency:
            raise PipelineError(f"The budget is in {budget.currency}, and a call of {search} costs {price.currency}.")
        listed = self.of_source.get("oxylabs")
        if listed is None and lists:
            raise PipelineError(
                f"A budget of {budget} is for the pages of best sellers too, and they have no price. Set "
                "COLLECTION_OXYLABS_PRICE, such as 0.0028 USD, or give the budget in calls."
            )
        left = budget.amount - (lists * listed.amount if listed is not None else 0)
        searches = min(LARGEST_COST, int(left / price.amount)) if left > 0 else 0
        if searches < 1:
            raise PipelineError(
                f"A budget of {budget} pays for no search: {lists:,} pages of best sellers and one search cost more. "
                "Give more, or collect fewer categories."
            )
        return searches


FREE = Prices({})
