"""The daemon's loops: woken by what is announced, at rest otherwise."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from collection_pipeline.core.collecting.collections import BY_HAND, CollectionPlan, Pause
from collection_pipeline.core.money import BandRule
from collection_pipeline.orchestration.instance import waking
from collection_pipeline.orchestration.instance.waking import Alarm, listen_in_background
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.waiting import await_true

LONG_S = 3600.0


@contextmanager
def resting(alarm: Alarm, longest_s: float = LONG_S) -> Iterator[threading.Thread]:
    """A loop that rests once."""
    shutdown = threading.Event()
    rest = threading.Thread(target=alarm.rest, args=(shutdown, longest_s))
    rest.start()
    yield rest
    shutdown.set()
    rest.join(10)
    assert not rest.is_alive()


def test_a_loop_at_rest_wakes_when_the_alarm_rings() -> None:
    alarm = Alarm(apart_s=0)
    with resting(alarm) as rest:
        rest.join(0.2)
        assert rest.is_alive()
        alarm.ring()
        rest.join(10)
        assert not rest.is_alive()


def test_what_rang_during_a_round_is_not_missed_and_rings_once() -> None:
    alarm = Alarm(apart_s=0)
    alarm.ring()
    with resting(alarm) as rest:
        rest.join(10)
        assert not rest.is_alive()
    with resting(alarm) as rest:
        rest.join(0.2)
        assert rest.is_alive()


def test_a_loop_that_is_held_does_not_look_whoever_rings() -> None:
    alarm = Alarm(apart_s=0)
    alarm.hold(0.5)
    began = time.monotonic()
    alarm.ring()
    alarm.rest(threading.Event(), LONG_S)
    assert time.monotonic() - began >= 0.5


def test_rounds_keep_their_distance_and_what_has_time_waits_for_more() -> None:
    alarm = Alarm(apart_s=0.5)
    began = time.monotonic()
    alarm.ring()
    alarm.rest(threading.Event(), LONG_S)
    assert time.monotonic() - began >= 0.5
    alarm.ring(within_s=0.8)
    began = time.monotonic()
    alarm.rest(threading.Event(), LONG_S)
    assert time.monotonic() - began >= 0.8


def test_a_loop_looks_now_and_then_although_nothing_rings() -> None:
    Alarm(apart_s=0).rest(threading.Event(), longest_s=0.1)


def test_after_it_rang_a_loop_looks_more_often_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "BUSY_REST_S", 0.1)
    alarm = Alarm(apart_s=0)
    alarm.ring()
    for _ in range(3):
        alarm.rest(threading.Event(), LONG_S)
    monkeypatch.setattr(waking, "BUSY_FOR_S", 0.0)
    with resting(alarm) as rest:
        rest.join(0.3)
        assert rest.is_alive()


def test_starting_pausing_resuming_and_cancelling_a_collection_wake_the_sensors(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[float] = []
    monkeypatch.setattr(waking.SENSORS, "ring", lambda **_: rung.append(time.monotonic()))
    monkeypatch.setenv("COLLECTION_DATABASE_URL", store.engine.url.render_as_string(hide_password=False))
    listen_in_background()
    await_true(lambda: len(rung) == 1)  # whoever begins to listen looks once
    plan = CollectionPlan("c1", ("books",), BandRule(Decimal(80), Decimal(120)))
    changes: list[Callable[[], object]] = [
        lambda: store.collections.start(plan),
        lambda: store.control.pause("c1", Pause(BY_HAND, "Somebody paused it.")),
        lambda: store.control.resume("c1"),
        lambda: store.control.cancel("c1"),
    ]
    for number, change in enumerate(changes, start=2):
        change()
        await_true(lambda number=number: len(rung) == number)  # type: ignore[misc]
