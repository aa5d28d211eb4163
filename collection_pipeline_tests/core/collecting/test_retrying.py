import asyncio
import random

import pytest

from collection_pipeline.core.collecting.retrying import RetryPolicy
from collection_pipeline.core.errors import Malformed, QuotaExhausted, RateLimited, Rejected, SourceError, Transient


class Attempts:
    """Runs a request that fails with the given errors, and notes the waits between its attempts."""

    def __init__(self, *errors: SourceError) -> None:
        self.errors = list(errors)
        self.made = 0
        self.slept: list[float] = []
        self.told: list[tuple[str, int, bool]] = []

    def run(self, policy: RetryPolicy) -> str:
        return asyncio.run(policy.call(self._request, sleep=self._sleep, on_failure=self._told))

    async def _request(self, number: int) -> str:
        self.made += 1
        assert number == self.made
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def _told(self, error: SourceError, attempt: int, wait_s: float | None) -> None:
        self.told.append((error.kind, attempt, wait_s is not None))


POLICY = RetryPolicy(jitter=0)


def test_a_rate_limited_worker_waits_5_seconds_and_tries_again() -> None:
    attempts = Attempts(RateLimited("too fast"), RateLimited("too fast"))
    assert attempts.run(POLICY) == "answer"
    assert attempts.slept == [5.0, 5.0]
    assert attempts.told == [("rate_limited", 1, True), ("rate_limited", 2, True)]


def test_the_vendors_own_wish_is_obeyed() -> None:
    attempts = Attempts(RateLimited("too fast", retry_after_s=1.5))
    attempts.run(POLICY)
    assert attempts.slept == [1.5]


def test_transient_failures_back_off_exponentially() -> None:
    attempts = Attempts(Transient("reset"), Transient("reset"))
    attempts.run(POLICY)
    assert attempts.slept == [1.0, 2.0]


def test_after_six_attempts_the_last_error_is_raised_and_told_without_a_wait() -> None:
    attempts = Attempts(*[Transient(f"reset {number}") for number in range(1, 9)])
    with pytest.raises(Transient, match="reset 6"):
        attempts.run(POLICY)
    assert attempts.slept == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert attempts.told[-1] == ("transient", 6, False)


def test_a_limit_that_lasts_is_met_three_times() -> None:
    attempts = Attempts(*[RateLimited("too fast") for _ in range(5)])
    with pytest.raises(RateLimited):
        attempts.run(POLICY)
    assert (attempts.made, attempts.slept) == (3, [5.0, 5.0])


@pytest.mark.parametrize("error", [Rejected("no"), Malformed("odd"), QuotaExhausted("gone")])
def test_what_trying_again_cannot_help_is_tried_once(error: SourceError) -> None:
    attempts = Attempts(error)
    with pytest.raises(type(error)):
        attempts.run(POLICY)
    assert (attempts.made, attempts.slept) == (1, [])
    assert attempts.told == [(error.kind, 1, False)]


def test_jitter_spreads_the_waits_upwards_only() -> None:
    policy = RetryPolicy(random=random.Random("seed"))
    waits = {policy.wait_s(RateLimited("too fast"), 1) for _ in range(50)}
    assert len(waits) == 50
    assert all(5.0 <= wait <= 6.25 for wait in waits)
