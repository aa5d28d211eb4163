from __future__ import annotations

from datetime import UTC, datetime

import pytest

from collection_pipeline.core.collecting.next_tick import next_tick

NOW = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "expected"),
    [
        ("0 3 1 * *", "UTC", datetime(2026, 12, 1, 3, 0, tzinfo=UTC)),
        ("30 14 * * *", "UTC", datetime(2026, 11, 28, 14, 30, tzinfo=UTC)),  # after now, not at it
        ("*/20 * * * *", "UTC", datetime(2026, 11, 27, 14, 40, tzinfo=UTC)),
        ("0 6 * * mon", "Europe/Berlin", datetime(2026, 11, 30, 5, 0, tzinfo=UTC)),
        ("0 0 13 * fri", "UTC", datetime(2026, 12, 4, 0, 0, tzinfo=UTC)),  # either day will do
        ("0 0 29 2 *", "UTC", datetime(2028, 2, 29, 0, 0, tzinfo=UTC)),
        ("@weekly", "UTC", datetime(2026, 11, 29, 0, 0, tzinfo=UTC)),
    ],
)
def test_the_next_tick_of_a_cron(cron: str, zone: str, expected: datetime) -> None:
    assert next_tick(cron, zone, NOW) == expected
