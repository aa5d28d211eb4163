"""Prices on any day: each product keeps a price for some weeks, then takes another one near its first."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from collection_pipeline.simulator.world.draws import number, unit

_CENT = Decimal("0.01")


def price_on(seed: int, key: tuple[object, ...], first_price: Decimal, day: int) -> Decimal:
    """What costs `first_price` on day 0, on another day: 85 to 120 % of it, for 20 to 70 days at a time."""
    period = 20 + number(seed, "price period", *key) % 50
    change = (day + number(seed, "price change", *key) % period) // period
    if change == 0:
        return first_price
    factor = Decimal(str(round(0.85 + 0.35 * unit(seed, "price", *key, change), 4)))
    return max(_CENT, (first_price * factor).quantize(_CENT, ROUND_HALF_UP))
