"""Collections that begin by the clock: what a schedule starts, when, and when it had better not.

Only the configuration and the decision are here; Dagster counts the hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collection_pipeline.core.collecting.collections import OPEN_STATUSES, CollectionStatus
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import BandRule, Money

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of the week", 0, 7, DAYS),
)

_LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


class WrongSchedule(PipelineError):
    """A field of a schedule that makes no sense, and what it must be."""

    def __init__(self, field: str, value: str, needed: str) -> None:
        super().__init__(f"The {field} of a schedule is {value[:80]!r}; it must be {needed}.")
        self.field, self.value, self.needed = field, value, needed


@dataclass(frozen=True)
class ScheduleConfig:
    """A collection of a preset on a cron. Raises WrongSchedule for what makes no sense."""

    name: str = "scheduled"
    """Its collections are called this and the time they were due at, such as `scheduled-20260101-0300`."""
    cron: str = "0 3 1 * *"
    timezone: str = "UTC"
    preset: str = "starter"
    band: BandRule = field(default_factory=BandRule)
    cost_cap: Decimal | None = None
    budget: int | Money | None = None
    """Calls that the searches may take, or what a collection may cost in money; None is without limit."""
    as_far_as_it_goes: bool = False
    """Start even if the cap or the day's quota will not do for all of it."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,59}", self.name):
            raise WrongSchedule("name", self.name, "a letter and up to 59 letters, digits, '-' and '_'")
        plain_cron(self.cron)
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise WrongSchedule("timezone", self.timezone, "a name such as UTC or Europe/Berlin") from None

    def collection_id(self, due_at: datetime) -> str:
        """The collection of one tick: the same however often the tick comes.

        In UTC, because in autumn one hour comes twice on the clocks of most time zones.
        """
        return f"{self.name}-{due_at.astimezone(UTC):%Y%m%d-%H%M}"

    def is_of_this_schedule(self, collection_id: str) -> bool:
        """Whether a collection was started by this schedule."""
        return re.fullmatch(rf"{re.escape(self.name)}-\d{{8}}-\d{{4}}", collection_id) is not None


class ExistingCollection(Protocol):
    """What matters of a collection that is there already."""

    @property
    def collection_id(self) -> str: ...  # noqa: D102

    @property
    def org_id(self) -> str: ...  # noqa: D102

    @property
    def status(self) -> CollectionStatus: ...  # noqa: D102

    @property
    def preset(self) -> str | None: ...  # noqa: D102

    @property
    def band(self) -> BandRule | None: ...  # noqa: D102


def reason_not_to_start(
    config: ScheduleConfig, due_at: datetime, org_id: str, there: Iterable[ExistingCollection]
) -> str | None:
    """Why a tick starts nothing, in a sentence; None where it may start its collection."""
    collection_id = config.collection_id(due_at)
    for other in there:
        if other.collection_id == collection_id:
            return (
                f"The collection {collection_id} of this tick is already there ({other.status}). Nothing was started."
            )
        is_former = config.is_of_this_schedule(other.collection_id) or (
            other.preset == config.preset and other.band == config.band
        )
        if is_former and other.org_id == org_id and other.status in OPEN_STATUSES:
            advice = "Resume or cancel it" if other.status is CollectionStatus.PAUSED else "Wait for it, or cancel it"
            return (
                f"The former collection {other.collection_id} is still {other.status}. Nothing was started. {advice}."
            )
    return None


def plain_cron(text: str) -> str:
    """A cron expression in numbers only: no names, ranges or steps, on which libraries differ.

    Raises WrongSchedule unless crontab(5) says what it means. Libraries know more than cron does (`L`, `#`, six fields)
    and less (Dagster takes the hours `0-0` for all of them); and a day field such as `*/2` beside another one that is
    restricted means both days to some crons and either to others. What could surprise is refused.
    """
    if text.lower() in NICKNAMES:
        return NICKNAMES[text.lower()]
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise WrongSchedule("cron", text, "five fields (minute, hour, day, month, week day), such as `0 3 1 * *`")
    minute, hour, day, month, week_day = (
        _values(part, text, *known) for part, known in zip(parts, _FIELDS, strict=True)
    )
    if all(min(day) > _LONGEST_MONTHS.get(one, 31) for one in month):
        raise WrongSchedule("cron", text, "a day that one of its months has")
    week_day = {one % 7 for one in week_day}
    if "*" not in (parts[2], parts[4]):
        if parts[2].startswith("*") or parts[4].startswith("*"):
            raise WrongSchedule("cron", text, "clear about its days: spell out `*/`, or leave one day field to `*`")
        if len(day) == 31 or len(week_day) == 7:
            day, week_day = set(range(1, 32)), set(range(7))  # either will do, and one always does
    sizes = (60, 24, 31, 12, 7)
    numbers = zip((minute, hour, day, month, week_day), sizes, strict=True)
    return " ".join("*" if len(some) == size else ",".join(map(str, sorted(some))) for some, size in numbers)


def _values(part: str, text: str, what: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    """The numbers that one field of a cron expression stands for."""
    numbers = {name: number for number, name in enumerate(names, start=low)}
    found: set[int] = set()
    for item in part.split(","):
        parsed = re.fullmatch(r"(?:(\*)|([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?)(?:/(\d{1,2}))?", item)
        if parsed is None:
            raise WrongSchedule("cron", text, f"standard cron; {item!r} is no {what} of it")
        star, start, end, step = parsed.groups()
        if step is not None and star is None and end is None:
            raise WrongSchedule("cron", text, f"standard cron; a step needs a range or `*` before it, unlike {item!r}")
        try:
            begin = low if star else _number_of(start, numbers)
            stop = high if star else begin if end is None else _number_of(end, numbers)
        except ValueError:
            raise WrongSchedule("cron", text, f"standard cron; {item!r} is no {what} of it") from None
        if not low <= begin <= stop <= high or not 1 <= int(step or 1) <= max(1, high - low):
            raise WrongSchedule("cron", text, f"a {what} from {low} to {high}, the smaller first, unlike {item!r}")
        found.update(range(begin, stop + 1, int(step or 1)))
    return found


def _number_of(word: str, numbers: Mapping[str, int]) -> int:
    return numbers[word] if word in numbers else int(word)
