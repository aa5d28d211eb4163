"""One product's search, page by page."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.product_search import PageResult, SearchRules, search_product
from collection_pipeline.core.collecting.requester import Requester
from collection_pipeline.core.collecting.retrying import RetryPolicy
from collection_pipeline.core.collecting.searches import PlannedSearch, SearchStatus
from collection_pipeline.core.errors import Malformed, RateLimited
from collection_pipeline.core.money import BandRule, Money, PriceBand
from collection_pipeline_tests.core.collecting.scripted import (
    Events,
    ScriptedListings,
    Step,
    Time,
    listing,
    page,
    planned,
)

FULL = page(listing(1), more=True)


def searched(source: ScriptedListings, search: PlannedSearch, rules: SearchRules) -> list[PageResult]:
    requester = Requester(
        Events(source.time).activity, RetryPolicy(jitter=0), source.time.sleep, worker_id=1, product_name=search.title
    )

    async def pages() -> list[PageResult]:
        return [result async for result in search_product(source, search, rules, requester)]

    return asyncio.run(pages())


def scripted(*steps: Step) -> ScriptedListings:
    return ScriptedListings({"lamp": steps}, Time())


def test_pages_are_read_until_the_marketplace_has_no_more() -> None:
    source = scripted(FULL, page(listing(2)))
    results = searched(source, planned("lamp"), SearchRules(pages=5))
    assert source.asked == [("lamp", 1), ("lamp", 2)]
    assert [one.page.status for one in results] == [SearchStatus.PLANNED, SearchStatus.DONE]
    assert [one.page.saw_everything for one in results] == [False, True]


def test_pages_are_read_up_to_the_limit_which_does_not_mean_that_everything_was_seen() -> None:
    source = scripted(FULL)
    results = searched(source, planned("lamp"), SearchRules(pages=3))
    assert source.asked == [("lamp", 1), ("lamp", 2), ("lamp", 3)]
    assert (results[-1].page.status, results[-1].page.saw_everything) == (SearchStatus.DONE, False)


def test_a_pause_is_made_between_two_pages_and_nowhere_else() -> None:
    source = scripted(FULL)
    searched(source, planned("lamp"), SearchRules(pages=4, pause_between_pages_s=0.7))
    assert source.time.slept == [0.7, 0.7, 0.7]


def test_a_search_that_goes_on_makes_no_pause_before_its_first_page() -> None:
    source = scripted(FULL)
    searched(source, planned("lamp", pages_done=2), SearchRules(pages=4))
    assert source.asked == [("lamp", 3), ("lamp", 4)]
    assert source.time.slept == [0.2]


def test_a_search_with_more_pages_done_than_are_wanted_begins_anew() -> None:
    source = scripted(FULL)
    searched(source, planned("lamp", pages_done=3), SearchRules(pages=2))
    assert source.asked == [("lamp", 1), ("lamp", 2)]


@pytest.mark.parametrize(
    ("search", "reason"),
    [
        (planned("lamp", None), "no_price"),
        (planned("lamp", Money(Decimal(10), "CAD")), "foreign_currency"),
        (planned("***"), "unsearchable_title"),
        (planned("lamp", Money(Decimal("0.01"), "USD")), "empty_band"),
    ],
)
def test_what_cannot_be_searched_is_skipped_for_a_reason_and_costs_no_call(search: PlannedSearch, reason: str) -> None:
    source = scripted(FULL)
    band = BandRule(Decimal(10), Decimal(20))
    [result] = searched(source, search, SearchRules(band))
    assert (result.page.status, result.page.reason, result.page.calls) == (SearchStatus.SKIPPED, reason, 0)
    assert source.asked == []


def test_a_failed_page_is_a_result_that_keeps_the_reason_and_ends_the_search() -> None:
    error = Malformed("no items", stage="price_parsing")
    results = searched(scripted(FULL, error), planned("lamp"), SearchRules())
    assert [one.page.status for one in results] == [SearchStatus.PLANNED, SearchStatus.FAILED]
    failed = results[-1]
    assert failed.error is error
    assert (failed.page.reason, failed.page.error_stage, failed.page.error_message) == (
        "malformed",
        "price_parsing",
        "no items",
    )
    assert (failed.page.pages, failed.page.calls, list(failed.listings)) == (0, 1, [])
    assert failed.page.saw_everything is False


def test_every_attempt_of_a_page_is_a_call_and_its_time_counts() -> None:
    results = searched(scripted(RateLimited(""), RateLimited(""), page()), planned("lamp"), SearchRules())
    assert [(one.page.calls, one.page.pages) for one in results] == [(3, 1)]
    assert results[0].page.duration_ms == 13_000  # three replies of a second, two waits of five


def test_calls_are_counted_page_by_page() -> None:
    results = searched(scripted(FULL, RateLimited(""), FULL, page()), planned("lamp"), SearchRules())
    assert [one.page.calls for one in results] == [1, 2, 1]


def test_only_evidence_is_kept_and_the_rest_is_counted_by_rule() -> None:
    found = [listing(1), listing(1), listing(2, condition="3000"), listing(3, price="500.00"), listing(4, price="1.00")]
    [result] = searched(scripted(page(*found)), planned("lamp"), SearchRules())
    assert [one.listing_id for one in result.listings] == ["1"]
    assert result.page.rejected == {"condition": 1, "price_band": 2}


def test_the_band_of_the_rules_is_searched_and_kept_with_the_page() -> None:
    rules = SearchRules(BandRule(Decimal(90), Decimal(110)))
    [result] = searched(scripted(page(listing(1, price="191.00"), listing(2, price="189.00"))), planned("lamp"), rules)
    assert result.page.band == PriceBand(Decimal("190.00"), Decimal("210.00"), "USD")
    assert [one.listing_id for one in result.listings] == ["1"]


@given(pages=st.integers(1, 8), done=st.integers(0, 10), available=st.integers(1, 10))
def test_each_missing_page_is_asked_for_once_and_the_last_result_ends_the_search(
    pages: int, done: int, available: int
) -> None:
    source = ScriptedListings({"lamp": [page(more=number < available) for number in range(1, available + 1)]})
    results = searched(source, planned("lamp", pages_done=done), SearchRules(pages=pages))
    first = done + 1 if done < pages else 1
    asked = [number for _, number in source.asked]
    assert asked == list(range(first, first + min(pages - first + 1, available)))
    assert [one.page.status is SearchStatus.DONE for one in results] == [False] * (len(asked) - 1) + [True]
