import json
import re
from datetime import UTC, datetime

import pytest

from collection_pipeline.core.activity import SYSTEM, Action, Activity, ActivityEvent, json_line
from collection_pipeline.core.errors import Malformed
from collection_pipeline_tests.conftest import REPOSITORY

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PAGE = REPOSITORY / "collection_pipeline/feed/page/activity.js"


def recorded(worker_id: int, action: Action, **facts: object) -> ActivityEvent:
    events: list[ActivityEvent] = []
    activity = Activity(events.append, lambda: NOW, "run", "c1", "home-coffee", "ebay")
    activity.record(worker_id, action, **facts)  # type: ignore[arg-type]  # as each test gives them
    [event] = events
    return event


def test_an_event_is_stamped_with_where_and_when_it_happened() -> None:
    event = recorded(2, Action.FETCHING)
    assert (event.timestamp, event.run_id, event.collection_id, event.category, event.phase, event.worker_id) == (
        NOW,
        "run",
        "c1",
        "home-coffee",
        "ebay",
        2,
    )


def test_an_error_gives_an_event_its_kind_its_stage_and_its_address() -> None:
    error = Malformed("No price.", url="https://ebay.example/search", stage="price_parsing")
    event = recorded(2, Action.ERROR, error=error)
    assert (event.error_type, event.error_stage, event.error_message, event.url) == (
        "malformed",
        "price_parsing",
        "No price.",
        "https://ebay.example/search",
    )


@pytest.mark.parametrize("action", Action)
def test_only_what_needs_attention_is_trouble(action: Action) -> None:
    assert recorded(1, action).is_trouble is (action in {Action.RATE_LIMITED, Action.ERROR, Action.PAUSED})


def test_a_line_says_who_did_what_to_what() -> None:
    event = recorded(
        3, Action.FOUND, product_name="Lamp", api_params={"page": 2}, items_count=40, attempt=2, duration_ms=812
    )
    assert event.line() == "home-coffee · worker 3 · found · Lamp · page 2 · 40 items · attempt 2 · 812 ms"
    assert recorded(SYSTEM, Action.INSERTED, new_sellers_count=7).line() == (
        "home-coffee · system · inserted · 7 new sellers"
    )


def test_a_long_title_is_cut_in_a_line_and_nowhere_else() -> None:
    event = recorded(1, Action.COMPLETE, product_name="x" * 200)
    assert event.line().endswith("x…")
    assert len(event.line()) < 100
    assert json.loads(json_line(event))["product_name"] == "x" * 200


def test_a_line_of_json_holds_every_field() -> None:
    event = recorded(1, Action.FOUND, items_count=3, api_params={"q": "lamp"})
    line = json_line(event)
    assert "\n" not in line
    assert json.loads(line) == {
        **{name: getattr(event, name) for name in ActivityEvent.__dataclass_fields__},
        "timestamp": NOW.isoformat(),
    }


def test_the_page_shows_every_action_and_no_other() -> None:
    words = set(re.findall(r'"([a-z_]+)"', PAGE.read_text().split("export const isTrouble")[0]))
    assert {str(action) for action in Action} <= words
