"""Every state looks deliberate: what the page says while there is nothing, or not yet, or no more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from collection_pipeline_tests.feed_page.conftest import Complaints
from collection_pipeline_tests.feed_page.scenes import busy
from collection_pipeline_tests.feed_page.standin import Facts, Scene, StandIn, category, utc_text


def test_while_nothing_has_been_collected_it_says_how_to_start_and_then_shows_the_first(
    page: Page, standin: StandIn, address: str
) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name="Nothing has been collected yet")).to_be_visible()
    expect(page.locator("#empty-command")).to_contain_text("collection-pipeline collect")
    standin.scenes = [busy("first")]
    expect(page.locator("#title")).to_have_text("first")


def test_while_the_server_has_not_answered_it_is_loading(page: Page, standin: StandIn, address: str) -> None:
    standin.is_slow.set()
    standin.scenes = [busy()]
    page.goto(address)
    expect(page.locator("#loading")).to_be_visible()
    expect(page.locator("#main")).to_have_attribute("aria-busy", "true")
    standin.is_slow.clear()
    expect(page.locator("#board")).to_be_visible()
    expect(page.locator("#main")).not_to_have_attribute("aria-busy", "true")


def test_a_collection_that_there_is_not_is_said_not_to_be(
    page: Page, standin: StandIn, address: str, complaints: Complaints
) -> None:
    standin.scenes = [busy()]
    page.goto(f"{address}/?collection=nope")
    expect(page.get_by_role("heading", name="There is no such collection")).to_be_visible()
    page.locator("#collections").select_option(standin.scenes[0].collection_id)
    expect(page.locator("#title")).to_have_text(standin.scenes[0].collection_id)
    complaints.expect("404")


@pytest.mark.parametrize(
    ("status", "facts", "state", "verdict"),
    [
        (
            "paused",
            {"paused_reason": "by_hand", "paused_message": "Somebody paused it."},
            "Paused",
            "It goes on when somebody resumes it.",
        ),
        (
            "paused",
            {"paused_message": "eBay's quota is used up.", "paused_until": utc_text(-3600)},
            "Paused",
            "It goes on by itself at",
        ),
        ("cancelling", {}, "Cancelling", "Its runs are stopping."),
        ("finishing", {}, "Finishing", "Every category has ended"),
        ("completed", {"seller_count_snapshot": 5210}, "Completed", "The list holds 5,210 sellers now."),
        ("completed_with_errors", {"searches_failed": 3}, "Completed with errors", "1 category and 3 products failed."),
        ("failed", {"failures": {"unauthorised": 2}}, "Failed", "Failed for good: unauthorised 2."),
        ("cancelled", {}, "Cancelled", "What is missing can be resumed."),
    ],
)
def test_a_state_is_said_with_what_it_means(
    page: Page, standin: StandIn, address: str, status: str, facts: Facts, state: str, verdict: str
) -> None:
    failed = category("toys-kites", "failed", 300, 200, reason="unauthorised", error_message="A wrong password.")
    standin.scenes = [
        Scene("c", status, facts=facts, categories=[category("kitchen-blenders", "done", 600, 400), failed])
    ]
    page.goto(address)
    expect(page.locator("#state")).to_have_text(state)
    expect(page.locator("#verdict")).to_contain_text(verdict)
    page.get_by_text("Every category", exact=True).click()
    expect(page.locator("#category-rows")).to_contain_text("unauthorised: A wrong password.")


def test_a_paused_collection_says_nothing_that_it_cannot_know(page: Page, standin: StandIn, address: str) -> None:
    """It has listings, and no category at its end: no sellers, no rate, and no time left."""
    waiting = category("kitchen-blenders", "planned", 600, None, attempt=2, searches_ended=40)
    facts: Facts = {"paused_message": "Somebody paused it.", "time_left_s": 40.0, "searches_per_minute": 300.0}
    scene = Scene("c", "paused", facts=facts, categories=[waiting])
    standin.scenes = [scene]
    page.goto(address)
    expect(page.locator("#figures")).to_contain_text("720 listings, not merged yet")
    expect(page.locator("#figures")).not_to_contain_text("/ min")
    expect(page.locator("#timeline")).not_to_contain_text("to go")
    page.get_by_text("Every category", exact=True).click()
    expect(page.locator("#category-rows")).to_contain_text("Waits for attempt 2")
    scene.status = "cancelled"
    expect(page.locator("#verdict")).to_contain_text("nothing is known of sellers")
    expect(page.locator("#announcer")).to_contain_text("sellers not merged yet")


def test_a_running_collection_that_is_paused_says_so_without_a_reload(
    page: Page, standin: StandIn, address: str
) -> None:
    scene = busy()
    standin.scenes = [scene]
    page.goto(address)
    expect(page.locator("#state")).to_have_text("Running")
    scene.facts |= {"paused_message": "Somebody paused it."}
    scene.status = "paused"
    expect(page.locator("#state")).to_have_text("Paused")
    expect(page.locator("#verdict")).to_contain_text("Somebody paused it.")
    expect(page.locator("#announcer")).to_contain_text("Paused")


def event(action: str, phase: str = "ebay", **params: Any) -> Facts:
    return {"action": action, "phase": phase, "timestamp": "2026-11-23T12:00:00Z", "api_params": params}


@pytest.mark.parametrize(
    ("latest", "later_s", "label", "time"),
    [
        (None, 0, "idle", ""),
        (event("fetching", "amazon"), 4, "searching products", "4 s"),
        (event("found", "amazon"), 61, "returning products", "1 min 1 s"),
        (event("fetching"), 4, "searching sellers", "4 s"),
        (event("found"), 3700, "returning sellers", "1 h 2 min"),
        (event("rate_limited", wait_ms=5600), 2, "rate-limited", "again in 4 s"),
        (event("rate_limited", wait_ms=5600), 7, "rate-limited", "again now"),
        (event("rate_limited"), 7, "rate-limited", "7 s"),
        (event("error", wait_ms=1000), 0, "error", "again in 1 s"),
        (event("error"), 9, "error", "9 s"),
        (event("complete"), 4, "complete", "4 s"),
        (event("complete"), 6, "idle", "6 s"),
    ],
)
def test_what_a_worker_does_now_follows_from_its_latest_event(
    rules: Page, latest: Facts | None, later_s: int, label: str, time: str
) -> None:
    said = rules.evaluate(
        """async ([latest, later]) => {
          const { workerState } = await import("/static/activity.js");
          const { timeText } = await import("/static/lanes.js");
          const at = Date.parse("2026-11-23T12:00:00Z") + 1000 * later;
          const state = workerState(latest ?? undefined, at);
          return [state.label, timeText(state, at)];
        }""",
        json.loads(json.dumps([latest, later_s])),
    )
    assert said == [label, time]
