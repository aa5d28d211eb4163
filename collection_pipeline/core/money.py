"""Money: exact amounts with their currency, and the price band a listing has to be in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation

from collection_pipeline.core.errors import PipelineError

CENT = Decimal("0.01")
LARGEST = Decimal("99999999.99")
"""Nothing on either marketplace costs more; a larger figure is a parsing accident."""

LARGEST_MARKUP = Decimal(10_000)

# "$1,299.00", "19.5", "$10.00 to $20.00" (the first, lowest amount counts), "US $5.00"
_AMOUNT = re.compile(r"^(?:US\s*)?\$?\s*(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?=$|\s|[-–])")


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in whole cents and its ISO 4217 currency."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:.2f} {self.currency}"


@dataclass(frozen=True, slots=True)
class PriceBand:
    """The prices, edges included, between which a listing of a product counts. Same currency at both ends."""

    low: Decimal
    high: Decimal
    currency: str

    @property
    def is_empty(self) -> bool:
        """Whether no price in whole cents lies inside, as for a product of a few cents."""
        return self.low > self.high

    def __contains__(self, price: Money) -> bool:
        return price.currency == self.currency and self.low <= price.amount <= self.high

    def __str__(self) -> str:
        return f"{self.low:.2f}–{self.high:.2f} {self.currency}"


@dataclass(frozen=True, slots=True)
class BandRule:
    """How a product's Amazon price becomes the band searched on eBay, as markups in percent.

    The default, 80 to 120 % markup, is 1.8 to 2.2 times the price. Raises PipelineError for a band that is upside down.
    """

    min_markup_percent: Decimal = Decimal(80)
    max_markup_percent: Decimal = Decimal(120)

    def __post_init__(self) -> None:
        if not self.min_markup_percent.is_finite() or not self.max_markup_percent.is_finite():
            raise PipelineError("A markup must be a number of percent, such as 80.")
        if self.min_markup_percent <= -100:
            raise PipelineError(
                f"A markup of {self.min_markup_percent} % leaves no price; give more than -100 (80 means 1.8 times)."
            )
        if max(self.min_markup_percent, self.max_markup_percent) > LARGEST_MARKUP or any(
            markup != markup.quantize(CENT) for markup in (self.min_markup_percent, self.max_markup_percent)
        ):
            raise PipelineError(
                f"A markup is a number of percent up to {LARGEST_MARKUP} with at most two decimals, such as 33.33."
            )
        if self.min_markup_percent > self.max_markup_percent:
            raise PipelineError(
                f"The price band is upside down: its lower end ({self.min_markup_percent} % markup) is above its upper "
                f"end ({self.max_markup_percent} %). Swap the two."
            )

    def __str__(self) -> str:
        return f"{self.min_markup_percent.normalize():f} to {self.max_markup_percent.normalize():f} % markup"

    def band(self, price: Money) -> PriceBand:
        """The band for a product of this price.

        The edges are rounded inwards to whole cents, so that every price inside also obeys the unrounded rule.
        """
        low = price.amount * (100 + self.min_markup_percent) / 100
        high = price.amount * (100 + self.max_markup_percent) / 100
        return PriceBand(
            low=low.quantize(CENT, ROUND_CEILING), high=high.quantize(CENT, ROUND_FLOOR), currency=price.currency
        )


def parse_amount(value: object) -> Decimal | None:
    """A vendor's figure as an exact amount, or None where it shows none.

    0, "" and null mean "not seen" (docs/sources.md 2.2), never "free". Whole numbers are whole dollars, never cents.
    Of a range ("$10.00 to $20.00") the lower end counts: the price from which the item is sold.
    """
    amount = _decimal(value)
    if amount is None or not amount.is_finite():
        return None
    if not 0 < amount <= LARGEST:
        return None
    return amount.quantize(CENT, ROUND_HALF_UP) or None


def _decimal(value: object) -> Decimal | None:
    match value:
        case bool():
            return None
        case int() | Decimal():
            return Decimal(value)
        case float():
            return Decimal(str(value))  # the shortest decimal that is this float, not its binary expansion
        case str():
            found = _AMOUNT.match(value.strip())
            try:
                return Decimal(found[1].replace(",", "") + (found[2] or "")) if found else None
            except InvalidOperation:
                return None
        case _:
            return None
