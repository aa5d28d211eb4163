"""The truth is what a naive perfect client, written here without the simulator's code, finds over HTTP."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import running
from collection_pipeline_tests.simulator.asking import Asking, band, cleaned, full_filter


def _perfect(ask: Asking, nodes: tuple[str, ...], low: str, high: str, max_pages: int, limit: int) -> dict[str, Any]:
    prices: dict[str, tuple[str, Decimal | None]] = {}
    for node in nodes:
        for row in ask.rows(node):
            price = Decimal(str(row["price"])) if row["price"] not in (0, "", None) else None
            prices.setdefault(row["asin"], (row["title"], price))
    found: dict[str, dict[str, str]] = {}
    for asin, (title, price) in prices.items():
        listings: dict[str, str] = {}
        if price is not None:
            edges = band(price, low, high)
            pages = ask.pages(cleaned(title), limit=limit, max_pages=max_pages, filter=full_filter(*edges))
            listings = dict(_evidence(pages, *edges))
        found[asin] = listings
    return found


def _evidence(pages: Iterator[dict[str, Any]], low: Decimal, high: Decimal) -> Iterator[tuple[str, str]]:
    for page in pages:
        assert "warnings" not in page
        for item in page.get("itemSummaries", []):
            price = item.get("price", {})
            shipping = item.get("shippingOptions", [{}])[0].get("shippingCost", {})
            if (
                price.get("currency") == "USD"
                and low <= Decimal(price["value"]) <= high
                and item.get("conditionId") == "1000"
                and "FIXED_PRICE" in item["buyingOptions"]
                and Decimal(shipping.get("value", "1")) == 0
                and item["itemLocation"]["country"] == "US"
            ):
                yield item["legacyItemId"], item["seller"]["username"]


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


@pytest.mark.parametrize(
    ("low", "high", "max_pages", "limit", "day"),
    [
        ("1.8", "2.2", 3, 200, 0),
        ("1.5", "2.5", 3, 200, 0),
        ("1.8", "2.2", 2, 5, 0),
        ("1.05", "1.10", 1, 200, 0),
        ("1.8", "2.2", 3, 200, 90),
    ],
)
def test_the_truth_equals_a_perfect_client(
    ask: Asking, low: str, high: str, max_pages: int, limit: int, day: int
) -> None:
    ask.simulator.configure(day=day)
    nodes = ("172541", "2407760011", "77")
    truth = ask.simulator.truth(*nodes, low=low, high=high, max_pages=max_pages, limit=limit)
    found = _perfect(ask, nodes, low, high, max_pages, limit)
    assert {asin: set(listings) for asin, listings in found.items()} == {
        asin: set(product["listings"]) for asin, product in truth["products"].items()
    }
    keys = {_key(name) for listings in found.values() for name in listings.values()}
    assert truth["sellers"] == sorted(keys)
    assert truth["seller_count"] == len(keys) > 0
    for asin, product in truth["products"].items():
        names = {name for seller in product["sellers"] for name in seller["names"]}
        assert names == set(found[asin].values())
        assert {seller["key"] for seller in product["sellers"]} == {_key(name) for name in names}


def test_positions_and_prices_are_those_of_the_pages(ask: Asking) -> None:
    [category] = ask.simulator.truth("172541")["categories"]
    rows = ask.rows("172541")
    assert len(category["products"]) == len(rows) - 1, "one ASIN is listed twice"
    positions = [product["position"] for product in category["products"]]
    assert positions == sorted(set(positions))
    assert [product["asin"] for product in category["products"]] == list(dict.fromkeys(row["asin"] for row in rows))


def test_a_product_is_the_same_in_every_category(ask: Asking) -> None:
    seen: dict[str, tuple[object, ...]] = {}
    shared = 0
    for node in map(str, range(10)):
        for row in {row["asin"]: row for row in ask.rows(node)}.values():
            price = Decimal(str(row["price"] or 0))
            shared += row["asin"] in seen
            assert seen.setdefault(row["asin"], (row["title"], price)) == (row["title"], price)
    assert shared


def test_an_unknown_node_holds_nothing(ask: Asking) -> None:
    truth = ask.simulator.truth("99912345")
    assert (truth["categories"][0]["products"], truth["seller_count"]) == ([], 0)


def test_a_tiny_marketplace_works() -> None:
    config = SimulatorConfig(products_per_page=1, pages=1, listings_per_product=1, sellers=1, share_matching=1)
    with running(config) as simulator:
        assert len(Asking(simulator).rows("1")) == 1
        assert simulator.truth("1")["product_count"] == 1
