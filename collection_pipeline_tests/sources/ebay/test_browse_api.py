import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.listings import (
    ListingPage,
    ListingQuery,
    ListingSource,
    SellerFacts,
    broken_rule,
)
from collection_pipeline.core.collecting.usage import Call, next_day
from collection_pipeline.core.errors import Malformed, QuotaExhausted, SourceError
from collection_pipeline.core.money import Money, PriceBand
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import RunningSimulator, running
from collection_pipeline.sources.ebay.browse_api import listing_page, search_parameters
from collection_pipeline.sources.ebay.token import EbayAccount
from collection_pipeline.sources.http import mapping, sequence, text
from collection_pipeline_tests.conftest import WIRE
from collection_pipeline_tests.sources.asking import NOON, Ledger, query_for, search, with_ebay
from collection_pipeline_tests.sources.test_oxylabs import JSON

BAND = PriceBand(Decimal("18.00"), Decimal("22.00"), "USD")
QUERY = ListingQuery("coffee machine", BAND)

ITEM: dict[str, Any] = {
    "itemId": "v1|110555|0",
    "legacyItemId": "110555",
    "title": "Coffee Machine",
    "price": {"value": "20.00", "currency": "USD"},
    "conditionId": "1000",
    "buyingOptions": ["FIXED_PRICE", "BEST_OFFER"],
    "shippingOptions": [{"shippingCostType": "FIXED", "shippingCost": {"value": "0.00", "currency": "USD"}}],
    "itemLocation": {"country": "US", "postalCode": "432**"},
    "seller": {"username": "Deal_Hunter", "feedbackPercentage": "99.4", "feedbackScore": 1200},
}


def read(*items: object, **body: object) -> ListingPage:
    return listing_page(
        {"total": 1, "itemSummaries": list(items), **body}, 1, 200, "eBay", "https://api.example/search"
    )


def test_an_item_that_says_everything_is_evidence() -> None:
    [listing] = read(ITEM).listings
    assert listing.listing_id == "110555"
    assert listing.price == Money(Decimal("20.00"), "USD")
    assert listing.seller == SellerFacts("Deal_Hunter", 1200, Decimal("99.4"))
    assert broken_rule(listing, QUERY) is None


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"price": None}, "no_price"),
        ({"price": {"value": "20.00", "currency": "CAD"}}, "price_band"),
        ({"price": {"value": "0.00", "currency": "USD"}}, "no_price"),
        ({"conditionId": None}, "condition"),
        ({"buyingOptions": ["AUCTION"]}, "buying_option"),
        ({"buyingOptions": None}, "buying_option"),
        ({"shippingOptions": None}, "delivery"),
        ({"shippingOptions": [{"shippingCostType": "CALCULATED"}]}, "delivery"),
        ({"shippingOptions": [{"shippingCost": {"value": "4.99", "currency": "USD"}}]}, "delivery"),
        ({"itemLocation": {"country": "GB"}}, "location"),
        ({"itemLocation": None}, "location"),
        ({"seller": {}}, "no_seller"),
        ({"seller": {"username": ""}}, "no_seller"),
    ],
)
def test_what_the_servers_filters_let_through_is_checked_again(said: dict[str, Any], rule: str) -> None:
    _, listing = read(ITEM, {**ITEM, **said}).listings
    assert broken_rule(listing, QUERY) == rule


@pytest.mark.parametrize(
    ("seller", "score", "percent"),
    [
        ({"feedbackPercentage": "0.0", "feedbackScore": 0}, 0, None),  # new, not bad
        ({"feedbackPercentage": "0.0", "feedbackScore": 3}, 3, Decimal("0.0")),
        ({"feedbackPercentage": "100.0"}, None, Decimal("100.0")),
        ({"feedbackPercentage": "101", "feedbackScore": -1}, None, None),
        ({"feedbackPercentage": "NaN", "feedbackScore": True}, None, None),
    ],
)
def test_feedback_that_is_not_there_is_none(seller: dict[str, Any], score: int | None, percent: Decimal | None) -> None:
    [listing] = read({**ITEM, "seller": {"username": "ann", **seller}}).listings
    assert listing.seller == SellerFacts("ann", score, percent)


