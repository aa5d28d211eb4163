"""eBay's `filter` parameter, read for real: which listings pass, and what is wrong with it (docs/sources.md 1.2).

A filter that is wrong does not fail: eBay answers 200 with a warning and results to which no filter was applied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from collection_pipeline.simulator.ebay.errors import Problem, Refused
from collection_pipeline.simulator.world.kinds import NEW, USD_PER, Facts
from collection_pipeline.simulator.world.listings import Listing
from collection_pipeline.simulator.world.names import seller_key
from collection_pipeline.simulator.world.sellers import Sellers

ACCOUNT_TYPE_MARKETPLACES = tuple(
    f"EBAY_{country}" for country in ("AT", "BE", "CH", "DE", "ES", "FR", "GB", "IE", "IT", "PL")
)
"""Marketplaces whose items say whether their seller is a business."""

Test = Callable[[Listing], bool]

_BUYING_OPTIONS = {"FIXED_PRICE", "AUCTION", "BEST_OFFER", "CLASSIFIED_AD"}
_CONDITIONS = {"NEW", "USED", "UNSPECIFIED"}
_REGIONS = {"WORLDWIDE", "NORTH_AMERICA", "ASIA", "AFRICA", "EUROPE", "EUROPEAN_UNION", "CONTINENTAL_EUROPE"}
_PICKUP = ("pickupCountry", "pickupPostalCode", "pickupRadius", "pickupRadiusUnit")
_POSTAL_CODES = {"US": r"\d{5}(-\d{4})?", "DE": r"\d{5}", "GB": r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"}
_COUNTRY = re.compile(r"[A-Z]{2}")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_SET = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"\[([^\[\]]*?)(?:(\.\.)([^\[\]]*))?\]")
_PAIR = re.compile(r"([A-Za-z]+):(\{[^{}]*\}|\[[^\[\]]*\]|[^{}\[\],]+)")
_USER = re.compile(r"[^\s,|{}]{1,64}")


@dataclass(frozen=True)
class Filter:
    """A parsed filter: the tests a listing has to pass, and the warnings that come with the answer."""

    tests: tuple[Test, ...]
    warnings: tuple[Problem, ...]

    def passes(self, listing: Listing) -> bool:
        """Whether a listing gets through."""
        return all(test(listing) for test in self.tests)


@dataclass(frozen=True)
class Context:
    """What else decides whether a filter is right."""

    marketplace: str
    sellers: Sellers
    q: str = ""


def parse_filter(text: str, context: Context) -> Filter:
    """Reads a filter. With a warning none of it applies, except where eBay ignores just one part. Raises Refused."""
    values, warnings = _pairs(text)
    tests: list[Test] = []
    ignored: list[Problem] = []
    for name, value in values.items():
        reader = _READERS.get(name)
        if reader is None:
            warnings.append(_invalid(name, value))
            continue
        found = reader(Part(name, value, values, context))
        if isinstance(found, Problem):
            # A postal code alone is left out; every other warning means that nothing was filtered.
            (ignored if found.code == 12015 else warnings).append(found)
        elif found is not None:
            tests.append(found)
    if warnings:
        tests = [_is_fixed_price]
    elif "buyingOptions" not in values:
        tests.append(_is_fixed_price)
    return Filter(tuple(tests), _distinct(warnings + ignored))


def _is_fixed_price(listing: Listing) -> bool:
    """eBay's default, filter or not: only listings that have FIXED_PRICE."""
    return "FIXED_PRICE" in listing.indexed.buying_options


def _distinct(problems: list[Problem]) -> tuple[Problem, ...]:
    """Each code and subject once: two halves of one mistake (price without currency) are one warning."""
    return tuple({(each.code, tuple(each.parameters.items())): each for each in problems}.values())


