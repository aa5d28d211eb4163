"""Limits: requests per second, calls per day, and tokens that expire. Each takes the time as a value."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")


class Window:
    """A window of one second that the first request opens (docs/sources.md 2.3), not a sliding one."""

    def __init__(self) -> None:
        self._opened = float("-inf")
        self.used = 0

    def take(self, now: float, cost: int, limit: int | None) -> bool:
        """Whether `cost` more requests fit. What does not fit uses up nothing."""
        if now - self._opened >= 1.0:
            self._opened, self.used = now, 0
        if limit is not None and self.used + cost > limit:
            return False
        self.used += cost
        return True


class Quota:
    """Calls counted per Pacific day: eBay's quota is back at midnight there, whatever the time here."""

    def __init__(self) -> None:
        self._calls = deque[tuple[datetime, int]]()
        self._resets_at = datetime.min.replace(tzinfo=UTC)

    def take(self, now: datetime, limit: int | None) -> bool:
        """Whether one more call is left today; counts it if so."""
        self._turn(now)
        if limit is not None and self.used >= limit:
            return False
        if self._calls and now - self._calls[-1][0] < timedelta(seconds=1):
            self._calls[-1] = (self._calls[-1][0], self.used + 1)
        else:
            self._calls.append((now, self.used + 1))
        return True

    @property
    def used(self) -> int:
        """Calls so far today."""
        return self._calls[-1][1] if self._calls else 0

    def seen(self, now: datetime, lag: timedelta) -> int:
        """Calls today as eBay's own, late count has them."""
        self._turn(now)
        return next((count for at, count in reversed(self._calls) if at <= now - lag), 0)

    def resets_at(self, now: datetime) -> datetime:
        """The next midnight Pacific, in UTC."""
        self._turn(now)
        return self._resets_at

    def _turn(self, now: datetime) -> None:
        if now < self._resets_at and self._resets_at - now < timedelta(hours=26):
            return
        self._calls.clear()
        local = now.astimezone(PACIFIC)
        midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), tzinfo=PACIFIC)
        self._resets_at = midnight.astimezone(UTC)


class Tokens:
    """Application tokens that were handed out, until they expire or are revoked."""

    def __init__(self) -> None:
        self._good_until: dict[str, datetime] = {}
        self._issued = 0

    def issue(self, now: datetime, lifetime_s: float, mark: str) -> str:
        """A new token."""
        self._issued += 1
        self._good_until = {token: until for token, until in self._good_until.items() if until > now}
        token = f"v^1.1#i^1#p^1#I^3#r^0#f^0#t^H4s{mark}{self._issued:08d}"
        self._good_until[token] = now + timedelta(seconds=lifetime_s)
        return token

    def is_good(self, now: datetime, token: str) -> bool:
        """Whether a token still opens anything."""
        until = self._good_until.get(token)
        return until is not None and now < until

    def revoke_all(self) -> None:
        """Makes every token invalid."""
        self._good_until.clear()
