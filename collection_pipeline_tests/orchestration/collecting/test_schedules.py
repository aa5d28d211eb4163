"""Collections by the clock: when they are due, as Dagster's scheduler counts, and that nothing starts twice."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator  # what the scheduler daemon itself calls
from hypothesis import given, settings
from hypothesis import strategies as st

from collection_pipeline.core.catalogue import Catalogue, Preset
from collection_pipeline.core.collecting.collections import BY_HAND, Pause
from collection_pipeline.core.collecting.scheduling import ScheduleConfig
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.orchestration.collecting.automation import start_collections
from collection_pipeline.orchestration.collecting.schedules import build_schedules, schedules_from
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.settings.schedule import schedule_config
from collection_pipeline_tests.orchestration.conftest import CATALOGUE, Pipeline
from collection_pipeline_tests.tables.examples import finish

DUE = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
CONFIG = ScheduleConfig(preset="two")
WINTER, SUMMER = "2026-10-24 12:00", "2026-03-28 12:00"
AMERICA, FALL = "2026-03-07 12:00", "2026-10-31 12:00"


def due(config: ScheduleConfig, after: str, count: int) -> list[str]:
    """When a schedule is due next: week day, local time and offset, as the daemon iterates."""
    [schedule] = build_schedules([config])
    moments = schedule_execution_time_iterator(
        datetime.fromisoformat(after).replace(tzinfo=UTC).timestamp(),
        schedule.cron_schedule,
        schedule.execution_timezone,
    )
    return [f"{moment:%a %Y-%m-%d %H:%M%z}" for moment in islice(moments, count)]


@pytest.mark.parametrize(
    ("cron", "timezone", "after", "expected"),
    [
        ("0 3 1 * *", "UTC", "2026-01-31", ["Sun 2026-02-01 03:00+0000", "Sun 2026-03-01 03:00+0000"]),
        ("0 3 * * 0", "UTC", "2026-05-01", ["Sun 2026-05-03 03:00+0000", "Sun 2026-05-10 03:00+0000"]),
        ("0 3 * * 7", "UTC", "2026-05-01", ["Sun 2026-05-03 03:00+0000", "Sun 2026-05-10 03:00+0000"]),
        ("0 3 * * 1", "UTC", "2026-05-01", ["Mon 2026-05-04 03:00+0000", "Mon 2026-05-11 03:00+0000"]),
        ("0 3 * * fri-sat", "UTC", "2026-05-01 04:00", ["Sat 2026-05-02 03:00+0000", "Fri 2026-05-08 03:00+0000"]),
        ("0 3 1 jan,JUL *", "UTC", "2026-05-01", ["Wed 2026-07-01 03:00+0000", "Fri 2027-01-01 03:00+0000"]),
        ("0 3 31 * *", "UTC", "2026-02-01", ["Tue 2026-03-31 03:00+0000", "Sun 2026-05-31 03:00+0000"]),
        ("0 3 29 2 *", "UTC", "2026-01-01", ["Tue 2028-02-29 03:00+0000", "Sun 2032-02-29 03:00+0000"]),
        # Both day fields restricted: either will do.
        ("0 3 15 * 1", "UTC", "2026-05-12", ["Fri 2026-05-15 03:00+0000", "Mon 2026-05-18 03:00+0000"]),
        ("@monthly", "UTC", "2026-05-12", ["Mon 2026-06-01 00:00+0000"]),
        # The same hour on the wall, winter and summer.
        ("0 3 1 * *", "Europe/Berlin", "2026-03-02", ["Wed 2026-04-01 03:00+0200"]),
        ("0 3 1 * *", "Europe/Berlin", "2026-10-02", ["Sun 2026-11-01 03:00+0100"]),
        # The hour that is left out in spring: once, right after it. The one that comes twice in autumn: once.
        ("30 2 * * *", "Europe/Berlin", SUMMER, ["Sun 2026-03-29 03:00+0200", "Mon 2026-03-30 02:30+0200"]),
        ("30 2 * * *", "Europe/Berlin", WINTER, ["Sun 2026-10-25 02:30+0100", "Mon 2026-10-26 02:30+0100"]),
        ("30 2 * * *", "America/Los_Angeles", AMERICA, ["Sun 2026-03-08 03:00-0700", "Mon 2026-03-09 02:30-0700"]),
        ("30 1 * * 0", "America/Los_Angeles", FALL, ["Sun 2026-11-01 01:30-0800", "Sun 2026-11-08 01:30-0800"]),
        ("30 2 1,29 * *", "Europe/Berlin", SUMMER, ["Sun 2026-03-29 03:00+0200", "Wed 2026-04-01 02:30+0200"]),
        ("30 2 1,25 * *", "Europe/Berlin", WINTER, ["Sun 2026-10-25 02:30+0100", "Sun 2026-11-01 02:30+0100"]),
        ("0 3 1 3 *", "America/Los_Angeles", "2026-01-01", ["Sun 2026-03-01 03:00-0800"]),
    ],
)  # fmt: skip
def test_a_schedule_is_due_when_cron_says(cron: str, timezone: str, after: str, expected: list[str]) -> None:
    assert due(ScheduleConfig(cron=cron, timezone=timezone), after, len(expected)) == expected


def parts(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """One field of a cron expression, and the numbers it stands for."""
    number = st.integers(low, high)
    chosen = st.frozensets(number, min_size=1, max_size=3)
    ranges = st.tuples(number, number).map(sorted)
    return st.one_of(
        st.just(("*", frozenset(range(low, high + 1)))),
        chosen.map(lambda some: (",".join(map(str, sorted(some))), some)),
        ranges.map(lambda ends: (f"{ends[0]}-{ends[1]}", frozenset(range(ends[0], ends[1] + 1)))),
    )


@settings(max_examples=50, deadline=None)
@given(parts(0, 23), parts(1, 31), parts(1, 12), parts(0, 6), st.sampled_from(["UTC", "Asia/Tokyo"]))
def test_any_expression_is_due_exactly_when_its_fields_agree(
    hour: tuple[str, frozenset[int]],
    day: tuple[str, frozenset[int]],
    month: tuple[str, frozenset[int]],
    week_day: tuple[str, frozenset[int]],
    timezone: str,
) -> None:
    cron = f"7 {hour[0]} {day[0]} {month[0]} {week_day[0]}"
    days = any if "*" not in (day[0], week_day[0]) else all
    start = datetime(2026, 1, 1, 0, 7, tzinfo=ZoneInfo(timezone))
    moments = (start + timedelta(hours=n) for n in range(24 * 365))
    expected = (
        f"{moment:%a %Y-%m-%d %H:%M%z}"
        for moment in moments
        if moment.month in month[1]
        and moment.hour in hour[1]
        and days((moment.day in day[1], moment.isoweekday() % 7 in week_day[1]))
    )
    wanted = list(islice(expected, 4))
    try:
        config = ScheduleConfig(cron=cron, timezone=timezone)
    except PipelineError:  # the 30th of February
        assert wanted == []
        return
    assert due(config, f"{start.astimezone(UTC):%Y-%m-%d %H:%M}", len(wanted)) == wanted


def test_by_default_it_is_off_monthly_and_one() -> None:
    [schedule] = schedules_from({})
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert (schedule.name, schedule.cron_schedule, schedule.execution_timezone) == (
        "scheduled_collection",
        "0 3 1 * *",
        "UTC",
    )
    assert schedule.job_name == "collection_start"


def test_a_wrong_setting_leaves_a_schedule_that_says_so(caplog: pytest.LogCaptureFixture) -> None:
    [schedule] = schedules_from({"COLLECTION_SCHEDULE_CRON": "at noon"})
    assert schedule.name == "scheduled_collection"
    assert "COLLECTION_SCHEDULE_CRON is 'at noon'" in (schedule.description or "")
    assert "COLLECTION_SCHEDULE_CRON is 'at noon'" in caplog.text
    with pytest.raises(PipelineError, match="COLLECTION_SCHEDULE_CRON is 'at noon'"):
        schedule(dg.build_schedule_context(scheduled_execution_time=DUE))


def test_a_tick_asks_for_one_start_with_the_schedules_configuration(pipeline: Pipeline) -> None:
    environment = {"PRESET": "two", "CAP": "9000", "MIN_MARKUP": "10", "MAX_MARKUP": "20.5", "NAME": "weekly"}
    config = schedule_config({f"COLLECTION_SCHEDULE_{key}": value for key, value in environment.items()})
    request = tick(pipeline, config)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "weekly-20260301-0300"
    assert request.run_config == {
        "own_preset": "two",
        "name": "weekly-20260301-0300",
        "cost_cap": 9000.0,
        "min_markup_percent": 10.0,
        "max_markup_percent": 20.5,
        "as_far_as_it_goes": False,
    }


@pytest.mark.parametrize(("budget", "field"), [("900", {"budget": 900}), ("25USD", {"money_budget": "25.00 USD"})])
def test_a_schedules_budget_is_that_of_its_collections(
    pipeline: Pipeline, budget: str, field: dict[str, object]
) -> None:
    request = tick(pipeline, schedule_config({"COLLECTION_SCHEDULE_BUDGET": budget}))
    assert isinstance(request, dg.RunRequest)
    assert request.run_config.items() >= field.items()


def test_a_tick_becomes_one_run_per_category_of_one_collection(pipeline: Pipeline) -> None:
    start(pipeline, DUE)
    settings = Settings.from_mapping(os.environ)
    context = dg.build_sensor_context(instance=pipeline.instance, resources={"settings": settings})
    asked = start_collections(context)
    assert isinstance(asked, dg.SensorResult)
    assert [request.partition_key for request in asked.run_requests or []] == ["home-coffee", "home-knives"]
    assert {request.tags["collection_id"] for request in asked.run_requests or []} == {"scheduled-20260301-0300"}


def test_trying_a_schedule_starts_nothing(pipeline: Pipeline) -> None:
    tick(pipeline)
    assert pipeline.store.collections.all() == []


def test_a_tick_that_fires_twice_is_one_collection_and_says_so(pipeline: Pipeline) -> None:
    first, second = tick(pipeline), tick(pipeline)  # both before any run began
    for request in (first, second):
        assert isinstance(request, dg.RunRequest)
        assert run(pipeline, request.run_config)
    assert [one.collection_id for one in pipeline.store.collections.all()] == ["scheduled-20260301-0300"]
    third = tick(pipeline)
    assert isinstance(third, dg.SkipReason)
    assert "of this tick is already there (running)" in (third.skip_message or "")


def test_while_the_former_collection_runs_a_tick_starts_nothing_and_says_why(pipeline: Pipeline) -> None:
    start(pipeline, DUE)
    later = DUE + timedelta(days=31)
    skipped = tick(pipeline, at=later)
    assert isinstance(skipped, dg.SkipReason)
    assert "scheduled-20260301-0300 is still running" in (skipped.skip_message or "")
    pipeline.store.control.pause("scheduled-20260301-0300", Pause(BY_HAND, "Somebody paused it."))
    skipped = tick(pipeline, at=later)
    assert isinstance(skipped, dg.SkipReason)
    assert "is still paused" in (skipped.skip_message or "")
    pipeline.store.control.resume("scheduled-20260301-0300")
    finish(pipeline.store, "scheduled-20260301-0300")
    pipeline.store.snapshots.of_collection("scheduled-20260301-0300")
    assert isinstance(tick(pipeline, at=later), dg.RunRequest)


def test_a_tick_that_cannot_read_the_tables_is_not_lost(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTION_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert isinstance(tick(pipeline), dg.RunRequest)


def tick(pipeline: Pipeline, config: ScheduleConfig = CONFIG, at: datetime = DUE) -> object:
    """What one tick of a schedule comes to."""
    [schedule] = build_schedules([config])
    context = dg.build_schedule_context(
        pipeline.instance,
        scheduled_execution_time=at,
        resources={"settings": Settings.from_mapping(os.environ)},
    )
    return schedule(context)


def start(pipeline: Pipeline, at: datetime) -> None:
    """A tick, and the run it asks for."""
    request = tick(pipeline, at=at)
    assert isinstance(request, dg.RunRequest)
    assert run(pipeline, request.run_config)


def run(pipeline: Pipeline, config: Mapping[str, Any]) -> bool:
    two = {"two": Preset("two", "Two", "", ("home-coffee", "home-knives"))}
    pipeline.store.catalogue.load(Catalogue(CATALOGUE.categories, two))
    return pipeline.run(None, collection_id=None, job="collection_start", config=config).success
