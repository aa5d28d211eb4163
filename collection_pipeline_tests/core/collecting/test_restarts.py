from datetime import UTC, datetime, timedelta

import pytest

from collection_pipeline.core.collecting.restarts import MOST_STARTS, WITHIN, starts_too_often, too_often

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("starts", "is_storm"),
    [
        ([], False),
        ([NOW] * (MOST_STARTS - 1), False),
        ([NOW] * MOST_STARTS, True),
        ([NOW - WITHIN] * MOST_STARTS, False),
        ([NOW - WITHIN + timedelta(seconds=1)] * MOST_STARTS, True),
        ([NOW - WITHIN] * 100 + [NOW] * (MOST_STARTS - 1), False),
    ],
)
def test_only_starts_of_the_last_minutes_make_a_storm(starts: list[datetime], is_storm: bool) -> None:
    assert starts_too_often(starts, NOW) is is_storm


def test_what_people_read_has_the_category_and_the_figures() -> None:
    assert "books was started 10 times within 15 minutes" in too_often("books")
