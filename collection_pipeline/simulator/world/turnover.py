"""How the listings of a product come and go: each of its places holds one listing after the other.

Some products change their listings every few weeks, others hardly in a year; so do some nodes beside others. Everything
follows from the seed and the day, and nothing from the days that were asked for before.
"""

from __future__ import annotations

from math import exp, log

from collection_pipeline.simulator.world.draws import number, unit
from collection_pipeline.simulator.world.products import Product

_SHORTEST_MEAN_DAYS, _LONGEST_MEAN_DAYS = 15, 700
_NODES_DIFFER = 2.5
"""By which factor, up and down, the listings of one node stay longer than those of the average one."""
_NEWCOMER_FILLS_WITHIN_DAYS = 60
"""A new product's listings appear one after the other within so many days."""


def mean_life(seed: int, product: Product) -> float:
    """How many days a listing of this product stays, on average."""
    place = unit(seed, "churn", product.id.kind, product.id.number)
    of_node = unit(seed, "node churn", product.id.node) if product.id.kind == "own" else 0.5
    spread = log(_LONGEST_MEAN_DAYS / _SHORTEST_MEAN_DAYS)
    return _SHORTEST_MEAN_DAYS * exp(place * spread + (2 * of_node - 1) * log(_NODES_DIFFER))


def life(seed: int, mean: float, *key: object) -> float:
    """How many days one listing stays, at least one."""
    return max(1.0, -mean * log(1 - unit(seed, "life", *key)))


def first_day(seed: int, product: Product, place: int) -> int:
    """The day on which the first listing of a place begins: 0, or some time after a new product came."""
    if product.since == 0:
        return 0
    return product.since + int(_NEWCOMER_FILLS_WITHIN_DAYS * unit(seed, "fills", product.asin, place))


def repriced_on(seed: int, listing_id: str, began: int, day: int) -> int:
    """The last day, up to this one, on which a seller chose the price of a listing: every 30 to 90 days."""
    period = 30 + number(seed, "repricing", listing_id) % 60
    return day - (day - began) % period