def _pairs(text: str) -> tuple[dict[str, str], list[Problem]]:
    values: dict[str, str] = {}
    warnings: list[Problem] = []
    for part in _split(text):
        pair = _PAIR.fullmatch(part.strip())
        if pair is None:
            name, _, value = part.partition(":")
            warnings.append(_invalid(name.strip() or "filter", value))
        else:
            values[pair[1]] = pair[2].strip()
    return values, warnings


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        if character in "{[":
            depth += 1
        elif character in "}]":
            depth -= 1
        elif character == "," and depth <= 0:
            parts.append(text[start:index])
            start = index + 1
    return [part for part in [*parts, text[start:]] if part.strip()]


def _invalid(name: str, value: str) -> Problem:
    return Problem(12002, {"filterName": name, "filterValue": value} if value else {"filterName": name})


Result = Test | Problem | None


@dataclass(frozen=True)
class Part:
    """One filter among all that were sent together."""

    name: str
    value: str
    values: Mapping[str, str]
    context: Context


Reader = Callable[[Part], Result]


def _set(value: str) -> frozenset[str] | None:
    found = _SET.fullmatch(value)
    members = frozenset(member.strip() for member in found[1].split("|")) if found else frozenset()
    return members if members and all(members) else None


def _range(value: str) -> tuple[str | None, str | None] | None:
    """`[a..b]`, `[a]` and `[a..]` (at least), `[..b]`."""
    found = _RANGE.fullmatch(value)
    if found is None or not (found[1] or found[3]):
        return None
    return found[1] or None, found[3] or None


def _condition_ids(part: Part) -> Result:
    members = _set(part.value)
    if members is None or not all(member.isdigit() for member in members):
        return _invalid(part.name, part.value)
    return lambda listing: listing.indexed.condition in members


def _conditions(part: Part) -> Result:
    members = _set(part.value)
    if members is None or not members <= _CONDITIONS:
        return _invalid(part.name, part.value)

    def test(listing: Listing) -> bool:
        condition = listing.indexed.condition
        return ("UNSPECIFIED" if condition is None else "NEW" if condition == NEW else "USED") in members

    return test


def _buying_options(part: Part) -> Result:
    members = _set(part.value)
    if members is None or not members <= _BUYING_OPTIONS:
        return _invalid(part.name, part.value)
    return lambda listing: not members.isdisjoint(listing.indexed.buying_options)


def _price(part: Part) -> Result:
    currency, prices = part.values.get("priceCurrency"), part.values.get("price")
    edges = _range(prices) if prices is not None else None
    if currency not in USD_PER or edges is None or not all(e is None or _NUMBER.fullmatch(e) for e in edges):
        return Problem(12012)
    low = None if edges[0] is None else Decimal(edges[0]) * USD_PER[currency]
    high = None if edges[1] is None else Decimal(edges[1]) * USD_PER[currency]

    def test(listing: Listing) -> bool:
        price = _price_of(listing.indexed)
        return price is not None and (low is None or low <= price) and (high is None or price <= high)

    return test if part.name == "price" else None


def _price_of(facts: Facts) -> Decimal | None:
    """An auction without a fixed price is found by its current bid."""
    return facts.price if facts.price is not None else facts.bid


def _max_delivery_cost(part: Part) -> Result:
    if not _NUMBER.fullmatch(part.value):
        return _invalid(part.name, part.value)
    if Decimal(part.value) != 0:
        return None  # only 0 means something
    return lambda listing: listing.indexed.shipping is not None and listing.indexed.shipping.cost == 0


def _delivery_country(part: Part) -> Result:
    if not _COUNTRY.fullmatch(part.value):
        return _invalid(part.name, part.value)
    return lambda listing: listing.indexed.delivers_to is None or part.value in listing.indexed.delivers_to


def _delivery_postal_code(part: Part) -> Result:
    country = part.values.get("deliveryCountry")
    if country is None:
        return Problem(12011)
    return None if re.fullmatch(_POSTAL_CODES.get(country, r"[\w -]{3,10}"), part.value) else Problem(12015)


def _location_country(part: Part) -> Result:
    if "itemLocationRegion" in part.values:
        raise Refused(12517)
    if _set(part.value) is not None:
        return None  # a set is ignored, without even a warning
    if not _COUNTRY.fullmatch(part.value):
        return _invalid(part.name, part.value)
    return lambda listing: listing.indexed.country == part.value


