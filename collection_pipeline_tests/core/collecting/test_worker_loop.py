"""The worker loop: who searches what, what is committed when, and what ends it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from collection_pipeline.core.activity import Action
from collection_pipeline.core.collecting.listings import ListingPage, ListingQuery
from collection_pipeline.core.collecting.product_search import SearchRules
from collection_pipeline.core.collecting.retrying import RetryPolicy
from collection_pipeline.core.collecting.searches import PlannedSearch, SearchedPage, SearchStatus
from collection_pipeline.core.collecting.stopping import StopSwitch
from collection_pipeline.core.collecting.streaks import FAILURES_THAT_PAUSE
from collection_pipeline.core.collecting.worker_loop import WORKERS, CollectingResult, Collector
from collection_pipeline.core.errors import (
    FailuresInARow,
    Malformed,
    QuotaExhausted,
    RateLimited,
    Rejected,
    SourceError,
    Transient,
    Unauthorised,
)
from collection_pipeline_tests.core.collecting.scripted import (
    Committed,
    Events,
    ScriptedListings,
    Step,
    Time,
    listing,
    page,
    planned,
)

RETRY = RetryPolicy(jitter=0)
NO_RETRY = RetryPolicy(attempts=1, rate_limited_attempts=1)
FOUND = page(listing(1))
NOTHING = page()


@dataclass
class Loop:
    """A collector on scripted marketplaces. One worker, where the order of requests is what a test looks at."""

    script: Mapping[str, Sequence[Step]]
    retry: RetryPolicy = RETRY
    rules: SearchRules = field(default_factory=SearchRules)
    workers: int = 1
    budget: int | None = None

    def __post_init__(self) -> None:
        self.time = Time()
        self.source = ScriptedListings({**self.script}, self.time)
        self.committed = Committed()
        self.events = Events(self.time)
        self.stop = StopSwitch()

    def collect(self, searches: Iterable[PlannedSearch] | None = None) -> CollectingResult:
        collector = Collector(
            self.source,
            self.committed,
            self.rules,
            self.retry,
            self.events.activity,
            self.time.sleep,
            self.stop,
            self.workers,
            self.budget,
        )
        return asyncio.run(collector.collect(map(planned, self.script) if searches is None else searches))

    @property
    def asked(self) -> list[tuple[str, int]]:
        return self.source.asked


def all_fail(count: int, error: SourceError) -> dict[str, Sequence[Step]]:
    return {f"product {number}": [error] for number in range(count)}


def test_every_product_ends_with_one_outcome_and_they_add_up() -> None:
    loop = Loop(
        {"found": [FOUND], "empty": [NOTHING], "broken": [Malformed("no JSON object")], "!!!": []},
        workers=WORKERS,
    )
    result = loop.collect()
    # Whether a search was empty is for the store to say, which has all of its pages.
    assert result.outcomes == {SearchStatus.DONE: 2, SearchStatus.FAILED: 1, SearchStatus.SKIPPED: 1}
    assert result.stopped_by is None
    assert {one.asin: one.status for one, _ in loop.committed.pages} == {
        "found": SearchStatus.DONE,
        "empty": SearchStatus.DONE,
        "broken": SearchStatus.FAILED,
        "!!!": SearchStatus.SKIPPED,
    }


def test_a_page_is_committed_before_the_next_is_asked_for() -> None:
    loop = Loop({"lamp": [page(listing(1), more=True), page(listing(2), more=True), page(listing(3))], "kite": [FOUND]})
    committed_when_asked: list[int] = []
    loop.source.on_request = lambda _query, _page: committed_when_asked.append(len(loop.committed.pages))
    loop.collect()
    assert loop.asked == [("lamp", 1), ("lamp", 2), ("lamp", 3), ("kite", 1)]
    assert committed_when_asked == [0, 1, 2, 3]


def test_a_commit_that_fails_ends_the_run_and_asks_for_nothing_more() -> None:
    loop = Loop({"lamp": [page(listing(1), more=True), FOUND], "kite": [FOUND]})

    def refuse(_page: SearchedPage) -> None:
        raise OSError("disk full")

    loop.committed.on_record = refuse
    with pytest.raises(ExceptionGroup) as raised:
        loop.collect()
    assert raised.group_contains(OSError, match="disk full")
    assert loop.asked == [("lamp", 1)]


def test_a_search_that_was_interrupted_goes_on_behind_its_committed_pages() -> None:
    loop = Loop({"lamp": [page(listing(2), more=True), page(listing(3))]})
    loop.collect([planned("lamp", pages_done=1)])
    assert loop.asked == [("lamp", 2), ("lamp", 3)]


class Crowd:
    """A source that answers only once five requests are open at the same time."""

    def __init__(self) -> None:
        self.in_flight, self.highest = 0, 0
        self.is_full = asyncio.Event()

    async def search(self, query: ListingQuery, page: int) -> ListingPage:
        del query, page
        self.in_flight += 1
        self.highest = max(self.highest, self.in_flight)
        if self.in_flight == WORKERS:
            self.is_full.set()
        await asyncio.wait_for(self.is_full.wait(), 10)
        for _ in range(3):  # a sixth worker, if there were one, would come in now
            await asyncio.sleep(0)
        self.in_flight -= 1
        return FOUND


def test_five_workers_search_at_once_and_no_sixth() -> None:
    time = Time()
    events = Events(time)

    async def collect() -> int:
        crowd = Crowd()
        collector = Collector(crowd, Committed(), SearchRules(), RETRY, events.activity, time.sleep)
        await collector.collect([planned(f"product {number}") for number in range(40)])
        return crowd.highest

    assert asyncio.run(collect()) == WORKERS
    assert {event.worker_id for event in events.all} == {1, 2, 3, 4, 5}


def test_a_worker_takes_the_next_product_while_another_waits_for_its_own() -> None:
    loop = Loop({"slow": [RateLimited("too fast", retry_after_s=60), FOUND], **{title: [FOUND] for title in "abcdef"}})
    loop.workers = 2
    loop.collect()
    workers = {event.product_name: event.worker_id for event in loop.events.of(Action.COMPLETE)}
    assert set(workers.values()) == {1, 2}
    assert len(workers) == 7


@pytest.mark.parametrize(
    "error", [QuotaExhausted("none left"), Rejected("bad filter"), Unauthorised("wrong key")], ids=lambda one: one.kind
)
def test_an_error_that_would_meet_every_product_stops_the_run_at_once(error: SourceError) -> None:
    loop = Loop({"lamp": [FOUND], "kite": [error], "drum": [FOUND]})
    result = loop.collect()
    assert result.stopped_by is error
    assert loop.asked == [("lamp", 1), ("kite", 1)]
    assert loop.committed.of("drum") == []


def test_the_first_error_that_stops_a_run_is_the_one_it_names() -> None:
    first, second = Unauthorised("the first"), Unauthorised("the second")
    loop = Loop({"a": [first], "b": [second]}, workers=2)
    assert loop.collect().stopped_by is first


def test_a_stop_between_two_pages_is_obeyed_before_the_next_page() -> None:
    loop = Loop({"lamp": [page(listing(1), more=True)] * 3, "kite": [FOUND]})
    loop.source.on_request = lambda _query, _page: loop.stop.throw()
    result = loop.collect()
    assert loop.asked == [("lamp", 1)]
    [lamp] = loop.committed.of("lamp")
    assert (lamp.status, lamp.pages) == (SearchStatus.PLANNED, 1)  # kept, and the search goes on from page 2
    assert (result.outcomes.total(), result.stopped_by) == (0, None)


def test_another_workers_fatal_error_is_obeyed_between_two_pages_too() -> None:
    loop = Loop({"lamp": [page(listing(1), more=True)] * 3, "kite": [Unauthorised("wrong key")]}, workers=2)
    loop.collect()
    assert ("lamp", 3) not in loop.asked
    assert loop.committed.of("lamp")[-1].status is SearchStatus.PLANNED


def test_a_stop_before_the_first_product_asks_for_nothing() -> None:
    loop = Loop({"lamp": [FOUND]})
    loop.stop.throw()
    assert loop.collect().outcomes.total() == 0
    assert loop.asked == []


def test_a_stop_leaves_out_the_second_pass() -> None:
    loop = Loop({"lamp": [Transient("reset")], "kite": [FOUND]}, retry=NO_RETRY)
    loop.source.on_request = lambda query, _page: loop.stop.throw() if query == "kite" else None
    loop.collect()
    assert loop.asked == [("lamp", 1), ("kite", 1)]


def test_what_failed_for_a_passing_reason_is_searched_once_more_at_the_end() -> None:
    loop = Loop({"lamp": [Transient("reset")] * 6 + [FOUND], "kite": [FOUND]})
    result = loop.collect()
    assert loop.asked == [("lamp", 1)] * 6 + [("kite", 1), ("lamp", 1)]
    assert result.outcomes == {SearchStatus.DONE: 2}
    assert [one.status for one in loop.committed.of("lamp")] == [SearchStatus.FAILED, SearchStatus.DONE]


def test_the_second_pass_goes_on_from_the_page_that_failed() -> None:
    loop = Loop({"lamp": [page(listing(1), more=True), Transient("reset"), FOUND]}, retry=NO_RETRY)
    loop.collect()
    assert loop.asked == [("lamp", 1), ("lamp", 2), ("lamp", 2)]


def test_there_is_no_third_pass() -> None:
    loop = Loop({"lamp": [Transient("reset")], "kite": [FOUND]}, retry=NO_RETRY)
    result = loop.collect()
    assert loop.source.asks("lamp") == 2
    assert result.outcomes == {SearchStatus.FAILED: 1, SearchStatus.DONE: 1}
    assert result.stopped_by is None


def test_a_malformed_answer_is_not_asked_for_again() -> None:
    loop = Loop({"lamp": [Malformed("no items")], "kite": [FOUND]})
    assert loop.collect().outcomes == {SearchStatus.FAILED: 1, SearchStatus.DONE: 1}
    assert loop.source.asks("lamp") == 1


@pytest.mark.parametrize("workers", [1, WORKERS])
@pytest.mark.parametrize("error", [Transient("reset"), Malformed("no items"), RateLimited("too fast")])
def test_a_source_that_is_away_stops_the_run_after_fifteen_replies(error: SourceError, workers: int) -> None:
    loop = Loop(all_fail(100, error), workers=workers)
    result = loop.collect()
    assert isinstance(result.stopped_by, FailuresInARow)
    assert FAILURES_THAT_PAUSE <= len(loop.asked) < FAILURES_THAT_PAUSE + workers


def test_a_source_that_is_away_is_seen_also_by_the_last_products_in_flight() -> None:
    # Fifteen products fail with their last request; nobody is left who would ask once more.
    loop = Loop(all_fail(FAILURES_THAT_PAUSE, Malformed("no items")))
    assert isinstance(loop.collect().stopped_by, FailuresInARow)


def test_one_good_reply_ends_a_streak_of_failures() -> None:
    failing = all_fail(FAILURES_THAT_PAUSE - 1, Malformed("no items"))
    again = {f"again {number}": steps for number, steps in enumerate(failing.values())}
    loop = Loop({**failing, "lamp": [FOUND], **again})
    result = loop.collect()
    assert result.stopped_by is None
    assert result.outcomes[SearchStatus.FAILED] == 2 * (FAILURES_THAT_PAUSE - 1)


def test_a_page_without_listings_is_a_reply_but_a_product_that_is_skipped_is_none() -> None:
    failing = all_fail(FAILURES_THAT_PAUSE - 1, Malformed("no items"))
    last: dict[str, Sequence[Step]] = {"one more": [Malformed("no items")]}
    assert Loop({**failing, "empty": [NOTHING], **last}).collect().stopped_by is None
    assert isinstance(Loop({**failing, "!!!": [], **last}).collect().stopped_by, FailuresInARow)


def test_an_hour_of_rate_limits_takes_no_time_and_every_wait_is_the_vendors() -> None:
    waits: list[Step] = [RateLimited("too fast", retry_after_s=50), RateLimited("too fast", retry_after_s=50), FOUND]
    loop = Loop({f"product {number}": waits for number in range(40)})
    began = loop.time.now
    assert loop.collect().outcomes == {SearchStatus.DONE: 40}
    assert loop.time.slept == [50.0] * 80
    assert (loop.time.now - began).total_seconds() == 40 * (100 + 3)


def test_a_product_is_complete_with_its_evidence_and_its_time() -> None:
    used = listing(9, condition="3000")
    loop = Loop({"lamp": [page(listing(1), listing(2), more=True), page(listing(3), used)], "broken": [Malformed("")]})
    loop.collect()
    [complete] = loop.events.of(Action.COMPLETE)
    assert (complete.product_name, complete.items_count) == ("lamp", 3)
    assert complete.duration_ms == 2200  # two replies of a second, and the pause between them


def test_counts_of_outcomes_come_from_the_last_pass() -> None:
    loop = Loop({f"product {number}": [Transient("reset"), FOUND] for number in range(4)}, retry=NO_RETRY)
    assert loop.collect().outcomes == Counter({SearchStatus.DONE: 4})


def test_a_search_that_fails_twice_in_the_middle_counts_every_page_it_has() -> None:
    steps: list[Step] = [page(listing(2), more=True), Transient("reset"), FOUND]
    loop = Loop({"lamp": steps}, retry=NO_RETRY)
    loop.collect([planned("lamp", pages_done=1)])
    assert loop.asked == [("lamp", 2), ("lamp", 3), ("lamp", 3)]


@pytest.mark.parametrize("workers", [1, WORKERS])
@pytest.mark.parametrize("budget", [0, 1, 7, 100])
def test_no_search_begins_once_the_budget_is_used_up(workers: int, budget: int) -> None:
    loop = Loop({f"product {number}": [FOUND] for number in range(20)}, workers=workers, budget=budget)
    loop.collect()
    assert len(loop.asked) == min(budget, 20)


def test_a_search_that_has_begun_ends_with_all_its_pages_and_its_calls_count() -> None:
    loop = Loop({"lamp": [page(listing(1), more=True), page(listing(2))], "kite": [FOUND], "mug": [FOUND]}, budget=3)
    loop.collect()
    assert loop.asked == [("lamp", 1), ("lamp", 2), ("kite", 1)]


def test_a_failed_search_is_repeated_only_within_the_budget() -> None:
    loop = Loop({"lamp": [Transient("503"), FOUND]}, retry=NO_RETRY, budget=1)
    assert loop.collect().outcomes == {SearchStatus.FAILED: 1}
    assert loop.asked == [("lamp", 1)]
