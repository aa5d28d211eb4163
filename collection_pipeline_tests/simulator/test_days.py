"""The simulated marketplace lives: what changes from day to day, and that a day is always the same day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from collection_pipeline.core.matching import DEFAULT_THRESHOLD, Matcher, Offer
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.state import Simulator
from collection_pipeline.simulator.truth import Collection, truth
from collection_pipeline.simulator.world.listings import Listing
from collection_pipeline_tests.simulator.asking import NODE, Asking

CONFIG = SimulatorConfig(products_per_page=20, pages=2, listings_per_product=20, sellers=300)


def _on(day: int, **changes: Any) -> Simulator:
    return Simulator(replace(CONFIG, day=day, **changes))


def _truth(simulator: Simulator) -> dict[str, Any]:
    return truth(simulator, [NODE, "1"], Collection())


def _listings(simulator: Simulator) -> dict[str, Listing]:
    rows = [row for page in simulator.products.pages(NODE) for row in page]
    return {listing.id: listing for row in rows for listing in simulator.listings.of(row.product)}


def test_a_day_is_the_same_day_whatever_was_asked_before(ask: Asking) -> None:
    first = ask.simulator.truth(NODE)
    ask.simulator.configure(day=200)
    later = ask.simulator.truth(NODE)
    ask.simulator.configure(day=30)
    ask.simulator.configure(day=200)
    assert ask.simulator.truth(NODE) == later != first
    ask.simulator.configure(day=0)
    assert ask.simulator.truth(NODE) == first
    assert (first["day"], later["day"]) == (0, 200)


def test_best_sellers_move_and_new_products_enter() -> None:
    before, after = ([row.product for page in _on(day).products.pages(NODE) for row in page] for day in (0, 60))
    known = {product.asin: place for place, product in enumerate(before)}
    stayed = [product.asin for product in after if product.asin in known]
    assert 0.3 * len(before) < len(stayed) < len(before)
    assert stayed != sorted(stayed, key=lambda asin: known[asin])
    assert len(after) == len(before)


def test_prices_of_products_and_listings_change() -> None:
    before, after = (
        {row.product.asin: row.product.price for page in _on(day).products.pages(NODE) for row in page}
        for day in (0, 60)
    )
    both = before.keys() & after.keys()
    assert sum(before[asin] != after[asin] for asin in both) > 0
    assert all(0.8 < after[asin] / before[asin] < 1.25 for asin in both if before[asin] > 1)
    old, new = _listings(_on(0)), _listings(_on(120))
    assert any(old[id_].indexed.price != new[id_].indexed.price for id_ in old.keys() & new.keys())


def test_sellers_and_listings_come_and_go_little_by_little() -> None:
    days = {day: _truth(_on(day)) for day in (0, 1, 90, 365)}
    listings = {day: {id_ for product in days[day]["products"].values() for id_ in product["listings"]} for day in days}
    assert 0.9 < len(listings[0] & listings[1]) / len(listings[0]) < 1
    assert len(listings[0] & listings[365]) < 0.5 * len(listings[0])
    sellers = {day: set(days[day]["sellers"]) for day in days}
    assert sellers[90] - sellers[0]
    assert sellers[0] - sellers[365]


def test_no_listing_is_older_than_its_product_or_outlives_its_seller() -> None:
    simulator = _on(400)
    for listing in _listings(simulator).values():
        began = max(0, -listing.age_days)
        assert listing.product.since <= began <= 400
        assert listing.seller.leaves_on > 400 or began == 400


def test_a_newcomer_is_found_by_its_title_from_its_first_day_on() -> None:
    newcomers = [
        row.product
        for page in _on(100).products.pages(NODE)
        for row in page
        if row.product.id.kind == "own" and row.product.since
    ]
    assert newcomers
    for product in newcomers:
        assert _on(product.since).products.by_word(product.model) is not None
        assert _on(product.since - 1).products.by_word(product.model) is None


def test_the_truth_says_which_listings_offer_the_product_itself() -> None:
    found = _truth(_on(200))
    same = {id_ for product in found["products"].values() for id_ in product["same_product_listings"]}
    everything = {id_ for product in found["products"].values() for id_ in product["listings"]}
    assert same < everything
    assert set(found["same_product_sellers"]) < set(found["sellers"])
    plain = _truth(_on(200, share_lookalikes=0.0))
    assert plain["same_product_sellers"] == plain["sellers"]


def test_lookalikes_are_hard_and_still_told_apart_by_a_good_match() -> None:
    simulator = _on(200)
    judged = [
        (listing.offers == "same", Matcher(Offer(row.product.amazon_title, None)).score(Offer(listing.title, None)))
        for page in simulator.products.pages(NODE)
        for row in page
        for listing in simulator.listings.of(row.product)
    ]
    base = sum(is_same for is_same, _ in judged) / len(judged)
    taken = [is_same for is_same, match in judged if match.probability >= DEFAULT_THRESHOLD]
    assert base < 0.9
    assert base < sum(taken) / len(taken)


@pytest.mark.parametrize(
    "config",
    [SimulatorConfig(products_per_page=1, pages=1, sellers=1), SimulatorConfig(products_per_page=3, overlap=1)],
)
def test_small_and_shared_worlds_live_too(config: SimulatorConfig) -> None:
    assert _truth(Simulator(replace(config, day=3650)))["sellers"]
