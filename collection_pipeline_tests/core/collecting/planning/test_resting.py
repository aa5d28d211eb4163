from __future__ import annotations

from dataclasses import replace

import pytest

from collection_pipeline.core.collecting.planning.resting import asked_twice, left_alone, rest_days
from collection_pipeline_tests.core.collecting.planning.made_up import band, candidate, past


def test_a_product_that_brought_nothing_three_times_rests_longer_each_time() -> None:
    assert [rest_days(empty) for empty in range(8)] == [0, 0, 0, 14, 28, 56, 112, 180]
    assert rest_days(10_000) == 180


@pytest.mark.parametrize(
    ("empty", "days_ago", "fresh_for", "why"),
    [
        (0, 1.0, 0.0, None),
        (0, 1.0, 2.0, "fresh"),
        (0, 2.0, 2.0, None),
        (2, 1.0, 0.0, None),
        (3, 13.0, 0.0, "resting"),
        (3, 14.0, 0.0, None),
        (4, 14.0, 0.0, "resting"),
        (3, 1.0, 2.0, "fresh"),
    ],
)
def test_why_a_product_is_left_alone(empty: int, days_ago: float, fresh_for: float, why: str | None) -> None:
    product = candidate("A", past=past(last_days_ago=days_ago, empty=empty))
    assert left_alone(product, fresh_for) == why


def test_what_was_never_searched_is_always_due() -> None:
    assert left_alone(candidate("A"), 1000) is None


def test_products_of_one_title_are_searched_once_unless_their_bands_are_apart() -> None:
    first, same = candidate("A", query="kettle"), candidate("B", query="kettle")
    near, far = (
        replace(same, asin=asin, band=band(*edges))
        for asin, edges in {"C": ("22.00", "25.00"), "D": ("22.01", "25.00")}.items()
    )
    assert asked_twice([first, same, near, far, candidate("E", query="mug")]) == {"B", "C"}


def test_products_that_are_not_known_yet_are_nobodys_double() -> None:
    unknown = [replace(candidate(asin, query=""), band=None) for asin in "AB"]
    assert asked_twice(unknown) == set()
