"""Pages, quotas and rates of eBay's search: docs/sources.md 1.4 and 1.5."""

from __future__ import annotations

from itertools import pairwise

import pytest

from collection_pipeline.simulator.ebay.results import page_of, reachable, served
from collection_pipeline_tests.simulator.asking import Asking

WIDE = "kettle"


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50, 200])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 49, 50, 51, 99, 100, 101, 399])
def test_pages_leave_nothing_out_and_agree_on_where_they_end(count: int, limit: int) -> None:
    found = list(range(count))
    offsets = range(0, served(found, limit, repeats=True), limit)
    pages = [page_of(found, offset, limit, repeats=True) for offset in offsets]
    assert {each for page in pages for each in page} == set(found)
    assert all(len(page) == limit for page in pages[:-1])
    assert not page_of(found, len(pages) * limit, limit, repeats=True)
    for max_pages in (1, 2, 3):
        assert set(reachable(found, limit, max_pages)) == {each for page in pages[:max_pages] for each in page}


def test_following_next_reaches_every_match_and_meets_some_twice(ask: Asking) -> None:
    pages = list(ask.pages(WIDE, limit=20))
    ids = [item["legacyItemId"] for page in pages for item in page["itemSummaries"]]
    assert len(pages) > 3
    assert set(ids) == {item["legacyItemId"] for page in ask.pages(WIDE, limit=200) for item in page["itemSummaries"]}
    assert len(set(ids)) < len(ids)
    assert len({page["total"] for page in pages}) > 1, "total is an estimate that drifts"
    assert "prev" in pages[1]
    assert "prev" not in pages[0]


def test_nothing_found_leaves_the_key_out(ask: Asking) -> None:
    body = ask.search("zqxjklmnpvwrt nonexistent listing", limit=10).json()
    assert body.keys() == {"href", "total", "limit", "offset"}
    assert body["total"] == 0


def test_the_variation_of_a_listing_rotates(ask: Asking) -> None:
    seen: dict[str, set[str]] = {}
    for limit in (3, 4, 5):
        for page in ask.pages(WIDE, limit=limit):
            for item in page["itemSummaries"]:
                seen.setdefault(item["legacyItemId"], set()).add(item["itemId"])
    assert any(len(ids) > 1 for ids in seen.values())


def test_sorted_by_price_with_shipping(ask: Asking) -> None:
    items = [item for page in ask.pages(WIDE, limit=50, sort="price") for item in page["itemSummaries"]]
    assert len({item["legacyItemId"] for item in items}) == len(items)
    totals = [
        float(item["price"]["value"])
        + float(item.get("shippingOptions", [{}])[0].get("shippingCost", {}).get("value", 0))
        for item in items
        if "price" in item and item["price"]["currency"] == "USD"
    ]
    # The few that the index knows otherwise stand where the index has them.
    assert sum(first <= second for first, second in pairwise(totals)) > 0.8 * len(totals)


def test_beyond_the_window_is_an_error_or_silently_nothing(ask: Asking) -> None:
    assert ask.search(WIDE, limit=200, offset=10_000).json()["errors"][0]["errorId"] == 12029
    ask.simulator.configure(ebay_window="empty")
    body = ask.search(WIDE, limit=200, offset=10_000).json()
    assert body["total"] == 0
    assert not {"next", "itemSummaries"} & body.keys()


def test_the_quota_is_gone_until_midnight_pacific(ask: Asking) -> None:
    ask.simulator.configure(ebay_daily_quota=2)
    answers = [ask.search() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["errors"][0]["errorId"] == 2001
    assert "retry-after" not in answers[-1].headers
    assert ask.simulator.stats()["rejected"] == {"ebay.search": {"429/2001": 1}}
    ask.simulator.configure(clock_offset_s=86_400)
    assert ask.search().status_code == 200


def test_a_try_that_fails_on_their_side_costs_quota_too(ask: Asking) -> None:
    ask.simulator.set_faults("ebay.server_error")
    ask.search()
    ask.simulator.set_faults("ebay.rate_limited")
    ask.search()
    assert ask.simulator.stats()["ebay_quota"]["used"] == 1


def test_rate_limits_lag_behind_and_may_be_empty(ask: Asking) -> None:
    ask.simulator.configure(ebay_daily_quota=5000)
    token = ask.token()
    ask.search(token=token)

    def limits() -> dict[str, int | str]:
        url = f"{ask.simulator.ebay_url}/developer/analytics/v1_beta/rate_limit/"
        params = {"api_context": "buy", "api_name": "browse"}
        body = ask.http.get(url, params=params, headers={"Authorization": f"Bearer {token}"}).json()
        [api] = body["rateLimits"]
        assert (api["apiContext"], api["apiName"]) == ("buy", "Browse")
        rate: dict[str, int | str] = api["resources"][0]["rates"][0]
        return rate

    assert limits()["remaining"] == 5000
    assert str(limits()["reset"])[10:] in {"T08:00:00.000Z", "T07:00:00.000Z"}
    ask.simulator.configure(rate_limits_lag_s=0)
    assert (limits()["remaining"], limits()["count"]) == (4999, 1)
    ask.simulator.configure(rate_limits_empty=True)
    url = f"{ask.simulator.ebay_url}/developer/analytics/v1_beta/rate_limit/"
    assert ask.http.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 204


def test_too_many_a_second_is_refused_at_the_edge(ask: Asking) -> None:
    ask.simulator.configure(ebay_rate_per_s=2)
    token = ask.token()
    assert [ask.search("x", token=token).status_code for _ in range(3)] == [200, 200, 429]
