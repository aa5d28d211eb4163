"""When a cron comes next: for people who want to know, not for what starts something at that time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from collection_pipeline.core.collecting.scheduling import plain_cron

_DAYS = 8 * 366 + 1
"""The 29th of February is eight years away at most."""


def next_tick(cron: str, timezone: str, now: datetime) -> datetime | None:
    """The first moment after `now` (aware) that a cron means, in UTC. Raises WrongSchedule for what is no cron."""
    minute, hour, day, month, week_day = map(_numbers, plain_cron(cron).split())
    zone = ZoneInfo(timezone)
    for one in _days(now.astimezone(zone).date()):
        if (month and one.month not in month) or not _is_day(one, day, week_day):
            continue
        for hours in sorted(hour) or range(24):
            for minutes in sorted(minute) or range(60):
                moment = datetime(one.year, one.month, one.day, hours, minutes, tzinfo=zone).astimezone(UTC)
                if moment > now:
                    return moment
    return None


def _numbers(field: str) -> set[int]:
    """The numbers of a field; none where any will do."""
    return set() if field == "*" else set(map(int, field.split(",")))


def _days(first: date) -> Iterator[date]:
    return (first + timedelta(days=ahead) for ahead in range(_DAYS))


def _is_day(one: date, day: set[int], week_day: set[int]) -> bool:
    is_day, is_week_day = one.day in day, one.isoweekday() % 7 in week_day
    # Where both are restricted, either will do: so says crontab(5).
    return (is_day or is_week_day) if day or week_day else True