def test_a_listing_is_known_without_its_variation() -> None:
    [listing] = read({**ITEM, "itemId": "v1|110555|99", "legacyItemId": None}).listings
    assert listing.listing_id == "110555"


@pytest.mark.parametrize(
    "item", [{}, [], None, "x", {**ITEM, "legacyItemId": None, "itemId": "x"}, {**ITEM, "title": 7}]
)
def test_an_item_that_cannot_be_read_is_counted(item: object) -> None:
    page = read(ITEM, item)
    assert (len(page.listings), page.unreadable) == (1, 1)


def test_texts_that_a_database_cannot_keep_are_made_storable() -> None:
    [listing] = read({**ITEM, "title": "Coffee\x00 \ud800Machine"}).listings
    assert listing.title == "Coffee Machine"


def test_zero_hits_have_no_items_at_all() -> None:
    page = listing_page({"total": 0, "limit": 200, "offset": 0}, 1, 200, "eBay", "https://api.example")
    assert (page.listings, page.has_more) == ((), False)


@pytest.mark.parametrize(
    ("body", "page", "more"),
    [({"next": "https://x"}, 1, True), ({}, 1, False), ({"next": "https://x"}, 50, False), ({"total": 999}, 1, False)],
)
def test_there_is_more_only_if_the_vendor_says_so_and_within_the_window(
    body: dict[str, Any], page: int, more: bool
) -> None:
    assert listing_page({"total": 1, "itemSummaries": [ITEM], **body}, page, 200, "", "").has_more is more
    assert listing_page({"total": 1, **body}, page + 1, 200, "", "").has_more is False


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": "blocked"},
        {"total": 0, "errors": [{"errorId": 1}]},
        {"total": 5000, "itemSummaries": None},
        {"total": 5000},
        {"total": "5"},
        {"total": 2, "itemSummaries": [{}, {"title": "x"}]},
        {"total": 1, "itemSummaries": [{**ITEM, "seller": None}]},
    ],
)
def test_a_reply_without_results_that_does_not_say_zero_is_malformed_and_never_empty(body: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        listing_page(body, 1, 200, "eBay search", "https://api.example")


def test_all_pages_together_are_what_matches(simulator: RunningSimulator) -> None:
    query = query_for(simulator)

    async def every_page(source: ListingSource) -> set[str]:
        found: set[str] = set()
        for number in range(1, 100):
            page = await source.search(query, number)
            found |= {one.listing_id for one in page.listings if broken_rule(one, query) is None}
            if not page.has_more:
                break
        return found

    small = with_ebay(simulator, every_page, page_size=3)
    assert small == with_ebay(simulator, every_page, page_size=200)
    assert small


def test_past_the_window_there_is_nothing_more(simulator: RunningSimulator) -> None:
    page = search(simulator, query_for(simulator), page=51)
    assert (page.listings, page.has_more) == ((), False)


def test_one_token_serves_all_workers_and_all_calls(simulator: RunningSimulator) -> None:
    ledger, query = Ledger(), query_for(simulator)

    async def at_once(source: ListingSource) -> None:
        await asyncio.gather(*(source.search(query, 1) for _ in range(10)))

    with_ebay(simulator, at_once, ledger=ledger)
    assert simulator.stats()["requests"]["ebay.token"] == 1
    assert ledger.calls == {Call("ebay", "token"): 1, Call("ebay", "search"): 10}


def test_a_token_is_renewed_before_it_expires(simulator: RunningSimulator) -> None:
    query, moments = query_for(simulator), [NOON]

    async def twice(source: ListingSource) -> None:
        await source.search(query, 1)
        moments[0] += timedelta(seconds=7200 - 299)
        await source.search(query, 1)

    with_ebay(simulator, twice, clock=lambda: moments[0])
    assert simulator.stats()["requests"]["ebay.token"] == 2


def test_a_refused_token_is_replaced_once_however_many_workers_meet_it(simulator: RunningSimulator) -> None:
    query = query_for(simulator)

    async def revoked_between(source: ListingSource) -> None:
        await source.search(query, 1)
        simulator.reset()  # forgets the token
        await asyncio.gather(*(source.search(query, 1) for _ in range(5)))

    with_ebay(simulator, revoked_between)
    assert simulator.stats()["requests"]["ebay.token"] == 1


@pytest.mark.parametrize(
    ("now", "reset"),
    [
        (datetime(2026, 11, 23, 12, tzinfo=UTC), datetime(2026, 11, 24, 8, tzinfo=UTC)),
        (datetime(2026, 11, 24, 7, 59, tzinfo=UTC), datetime(2026, 11, 24, 8, tzinfo=UTC)),
        (datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 7, 2, 7, tzinfo=UTC)),
        (datetime(2026, 3, 7, 20, tzinfo=UTC), datetime(2026, 3, 8, 8, tzinfo=UTC)),  # the day before clocks change
        (datetime(2026, 3, 8, 20, tzinfo=UTC), datetime(2026, 3, 9, 7, tzinfo=UTC)),
    ],
)
def test_a_quota_comes_back_at_midnight_pacific(now: datetime, reset: datetime) -> None:
    assert next_day("ebay", now) == reset


