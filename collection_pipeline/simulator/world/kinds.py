"""Kinds of listings: which rule of the search each keeps or breaks, and what of that the index and the summary show."""

# ruff: noqa: ARG005 - every change is given the band, though only some need it

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from random import Random

CENT = Decimal("0.01")
DEFAULT_LOW, DEFAULT_HIGH = Decimal("1.8"), Decimal("2.2")
NEW, OPENED, USED = "1000", "1500", "3000"
USD_PER = {"USD": Decimal(1), "CAD": Decimal("0.73"), "GBP": Decimal("1.27"), "EUR": Decimal("1.08")}


@dataclass(frozen=True, slots=True)
class Band:
    """Prices from low to high, both included: the edges of a product's band, rounded inwards to the cent."""

    low: Decimal
    high: Decimal

    @classmethod
    def around(cls, price: Decimal, low: Decimal = DEFAULT_LOW, high: Decimal = DEFAULT_HIGH) -> Band:
        """The band of so many times a price."""
        return cls((price * low).quantize(CENT, ROUND_CEILING), (price * high).quantize(CENT, ROUND_FLOOR))


@dataclass(frozen=True, slots=True)
class Shipping:
    """A shipping option; a CALCULATED one without a place to ship to has no cost."""

    type: str
    cost: Decimal | None


FREE = Shipping("FIXED", Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a listing, by the index or by the summary. None is a field that is not sent."""

    price: Decimal | None
    currency: str = "USD"
    converted_from: str | None = None
    condition: str | None = NEW
    buying_options: tuple[str, ...] = ("FIXED_PRICE",)
    bid: Decimal | None = None
    shipping: Shipping | None = FREE
    country: str = "US"
    delivers_to: frozenset[str] | None = None
    """Countries it is sent to; None is the whole world."""

    def matches(self, band: Band) -> bool:
        """Whether it verifiably is new, at a fixed price in the band, delivered for free, and in the US."""
        return (
            self.price is not None
            and self.currency == "USD"
            and band.low <= self.price <= band.high
            and self.condition == NEW
            and "FIXED_PRICE" in self.buying_options
            and self.shipping == FREE
            and self.country == "US"
        )


Change = Callable[[Facts, Band], Facts]

MATCHES: Mapping[str, Change] = {
    "match": lambda facts, band: facts,
    "match_low_edge": lambda facts, band: replace(facts, price=band.low),
    "match_high_edge": lambda facts, band: replace(facts, price=band.high),
    "match_best_offer": lambda facts, band: replace(facts, buying_options=("FIXED_PRICE", "BEST_OFFER")),
    "match_auction_with_price": lambda facts, band: replace(
        facts, buying_options=("FIXED_PRICE", "AUCTION"), bid=_part(band.low, "0.4")
    ),
    "match_converted": lambda facts, band: replace(facts, converted_from="CAD"),
}
"""Listings that a perfect collection records."""

DECOYS: Mapping[str, Change] = {
    "used": lambda facts, band: replace(facts, condition=USED),
    "opened": lambda facts, band: replace(facts, condition=OPENED),
    "auction": lambda facts, band: replace(
        facts, price=None, buying_options=("AUCTION",), bid=_part(band.low, "1.02") or band.low
    ),
    "too_cheap": lambda facts, band: replace(facts, price=_part(band.low, "0.6")),
    "too_expensive": lambda facts, band: replace(facts, price=_part(band.high, "1.7")),
    "below_low_edge": lambda facts, band: replace(facts, price=band.low - CENT),
    "above_high_edge": lambda facts, band: replace(facts, price=band.high + CENT),
    "paid_shipping": lambda facts, band: replace(facts, shipping=Shipping("FIXED", Decimal("4.99"))),
    "abroad": lambda facts, band: replace(facts, country="CN"),
    "no_us_delivery": lambda facts, band: replace(facts, country="GB", delivers_to=frozenset({"GB"})),
}
"""Listings that a correct filter keeps out; each breaks one rule."""

LEAKS: Mapping[str, Change] = {
    "leak_no_condition": lambda facts, band: replace(facts, condition=None),
    "leak_used": lambda facts, band: replace(facts, condition=USED),
    "leak_no_cost": lambda facts, band: replace(facts, shipping=Shipping("CALCULATED", None)),
    "leak_no_shipping": lambda facts, band: replace(facts, shipping=None),
    "leak_paid_shipping": lambda facts, band: replace(facts, shipping=Shipping("FIXED", Decimal("3.50"))),
    "leak_abroad": lambda facts, band: replace(facts, country="CA"),
    "leak_currency": lambda facts, band: replace(facts, currency="CAD"),
    "leak_too_cheap": lambda facts, band: replace(facts, price=band.low - CENT),
    "leak_too_expensive": lambda facts, band: replace(facts, price=band.high + CENT),
    "leak_auction": lambda facts, band: replace(
        facts, price=None, buying_options=("AUCTION",), bid=_part(band.low, "1.05")
    ),
}
"""Listings that every filter lets through, because only the summary shows what is wrong with them."""


def draw_kinds(rng: Random, count: int, share_matching: float) -> list[str]:
    """A mix in which every kind comes before any comes twice, beginning somewhere else for every product."""
    matching = round(count * share_matching)
    others = [kind for pair in zip(_turned(rng, DECOYS), _turned(rng, LEAKS), strict=True) for kind in pair]
    special = _turned(rng, {name: change for name, change in MATCHES.items() if name != "match"})
    kinds = [special[index // 2 % len(special)] if index % 2 else "match" for index in range(matching)]
    kinds += [others[index % len(others)] for index in range(count - matching)]
    rng.shuffle(kinds)
    return kinds


def _turned(rng: Random, changes: Mapping[str, Change]) -> list[str]:
    names = list(changes)
    start = rng.randrange(len(names))
    return names[start:] + names[:start]


def draw_facts(rng: Random, kind: str, band: Band) -> tuple[Facts, Facts]:
    """What the index knows of a listing of this kind, and what its summary shows."""
    cents = rng.randint(int(band.low * 100), int(band.high * 100))
    perfect = Facts(price=Decimal(cents) / 100)
    if kind in LEAKS:
        return perfect, LEAKS[kind](perfect, band)
    indexed = (MATCHES.get(kind) or DECOYS[kind])(perfect, band)
    return indexed, indexed


def _part(price: Decimal, factor: str) -> Decimal:
    return max(CENT, (price * Decimal(factor)).quantize(CENT, ROUND_HALF_UP))
