"""The page in front of the real server and a real database: a collection from its start to its end."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from collection_pipeline.core.activity import Action
from collection_pipeline.feed.access import FeedConfig
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.feed.serving import append, serving
from collection_pipeline_tests.tables.examples import ORG, collect, finish, listing, start

PRODUCT = "<img src=x onerror=alert(1)> Coffee Machine"


def test_a_collection_is_watched_from_its_start_to_its_end(page: Page, store: Store) -> None:
    start(store, "nightly", "home-coffee")
    store.control.enter("nightly", "home-coffee", "run-1", org_id=ORG)
    with serving(store) as url:
        page.goto(f"{url}/?collection=nightly")
        expect(page.locator("#title")).to_have_text("nightly")
        expect(page.locator("#state")).to_have_text("Running")
        searching = {"category": "home-coffee", "worker_id": 3, "product_name": PRODUCT, "action": Action.FETCHING}
        append(store, range(1), "nightly", **searching, api_params={"q": "coffee", "page": 1})
        expect(page.locator(".worker").nth(2)).to_contain_text("searching sellers")
        expect(page.locator("#feed > li").first).to_contain_text(PRODUCT)
        collect(store, "nightly", "home-coffee", {"B000000001": [listing("1", "alpha")]})
        assert finish(store, "nightly")
        store.snapshots.of_collection("nightly")
        expect(page.locator("#state")).to_have_text("Completed")
        expect(page.locator("#figures")).to_contain_text("New sellers")


def test_who_brings_the_token_can_pause_and_resume(page: Page, store: Store) -> None:
    start(store, "nightly", "home-coffee")
    store.control.enter("nightly", "home-coffee", "run-1", org_id=ORG)
    with serving(store, FeedConfig(token="a token of this test", may_control=True)) as url:
        page.goto(f"{url}/?collection=nightly&token=a%20token%20of%20this%20test")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#state")).to_have_text("Paused")
        assert store.collections.get("nightly").status == "paused"
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#state")).to_have_text("Running")
        assert "token" not in page.url
