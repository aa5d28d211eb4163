from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from collection_pipeline.core.collecting.planning.candidates import NOTHING, Expected, days
from collection_pipeline_tests.core.collecting.planning.made_up import candidate, past


def test_a_search_is_taken_to_need_as_many_calls_as_the_last_time() -> None:
    assert candidate("A").calls == 1
    assert candidate("A", past=replace(past(), calls=3)).calls == 3
    assert candidate("A", past=replace(past(), calls=0)).calls == 1


def test_expectations_add_up_and_say_their_range() -> None:
    both = Expected(30, 16) + Expected(70, 84)
    assert (both.mean, both.variance) == (100, 100)
    assert both.low == pytest.approx(83.5, abs=0.05)
    assert both.high == pytest.approx(116.5, abs=0.05)
    assert Expected(0.1).high > 1
    doubted = both + Expected(0, doubt=2)
    assert (doubted.low, doubted.high) == (both.low / 2, both.high * 2)
    assert str(both).startswith("100 new sellers (")
    assert (NOTHING.low, NOTHING.high) == (0, 0)
    assert Expected(1, 100).low == 0


def test_days_between_searches() -> None:
    assert past(searches=4).days_between == pytest.approx(30)
    assert (past(searches=1).days_between, past(searches=1).shown) == (0, 0)
    within_minutes = replace(past(searches=2, last_days_ago=0.01), first_days_ago=0.02)
    assert (within_minutes.days_between, within_minutes.rested_days) == (1, 1)
    assert days(timedelta(hours=36)) == 1.5
