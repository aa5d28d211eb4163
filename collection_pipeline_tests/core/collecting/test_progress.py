from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from collection_pipeline.core.collecting.collections import CollectionStatus
from collection_pipeline.core.collecting.progress import Progress


def progress(*, listed: int, searches: int, categories: int = 12) -> Progress:
    return Progress(
        collection_id="c1",
        org_id="default",
        status=CollectionStatus.RUNNING,
        started_at=datetime(2026, 5, 1, tzinfo=UTC),
        completed_at=None,
        departments=2,
        categories_total=categories,
        categories_listed=listed,
        categories_done=3,
        categories_failed=1,
        products_found=searches,
        searches_total=searches,
        searches_done=20,
        searches_failed=4,
        searches_skipped=6,
        listings_found=100,
        sellers_found=50,
        new_sellers=10,
        calls=30,
        cost=Decimal(30),
        cost_cap=None,
        failures={},
        searches_per_minute=None,
        time_left_s=None,
        paused_reason=None,
        paused_until=None,
    )


def test_what_failed_or_was_skipped_has_ended_too() -> None:
    one = progress(listed=4, searches=160)
    assert (one.categories_ended, one.searches_ended) == (4, 30)


@pytest.mark.parametrize(("listed", "searches", "expected"), [(4, 160, 480), (12, 500, 500), (0, 0, 0), (5, 101, 242)])
def test_categories_not_listed_yet_are_expected_to_be_like_the_others(
    listed: int, searches: int, expected: int
) -> None:
    assert progress(listed=listed, searches=searches).searches_expected == expected


def test_estimates_alone_are_no_movement() -> None:
    earlier = progress(listed=3, searches=40)
    assert not replace(earlier, searches_per_minute=12.0, time_left_s=90.0).has_moved_since(earlier)
    assert replace(earlier, calls=31).has_moved_since(earlier)


def test_sellers_are_known_once_a_category_has_been_merged() -> None:
    begun = replace(progress(listed=3, searches=40), categories_done=0)
    assert not begun.are_sellers_known
    assert replace(begun, listings_found=0).are_sellers_known
    assert replace(begun, categories_done=1).are_sellers_known
