from datetime import UTC, datetime, timedelta

from collection_pipeline.core.watching.freshness import STALE_AFTER, stale

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def test_categories_become_stale() -> None:
    known = {"old": NOW - STALE_AFTER - timedelta(seconds=1), "edge": NOW - STALE_AFTER, "new": NOW}
    assert set(stale(known, NOW)) == {"old"}
