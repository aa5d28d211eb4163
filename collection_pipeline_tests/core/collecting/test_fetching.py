"""A category's best sellers: all pages or none, each bought once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from collection_pipeline.core.collecting.fetching import fetch_best_sellers
from collection_pipeline.core.collecting.products import BestSellerPage
from collection_pipeline.core.collecting.requester import Requester
from collection_pipeline.core.collecting.retrying import RetryPolicy
from collection_pipeline.core.errors import Malformed, SourceError, Transient, UnknownNode
from collection_pipeline_tests.core.collecting.scripted import Events, ScriptedBestSellers, Time, best_sellers

FIRST, SECOND, THIRD = (best_sellers(number, 10 * number, 10 * number + 1, pages=3) for number in (1, 2, 3))


class Fetch:
    """One fetch of a node, with what it asked for and what it kept."""

    def __init__(self, *pages: Sequence[BestSellerPage | SourceError], kept: Sequence[BestSellerPage] = ()) -> None:
        self.source = ScriptedBestSellers(dict(enumerate(pages, start=1)))
        self.time = Time()
        self.requester = Requester(Events(self.time).activity, RetryPolicy(jitter=0), self.time.sleep, worker_id=1)
        self.known = kept
        self.kept: list[int] = []

    def run(self) -> list[BestSellerPage]:
        return asyncio.run(
            fetch_best_sellers(
                self.source, "1001", self.requester, kept=self.known, keep=lambda page: self.kept.append(page.page)
            )
        )

    @property
    def asked(self) -> list[int]:
        return [page for _, page in self.source.asked]


def test_the_first_page_says_how_many_there_are_and_each_is_kept_as_it_comes() -> None:
    fetch = Fetch([FIRST], [SECOND], [THIRD])
    assert fetch.run() == [FIRST, SECOND, THIRD]
    assert fetch.asked == fetch.kept == [1, 2, 3]
    assert {node for node, _ in fetch.source.asked} == {"1001"}


def test_a_list_of_one_page_takes_one_call() -> None:
    fetch = Fetch([best_sellers(1, 1, 2, pages=1)])
    assert len(fetch.run()) == 1
    assert fetch.requester.calls == 1


def test_pages_that_an_interrupted_run_kept_are_not_bought_again() -> None:
    fetch = Fetch([FIRST], [SECOND], [THIRD], kept=[SECOND, FIRST])
    assert fetch.run() == [FIRST, SECOND, THIRD]
    assert fetch.asked == fetch.kept == [3]


def test_half_a_list_is_an_error_and_what_came_is_kept() -> None:
    fetch = Fetch([FIRST], [Malformed("no products")])
    with pytest.raises(Malformed):
        fetch.run()
    assert fetch.kept == [1]


def test_the_first_page_labelled_as_the_second_is_refused_and_not_kept() -> None:
    again = best_sellers(2, 10, 11, pages=3)
    fetch = Fetch([FIRST], [again], [THIRD])
    with pytest.raises(Malformed, match="Page 2"):
        fetch.run()
    assert (fetch.asked, fetch.kept) == ([1, 2], [1])


def test_an_unknown_node_costs_one_call() -> None:
    fetch = Fetch([UnknownNode("no such node")])
    with pytest.raises(UnknownNode):
        fetch.run()
    assert fetch.requester.calls == 1
    assert fetch.time.slept == []


def test_a_page_that_failed_six_times_is_asked_for_in_a_second_pass() -> None:
    fetch = Fetch([Transient("reset")] * 7 + [FIRST], [SECOND], [THIRD])
    assert fetch.run() == [FIRST, SECOND, THIRD]
    assert fetch.asked == [1] * 8 + [2, 3]


def test_there_is_no_third_pass() -> None:
    fetch = Fetch([Transient("reset")])
    with pytest.raises(Transient):
        fetch.run()
    assert fetch.asked == [1] * 12
