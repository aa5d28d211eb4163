"""One request to a marketplace: tried as often as the policy allows, every attempt an activity event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from collection_pipeline.core.activity import Action, Activity
from collection_pipeline.core.collecting.retrying import RetryPolicy, Sleep
from collection_pipeline.core.collecting.streaks import ReplyStreak
from collection_pipeline.core.errors import RateLimited, SourceError


class Answer(Protocol):
    """What any page can say of itself, for the events."""

    @property
    def url(self) -> str: ...  # noqa: D102

    @property
    def items_count(self) -> int: ...  # noqa: D102


A = TypeVar("A", bound=Answer)


@dataclass
class Requester:
    """Sends one worker's requests for one unit of work, and counts every attempt in `calls`: each costs quota."""

    activity: Activity
    retry: RetryPolicy
    sleep: Sleep
    worker_id: int
    product_name: str | None = None
    streak: ReplyStreak = field(default_factory=ReplyStreak)
    calls: int = 0

    async def send(self, request: Callable[[], Awaitable[A]], params: Mapping[str, str | int]) -> A:
        """The answer to `request`, retried by policy. `params` describe it in the events.

        Raises SourceError, among them FailuresInARow, without asking, where the source's last replies all failed.
        """
        began: datetime | None = None

        async def attempt(number: int) -> A:
            nonlocal began
            self.streak.require_answers()
            began = self.activity.clock()
            self.calls += 1
            self._record(Action.FETCHING, params, attempt=number)
            answer = await self._reply(request)
            self._record(
                Action.FOUND,
                params,
                attempt=number,
                url=answer.url,
                items_count=answer.items_count,
                duration_ms=self._since(began),
            )
            return answer

        def failed(error: SourceError, number: int, wait_s: float | None) -> None:
            action = Action.RATE_LIMITED if isinstance(error, RateLimited) else Action.ERROR
            waits = {} if wait_s is None else {"wait_ms": round(wait_s * 1000)}
            self._record(
                action,
                {**params, **waits},
                attempt=number,
                error=error,
                duration_ms=self._since(began) if began else None,
            )

        return await self.retry.call(attempt, sleep=self.sleep, on_failure=failed)

    async def _reply(self, request: Callable[[], Awaitable[A]]) -> A:
        try:
            answer = await request()
        except SourceError as error:
            self.streak.failed(error)
            raise
        self.streak.succeeded()
        return answer

    def _record(
        self,
        action: Action,
        params: Mapping[str, str | int],
        *,
        attempt: int,
        url: str | None = None,
        items_count: int | None = None,
        duration_ms: int | None = None,
        error: SourceError | None = None,
    ) -> None:
        self.activity.record(
            self.worker_id,
            action,
            product_name=self.product_name,
            api_params=params,
            attempt=attempt,
            url=url,
            items_count=items_count,
            duration_ms=duration_ms,
            error=error,
        )

    def _since(self, began: datetime) -> int:
        return round((self.activity.clock() - began).total_seconds() * 1000)
