from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.usage import COSTS, DEFAULT_LIMITS, Source, next_day, vendor_day

MOMENTS = st.integers(1_577_836_800, 2_208_988_800).map(lambda second: datetime.fromtimestamp(second, UTC))


@pytest.mark.parametrize(
    ("source", "moment", "day"),
    [
        ("ebay", datetime(2026, 7, 1, 6, 59, tzinfo=UTC), date(2026, 6, 30)),
        ("ebay", datetime(2026, 7, 1, 7, 0, tzinfo=UTC), date(2026, 7, 1)),
        ("ebay", datetime(2026, 1, 1, 7, 59, tzinfo=UTC), date(2025, 12, 31)),  # in winter an hour later
        ("oxylabs", datetime(2026, 7, 1, 0, 0, tzinfo=UTC), date(2026, 7, 1)),
    ],
)
def test_a_call_counts_to_the_vendors_own_day(source: Source, moment: datetime, day: date) -> None:
    assert vendor_day(source, moment) == day


def test_ebays_day_has_23_hours_when_the_clocks_change() -> None:
    before = datetime(2026, 3, 8, 8, 0, tzinfo=UTC)  # midnight in Los Angeles
    assert next_day("ebay", before) - before == timedelta(hours=23)


@given(st.sampled_from(get_args(Source)), MOMENTS)
def test_the_next_day_is_the_first_moment_of_the_day_after(source: Source, moment: datetime) -> None:
    begins = next_day(source, moment)
    assert begins > moment
    assert vendor_day(source, begins) == vendor_day(source, moment) + timedelta(days=1)
    assert vendor_day(source, begins - timedelta(microseconds=1)) == vendor_day(source, moment)


def test_every_source_has_limits_and_calls_with_a_cost() -> None:
    assert set(DEFAULT_LIMITS) == {call.source for call in COSTS} == set(get_args(Source))
