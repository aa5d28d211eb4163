from datetime import UTC, datetime, timedelta

from collection_pipeline.core.watching.freshness import STALE_AFTER, WARN_AFTER, stale

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


SECOND = timedelta(seconds=1)


def test_categories_warn_first_and_fail_days_later() -> None:
    ages = {"new": timedelta(), "edge": WARN_AFTER, "old": WARN_AFTER + SECOND, "too old": STALE_AFTER + SECOND}
    found = stale({category: NOW - age for category, age in ages.items()}, NOW)
    assert {category: one.has_failed for category, one in found.items()} == {"old": False, "too old": True}
