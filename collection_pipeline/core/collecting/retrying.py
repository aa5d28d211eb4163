"""How often and how long to try again. Here and nowhere else: no client, asset or run retries on its own account."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from collection_pipeline.core.errors import RateLimited, SourceError

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

OnFailure = Callable[[SourceError, int, float | None], None]
"""Is told of every failed attempt: the error, the attempt's number, and the wait in seconds before the next, if any."""


@dataclass(frozen=True)
class RetryPolicy:
    """Rate limited: wait what the vendor says, else 5 s. Transient: exponential backoff. Anything else: no retry.

    Jitter (up to `jitter` of the wait, added) keeps workers that failed together from coming back together.

    Six attempts, and a second pass over what failed: of a source that fails one request in three, a request fails for
    good once in 3**12, half a million. Five attempts would leave one collection of 1,000 searches in fifty unfinished.
    """

    attempts: int = 6
    rate_limited_attempts: int = 3
    rate_limited_wait_s: float = 5.0
    first_backoff_s: float = 1.0
    longest_wait_s: float = 60.0
    jitter: float = 0.25
    random: random.Random = field(default_factory=random.Random)

    def wait_s(self, error: SourceError, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th attempt (from 1) failed with `error`."""
        if isinstance(error, RateLimited):
            wait = error.retry_after_s if error.retry_after_s is not None else self.rate_limited_wait_s
        else:
            wait = self.first_backoff_s * 2 ** (attempt - 1)
        return min(wait, self.longest_wait_s) * (1 + self.random.random() * self.jitter)

    def _is_enough(self, state: RetryCallState) -> bool:
        is_rate_limited = isinstance(_error(state), RateLimited)
        return state.attempt_number >= (self.rate_limited_attempts if is_rate_limited else self.attempts)

    async def call(self, request: Callable[[int], Awaitable[T]], *, sleep: Sleep, on_failure: OnFailure) -> T:
        """The result of `request(attempt)`, tried until it succeeds or its last SourceError is raised."""

        def wait(state: RetryCallState) -> float:
            return self.wait_s(_error(state), state.attempt_number)

        def before_sleep(state: RetryCallState) -> None:
            on_failure(_error(state), state.attempt_number, state.next_action.sleep if state.next_action else None)

        retrying = AsyncRetrying(
            stop=self._is_enough,
            wait=wait,
            retry=retry_if_exception(lambda error: isinstance(error, SourceError) and error.retryable),
            before_sleep=before_sleep,
            sleep=sleep,
            reraise=True,
        )
        last_attempt = 0
        try:
            async for attempt in retrying:
                with attempt:
                    last_attempt = attempt.retry_state.attempt_number
                    return await request(last_attempt)
        except SourceError as error:
            on_failure(error, last_attempt, None)
            raise
        raise AssertionError("AsyncRetrying ends with a result or an exception")


def _error(state: RetryCallState) -> SourceError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, SourceError)
    return error
