"""One request: its attempts, its events, its place in the streak of failures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from collection_pipeline.core.activity import Action
from collection_pipeline.core.collecting.listings import ListingPage
from collection_pipeline.core.collecting.requester import Requester
from collection_pipeline.core.collecting.retrying import RetryPolicy
from collection_pipeline.core.collecting.streaks import FAILURES_THAT_PAUSE, ReplyStreak
from collection_pipeline.core.errors import FailuresInARow, Malformed, RateLimited, SourceError, Transient
from collection_pipeline_tests.core.collecting.scripted import Events, Time, listing, page

PARAMS: dict[str, str | int] = {"q": "lamp", "page": 1}
FOUND = page(listing(1), listing(2))


class Sent:
    """One request sent by a worker, answered by the given steps."""

    def __init__(self, *steps: ListingPage | SourceError, streak: ReplyStreak | None = None) -> None:
        self.steps = list(steps)
        self.time = Time()
        self.events = Events(self.time)
        self.streak = streak or ReplyStreak()
        self.requester = Requester(self.events.activity, RetryPolicy(jitter=0), self.time.sleep, 3, "Lamp", self.streak)

    async def _request(self) -> ListingPage:
        await self.time.sleep(0.25)
        step = self.steps.pop(0)
        if isinstance(step, SourceError):
            raise step
        return step

    def send(self) -> ListingPage:
        return asyncio.run(self.requester.send(self._request, PARAMS))

    @property
    def actions(self) -> Sequence[Action]:
        return [event.action for event in self.events.all]


def test_a_request_is_an_event_before_and_after_its_answer() -> None:
    sent = Sent(FOUND)
    assert sent.send() is FOUND
    before, after = sent.events.all
    assert (before.action, before.attempt, before.worker_id, before.product_name) == (Action.FETCHING, 1, 3, "Lamp")
    assert (after.action, after.items_count, after.url, after.duration_ms) == (Action.FOUND, 2, FOUND.url, 250)
    assert before.api_params == after.api_params == PARAMS


def test_every_attempt_is_counted_and_told_with_its_wait() -> None:
    sent = Sent(RateLimited("too fast"), Transient("reset"), FOUND)
    sent.send()
    assert sent.requester.calls == 3
    assert sent.actions == [
        Action.FETCHING,
        Action.RATE_LIMITED,
        Action.FETCHING,
        Action.ERROR,
        Action.FETCHING,
        Action.FOUND,
    ]
    limited, error = sent.events.all[1], sent.events.all[3]
    assert (limited.attempt, limited.error_type, limited.api_params["wait_ms"]) == (1, "rate_limited", 5000)
    assert (error.attempt, error.error_message, error.api_params["wait_ms"], error.duration_ms) == (
        2,
        "reset",
        2000,
        250,
    )


def test_the_last_failure_is_raised_and_told_without_a_wait() -> None:
    sent = Sent(Malformed("no items", stage="seller_extraction"))
    with pytest.raises(Malformed):
        sent.send()
    last = sent.events.all[-1]
    assert (last.action, last.error_stage, "wait_ms" in last.api_params) == (Action.ERROR, "seller_extraction", False)


def test_replies_feed_the_streak_that_all_workers_share() -> None:
    streak = ReplyStreak()
    with pytest.raises(Malformed):
        Sent(Malformed("a"), streak=streak).send()
    with pytest.raises(Malformed):
        Sent(Malformed("b"), streak=streak).send()
    assert streak.failures == 2
    Sent(FOUND, streak=streak).send()
    assert streak.failures == 0


def test_a_source_that_is_away_is_not_asked_and_costs_no_call() -> None:
    streak = ReplyStreak(FAILURES_THAT_PAUSE, Transient("reset"))
    sent = Sent(FOUND, streak=streak)
    with pytest.raises(FailuresInARow):
        sent.send()
    assert (sent.requester.calls, len(sent.steps)) == (0, 1)
    assert sent.actions == [Action.ERROR]


def test_retries_end_once_the_source_is_away_in_the_middle_of_them() -> None:
    streak = ReplyStreak(FAILURES_THAT_PAUSE - 2, Transient("reset"))
    sent = Sent(*[Transient("reset")] * 6, streak=streak)
    with pytest.raises(FailuresInARow):
        sent.send()
    assert sent.requester.calls == 2
