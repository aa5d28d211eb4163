from datetime import UTC, datetime

from collection_pipeline.core.activity import Action, ActivityEvent
from collection_pipeline.core.collecting.category_work import CategoryWork


def test_events_say_whose_they_are_and_when_they_happened() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    events: list[ActivityEvent] = []
    work = CategoryWork("acme", "c1", "books", "run-1")
    work.activity("ebay", events.append, lambda: now).record(3, Action.FOUND, items_count=2)
    [event] = events
    assert (event.collection_id, event.category, event.run_id) == ("c1", "books", "run-1")
    assert (event.phase, event.worker_id, event.items_count, event.timestamp) == ("ebay", 3, 2, now)