def test_an_exhausted_quota_says_when_it_comes_back() -> None:
    with (
        running(SimulatorConfig(products_per_page=3, ebay_daily_quota=0)) as simulator,
        pytest.raises(QuotaExhausted, match="2026-11-24 08:00 UTC") as raised,
    ):
        search(simulator, QUERY)
    assert raised.value.resets_at == datetime(2026, 11, 24, 8, tzinfo=UTC)


def test_what_is_sent_is_what_the_specification_describes() -> None:
    file = WIRE / "buy_browse_v1_oas3.json"
    if not file.exists():
        pytest.skip("the vendors' samples are not here")
    specification = json.loads(file.read_text())
    operation = specification["paths"]["/item_summary/search"]["get"]
    described = {one["name"]: one for one in operation["parameters"]}
    sent = search_parameters(QUERY, 2, 200)
    assert set(sent) <= set(described)
    for name, value in sent.items():
        jsonschema.validate(value, {**described[name]["schema"]})
    assert sent["offset"] == "200"
    assert httpx.QueryParams(sent)["filter"] == (
        "conditionIds:{1000},buyingOptions:{FIXED_PRICE},price:[18.00..22.00],priceCurrency:USD,maxDeliveryCost:0,"
        "deliveryCountry:US,itemLocationCountry:US"
    )


SELLERS = JSON | st.fixed_dictionaries(
    {"username": JSON}, optional=dict.fromkeys(("feedbackScore", "feedbackPercentage"), JSON)
)
FIELDS = dict.fromkeys(ITEM, JSON) | {"seller": SELLERS}
ITEMS = (
    JSON
    | st.fixed_dictionaries({}, optional=FIELDS)
    | st.builds(lambda changes: {**ITEM, **changes}, st.fixed_dictionaries({}, optional=FIELDS))
)


@given(
    st.dictionaries(st.sampled_from(["itemSummaries", "next", "total"]), JSON)
    | st.builds(lambda items: {"itemSummaries": items}, st.lists(ITEMS, max_size=3))
)
def test_any_json_is_valid_listings_or_a_classified_error(body: dict[str, Any]) -> None:
    try:
        page = listing_page({"total": 1, **body}, 1, 200, "eBay", "https://api.example")
    except SourceError:
        return
    for listing in page.listings:
        assert listing.listing_id.isdigit()
        assert listing.listing_id in str(body)
        if listing.seller is not None:
            assert listing.seller.name in {text(name) for name in usernames(body)}


def usernames(body: dict[str, Any]) -> list[object]:
    return [mapping(mapping(item).get("seller")).get("username") for item in sequence(body.get("itemSummaries"))]


def test_secrets_are_not_shown() -> None:
    assert "hunter3" not in repr(EbayAccount("https://x.example", "id", "hunter3"))