def _location_region(part: Part) -> Result:
    members = _set(part.value)
    if members is None or not members <= _REGIONS:
        raise Refused(12518, marketplaceId=part.context.marketplace, validRegionValues=", ".join(sorted(_REGIONS)))
    if "WORLDWIDE" in members or "NORTH_AMERICA" in members:
        return None
    return lambda listing: listing.indexed.country not in {"US", "CA"}


def _sellers(part: Part) -> Result:
    members = _set(part.value)
    if members is None:
        return _invalid(part.name, part.value)
    if len(members) > 250:
        raise Refused(12032)
    if not all(_USER.fullmatch(member) for member in members):
        return Problem(12003)
    keys = {seller_key(member) for member in members}
    if part.name == "excludeSellers":
        return lambda listing: listing.seller.key not in keys and listing.seller.user_id not in keys
    if not all(part.context.sellers.is_known(member) for member in members):
        return Problem(12003)
    return lambda listing: listing.seller.key in keys or listing.seller.user_id in keys


def _account_types(part: Part) -> Result:
    if part.context.marketplace not in ACCOUNT_TYPE_MARKETPLACES:
        marketplaces = ", ".join(ACCOUNT_TYPE_MARKETPLACES)
        return Problem(12014, {"marketplaceId": part.context.marketplace, "validMarketplaces": marketplaces})
    members = _set(part.value)
    if members is None or not members <= {"BUSINESS", "INDIVIDUAL"}:
        return _invalid(part.name, part.value)
    return lambda listing: listing.seller.account_type in members


def _in_description(part: Part) -> Result:
    if part.value == "true" and len(part.context.q) < 2:
        raise Refused(12516)
    return _truth(part)


def _guaranteed(part: Part) -> Result:
    if "deliveryCountry" not in part.values:
        raise Refused(12507)
    if "deliveryPostalCode" not in part.values:
        raise Refused(12508)
    return None if part.value.isdigit() else _invalid(part.name, part.value)


def _pickup(part: Part) -> Result:
    is_whole = all(each in part.values for each in _PICKUP)
    return None if is_whole and part.values["pickupRadiusUnit"] in {"mi", "km"} else Problem(12010)


def _truth(part: Part) -> Result:
    return None if part.value in {"true", "false"} else _invalid(part.name, part.value)


def _some_set(part: Part) -> Result:
    return _invalid(part.name, part.value) if _set(part.value) is None else None


def _dates(part: Part) -> Result:
    edges = _range(part.value)
    return None if edges and all(edge is None or _is_date(edge) for edge in edges) else _invalid(part.name, part.value)


def _bids(part: Part) -> Result:
    edges = _range(part.value)
    return None if edges and all(edge is None or edge.isdigit() for edge in edges) else _invalid(part.name, part.value)


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return "T" in text and text.endswith("Z")


_READERS: Mapping[str, Reader] = {
    "conditionIds": _condition_ids,
    "conditions": _conditions,
    "buyingOptions": _buying_options,
    "price": _price,
    "priceCurrency": _price,
    "maxDeliveryCost": _max_delivery_cost,
    "deliveryCountry": _delivery_country,
    "deliveryPostalCode": _delivery_postal_code,
    "itemLocationCountry": _location_country,
    "itemLocationRegion": _location_region,
    "sellers": _sellers,
    "excludeSellers": _sellers,
    "sellerAccountTypes": _account_types,
    "returnsAccepted": _truth,
    "charityOnly": _truth,
    "priorityListing": _truth,
    "searchInDescription": _in_description,
    "itemStartDate": _dates,
    "itemEndDate": _dates,
    "lastSoldDate": _dates,
    "bidCount": _bids,
    "excludeCategoryIds": _some_set,
    "qualifiedPrograms": _some_set,
    "paymentMethods": _some_set,
    "deliveryOptions": _some_set,
    "guaranteedDeliveryInDays": _guaranteed,
    **dict.fromkeys(_PICKUP, _pickup),
}
"""Every filter there is. Those after sellerAccountTypes are checked for their form and let everything through."""
