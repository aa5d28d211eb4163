"""Somebody watches collections: from the first to the last event, through breaks of the stream and floods of events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from collection_pipeline_tests.feed_page.conftest import Complaints
from collection_pipeline_tests.feed_page.scenes import RUNNING, busy, counted, flood
from collection_pipeline_tests.feed_page.standin import Scene, StandIn, category, utc_text

CARDS = "#feed > li"


def figure(page: Page, name: str) -> str:
    return page.locator("#figures > div", has=page.locator("dt", has_text=name)).locator(".value").inner_text()


def ids(page: Page) -> list[int]:
    """The ids of the events that the feed shows."""
    found: list[int] = page.evaluate(
        "[...document.querySelectorAll('#feed > li')].map(card => Number(card.dataset.key))"
    )
    return found


def await_true(page: Page, claim: Callable[[], bool], within_s: float = 8.0) -> None:
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline, "it did not come true in time"
        page.wait_for_timeout(40)


def test_a_collection_is_watched_from_its_first_event_to_its_end(page: Page, standin: StandIn, address: str) -> None:
    scene = Scene("nightly", categories=[category("kitchen-blenders"), category("toys-kites")], began_s=5)
    standin.scenes = [scene]
    page.goto(address)

    expect(page.locator("#title")).to_have_text("nightly")
    expect(page.locator("#state")).to_have_text("Running")
    expect(page.locator("#lanes-empty")).to_contain_text("No run has started yet")
    expect(page.locator("#feed-empty")).to_be_visible()

    scene.emit("fetching", phase="amazon", api_params={"node": "289914", "page": 1})
    lane = page.locator(".lane")
    expect(lane.locator(".worker").first).to_contain_text("searching products")
    scene.categories[0] = category("kitchen-blenders", "running", 2)
    scene.emit("found", phase="amazon", items_count=50, duration_ms=800)
    expect(lane.locator(".worker").first).to_contain_text("returning products")
    band = {"q": "blender", "band": "161.99–197.99 USD", "page": 2}
    scene.emit("fetching", 4, product_name="Ninja Blender", api_params=band)
    expect(lane.locator(".worker").nth(3)).to_contain_text("searching sellers")
    scene.emit(
        "rate_limited",
        4,
        product_name="Ninja Blender",
        api_params={**band, "wait_ms": 30_000},
        error_type="rate_limited",
    )
    expect(lane.locator(".worker").nth(3)).to_contain_text("again in 2")
    scene.emit("found", 4, product_name="Ninja Blender", api_params=band, items_count=37, duration_ms=912, attempt=2)
    expect(lane.locator(".worker").nth(3)).to_contain_text("returning sellers")
    card = page.locator(CARDS).first
    for fact in (
        "Sellers returned",
        "worker 4",
        "Ninja Blender",
        "37 listings",
        "161.99–197.99 USD",
        "page 2",
        "912 ms",
        "attempt 2",
        "q blender",
    ):
        expect(card).to_contain_text(fact)
    scene.emit("complete", 4, product_name="Ninja Blender", items_count=37, new_sellers_count=25)
    expect(page.locator("#steps")).to_contain_text("25 new sellers from worker 4")
    scene.emit("inserted", 0, items_count=25, new_sellers_count=25)
    expect(page.locator("#steps li").first).to_contain_text("25 new sellers from")

    scene.categories = [category("kitchen-blenders", "done", 4, 0), category("toys-kites", "done", 3, 0)]
    standin.snapshots = counted(3)
    scene.end("completed", seller_count_snapshot=5210)
    expect(page.locator("#state")).to_have_text("Completed")
    expect(page.locator("#verdict")).to_contain_text("50 new sellers among 280")
    expect(page.locator("#verdict")).to_contain_text("5,210 sellers")
    expect(page.locator("#link-text")).to_have_text("Ended")
    expect(page.locator("#lanes > li")).to_have_count(0)
    expect(page.locator("#sellers svg")).to_be_visible()
    assert figure(page, "New sellers") == "50"
    assert page.title() == "Completed: nightly"


def test_a_broken_stream_is_said_to_be_broken_and_nothing_is_missed_or_shown_twice(
    page: Page, standin: StandIn, address: str, complaints: Complaints
) -> None:
    scene = Scene("nightly", categories=[category("kitchen-blenders")])
    standin.scenes = [scene]
    for _ in range(3):
        scene.emit("found")
    page.goto(address)
    expect(page.locator(CARDS)).to_have_count(3)

    standin.refuses_streams = True
    standin.break_streams()
    expect(page.locator("#trouble")).to_contain_text("goes on after event 3")
    expect(page.locator("#link-text")).to_contain_text("Again in")
    for _ in range(4):
        scene.emit("found")
    standin.refuses_streams = False
    page.get_by_role("button", name="Try now").click()

    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator(CARDS)).to_have_count(7)
    expect(page.locator("#announcer")).to_have_text("The stream of events is back. Nothing was missed.")
    assert ids(page) == [7, 6, 5, 4, 3, 2, 1]
    assert standin.streams_opened[-1] == "3"
    complaints.expect("503")


def test_a_stream_that_breaks_often_under_load_loses_and_repeats_nothing(
    page: Page, standin: StandIn, address: str
) -> None:
    scene = Scene("nightly", categories=[category("kitchen-blenders")])
    standin.scenes = [scene]
    standin.repeats = 7
    page.goto(address)
    expect(page.locator("#link-text")).to_have_text("Live")
    for _ in range(3):
        for _ in range(30):
            scene.emit("found")
            page.wait_for_timeout(5)
        opened = len(standin.streams_opened)
        standin.break_streams()
        scene.emit("error", error_type="transient")
        await_true(page, lambda opened=opened: len(standin.streams_opened) > opened)  # type: ignore[misc]
    expect(page.locator("#feed-note")).to_contain_text("93 events received")
    assert ids(page) == list(range(93, 33, -1))


def test_a_server_that_is_away_is_waited_for(
    page: Page, standin: StandIn, address: str, complaints: Complaints
) -> None:
    standin.scenes = [busy()]
    page.goto(address)
    expect(page.locator("#link-text")).to_have_text("Live")
    page.route("**/*", lambda route: route.abort())
    standin.break_streams()
    expect(page.locator("#trouble")).to_be_visible()
    expect(page.locator("#board")).to_be_visible()
    page.unroute("**/*")
    expect(page.locator("#link-text")).to_have_text("Live", timeout=12_000)
    expect(page.locator("#trouble")).to_be_hidden()
    complaints.expect("ERR_FAILED")


@pytest.mark.alone
def test_200_events_a_second_leave_the_page_calm_and_small(page: Page, standin: StandIn, address: str) -> None:
    scene = busy()
    standin.scenes = [scene]
    page.goto(address)
    expect(page.locator("#link-text")).to_have_text("Live")
    page.evaluate(
        """() => {
          const seen = (window.seen = { changes: 0, longest: 0 });
          let last = performance.now();
          new MutationObserver(() => { seen.changes += 1; }).observe(document.getElementById("board"),
            { subtree: true, childList: true, characterData: true, attributes: true });
          const frame = (at) => {
            seen.longest = Math.max(seen.longest, at - last);
            last = at;
            requestAnimationFrame(frame);
          };
          requestAnimationFrame(frame);
        }"""
    )
    stop = threading.Event()

    def pour() -> None:
        began, poured = time.monotonic(), 0
        while not stop.wait(0.05):
            due = int(200 * (time.monotonic() - began)) - poured
            flood(scene, poured, due)
            poured += due

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()
    page.wait_for_timeout(2_000)
    seen = page.evaluate("window.seen")
    page.get_by_role("button", name="Hold").click()
    expect(page.locator("#hold")).to_have_attribute("aria-pressed", "true")
    held = ids(page)
    expect(page.locator("#show-new")).to_contain_text("new events since you stopped the feed")
    assert ids(page) == held
    # Rare events stay findable though hundreds of others came after them.
    page.locator("#filter-kind").select_option("trouble")
    expect(page.locator(CARDS).first).to_contain_text("Error: transient")
    stop.set()
    thread.join()

    assert len(held) == 60
    assert seen["changes"] <= 4.5 * 2 + 2, "the page changed more often than four times a second"
    assert seen["longest"] < 700, "the page did not answer for too long"
    assert page.evaluate("document.querySelectorAll('*').length") < 2_500
    page.locator("#filter-kind").select_option("")
    page.locator("#show-new").or_(page.locator("#hold")).first.click()
    expect(page.locator("#feed-note")).to_contain_text(f"{min(len(scene.events), 99_999) - 159:,} events received")
    await_true(page, lambda: max(ids(page)) == len(scene.events))


def test_the_feed_can_be_filtered(page: Page, standin: StandIn, address: str) -> None:
    scene = busy()
    standin.scenes = [scene]
    page.goto(address)
    expect(page.locator(CARDS)).to_have_count(60)
    page.get_by_label("Show").select_option("trouble")
    expect(page.locator(CARDS)).to_have_count(6)
    page.locator("#filter-category").select_option(RUNNING[0])
    expect(page.locator(CARDS)).to_have_count(2)
    page.locator("#filter-worker").select_option("3")
    expect(page.locator(CARDS)).to_have_count(1)
    expect(page.locator(CARDS)).to_contain_text("Rate-limited")
    page.get_by_label("Contains").fill("no such thing")
    expect(page.locator("#feed-empty")).to_have_text("No event fits these filters.")


def test_a_worker_shows_its_own_log_and_figures(page: Page, standin: StandIn, address: str) -> None:
    scene = busy()
    standin.scenes = [scene]
    page.goto(address)
    page.locator(".lane").first.locator(".worker").nth(2).click()
    dialog = page.get_by_role("dialog", name="Worker 3")
    expect(dialog).to_contain_text("Blenders")
    expect(dialog.locator("#worker-now")).to_contain_text("Rate-limited, again in")
    expect(dialog.locator("#worker-figures")).to_contain_text("993 ms")
    own = [event for event in scene.events if event["run_id"] == "run-kitchen-blenders" and event["worker_id"] == 3]
    expect(dialog.locator("#worker-log > li")).to_have_count(len(own))
    scene.emit("fetching", 3, category="kitchen-blenders", run_id="run-kitchen-blenders", product_name="Just now")
    expect(dialog.locator("#worker-log > li").first).to_contain_text("Just now")
    expect(dialog.locator("#worker-now")).to_contain_text("Searching sellers")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_runs_and_assets_link_into_dagster(page: Page, standin: StandIn, address: str) -> None:
    standin.scenes = [busy()]
    page.goto(address)
    lane = page.locator(".lane").first
    expect(lane.get_by_role("link", name="Run")).to_have_attribute(
        "href", "http://127.0.0.1:3000/runs/run-kitchen-blenders"
    )
    asset = "http://127.0.0.1:3000/assets/ebay_listings?partition=kitchen-blenders"
    expect(lane.get_by_role("link", name="Listings")).to_have_attribute("href", asset)


def test_another_collection_can_be_chosen_and_the_back_button_returns(
    page: Page, standin: StandIn, address: str
) -> None:
    old = Scene("old", "completed", categories=[category("kitchen-blenders", "done", 800, 600)])
    standin.scenes = [busy("new"), old]
    page.goto(f"{address}/?collection=old")
    expect(page.locator("#title")).to_have_text("old")
    page.get_by_role("button", name="Show the newest").click()
    expect(page.locator("#title")).to_have_text("new")
    expect(page.locator(".lane")).to_have_count(3)
    page.go_back()
    expect(page.locator("#title")).to_have_text("old")
    expect(page.locator(".lane")).to_have_count(0)


def test_a_collection_that_ended_and_is_resumed_is_followed_again(page: Page, standin: StandIn, address: str) -> None:
    scene = busy()
    scene.end("cancelled")
    standin.scenes = [scene]
    standin.meta["may_control"] = True
    page.goto(address)
    expect(page.locator("#link-text")).to_have_text("Ended")
    page.get_by_role("button", name="Resume").click()
    scene.completed_at = None
    expect(page.locator("#link-text")).to_have_text("Live")
    scene.emit("resumed", 0, category=RUNNING[0], timestamp=utc_text())
    expect(page.locator("#steps li").first).to_contain_text("Blenders resumed")
