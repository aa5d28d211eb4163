"""Who may do what on the page: tokens, control, names that mean harm, keyboards, screen readers and small screens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from collection_pipeline_tests.feed_page.conftest import Complaints
from collection_pipeline_tests.feed_page.scenes import busy, counted
from collection_pipeline_tests.feed_page.standin import Scene, StandIn, category

HOSTILE_ID = '<img src=x onerror="document.title=1">?&#%'
HOSTILE = "<img src=x onerror=\"document.title='broken in'\"><script>document.title='broken in'</script>"


def test_names_from_outside_are_text_and_run_nothing(page: Page, standin: StandIn, address: str) -> None:
    bad = category("kitchen-blenders", "running", 60, name=HOSTILE, department=HOSTILE, run_id="javascript:alert(1)")
    failed = category("toys-kites", "failed", 50, 40, name=HOSTILE, reason=HOSTILE, error_message=HOSTILE)
    scene = Scene(HOSTILE_ID, categories=[bad, failed], facts={"failures": {HOSTILE: 1}, "paused_message": HOSTILE})
    common = {
        "run_id": bad["run_id"],
        "product_name": HOSTILE,
        "error_message": HOSTILE,
        "error_type": HOSTILE,
        "error_stage": HOSTILE,
    }
    scene.emit(
        "error",
        2,
        url="javascript:alert(1)",
        api_params={"q": HOSTILE, "band": HOSTILE, "page": HOSTILE, HOSTILE: HOSTILE},
        **common,
    )
    scene.emit("inserted", 0, run_id=bad["run_id"], new_sellers_count=3)
    scene.emit(HOSTILE, 3, **common)
    scene.metrics["failures"] = [{"error_type": HOSTILE, "error_stage": HOSTILE, "count": 2}]
    standin.scenes = [scene]
    standin.snapshots = [{**counted(1)[0], "collection_id": HOSTILE, "cause": HOSTILE}]
    standin.meta["dagster_url"] = "javascript:alert(1)//"
    page.goto(address)
    expect(page.locator("#title")).to_have_text(HOSTILE_ID)
    expect(page.locator("#feed > li")).to_have_count(3)
    expect(page.locator("#feed > li").last).to_contain_text(HOSTILE)
    for summary in page.locator("summary").all():
        summary.click()
    page.locator(".worker").nth(1).click()
    expect(page.locator("#worker-log")).to_contain_text(HOSTILE)
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelectorAll('img, body script, iframe').length") == 0
    assert page.evaluate("[...document.links].every(link => /^https?:/.test(link.href))")
    assert page.title() == f"Running: {HOSTILE_ID}"


def test_a_token_is_asked_for_kept_out_of_the_address_and_sent(
    page: Page, standin: StandIn, address: str, complaints: Complaints
) -> None:
    standin.token = "open sesame & more"
    standin.scenes = [busy()]
    page.goto(address)
    expect(page.get_by_role("heading", name="This feed asks for a token")).to_be_visible()
    expect(page.get_by_role("textbox", name="Token")).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The server does not accept this token.")
    page.get_by_role("textbox", name="Token").fill(standin.token)
    page.get_by_role("button", name="Open the feed").click()
    expect(page.locator("#link-text")).to_have_text("Live")
    expect(page.locator("#feed > li")).to_have_count(60)
    assert "token" not in page.url
    page.reload()
    expect(page.locator("#link-text")).to_have_text("Live")
    complaints.expect("401")


def test_a_token_in_the_address_is_taken_out_of_it(page: Page, standin: StandIn, address: str) -> None:
    standin.token = "sesame"
    standin.scenes = [busy("other"), busy("mine")]
    page.goto(f"{address}/?collection=mine&token=sesame")
    expect(page.locator("#title")).to_have_text("mine")
    assert page.url == f"{address}/?collection=mine"


def test_a_token_that_is_changed_while_the_page_is_open_is_asked_for_again(
    page: Page, standin: StandIn, address: str, complaints: Complaints
) -> None:
    standin.scenes = [busy()]
    page.goto(address)
    expect(page.locator("#link-text")).to_have_text("Live")
    standin.token = "new"
    standin.break_streams()
    expect(page.get_by_role("textbox", name="Token")).to_be_visible()
    page.get_by_role("textbox", name="Token").fill("new")
    page.keyboard.press("Enter")
    expect(page.locator("#link-text")).to_have_text("Live")
    complaints.expect("401")


def test_a_server_that_may_not_control_shows_no_controls(page: Page, standin: StandIn, address: str) -> None:
    standin.scenes = [busy()]
    page.goto(address)
    expect(page.locator("#title")).to_be_visible()
    for name in ("Pause", "Resume", "Cancel…"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_a_collection_is_paused_resumed_and_after_a_question_cancelled(
    page: Page, standin: StandIn, address: str
) -> None:
    standin.scenes = [busy("c")]
    standin.meta["may_control"] = True
    page.goto(address)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#state")).to_have_text("Paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#state")).to_have_text("Running")
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Keep it going").click()
    page.get_by_role("button", name="Cancel…").click()
    assert standin.asked == [("c", "pause"), ("c", "resume")]
    page.get_by_role("button", name="Cancel the collection").click()
    expect(page.locator("#state")).to_have_text("Cancelling")
    assert standin.asked[-1] == ("c", "cancel")


def test_everything_can_be_done_by_keyboard(page: Page, standin: StandIn, address: str) -> None:
    standin.scenes = [busy()]
    page.goto(address)
    expect(page.locator(".lane")).to_have_count(3)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the collection")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the collection")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    reached = set()
    for _ in range(45):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        has_ring = page.evaluate(
            "document.activeElement === document.body"
            " || getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        )
        assert has_ring, "the focus cannot be seen"
    assert {"worker", "filter-kind", "filter-text", "hold", "feed-scroll"} <= reached

    worker = page.locator(".worker").nth(2)
    worker.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Worker 3")).to_be_visible()
    page.wait_for_timeout(1_200)  # long enough for the lanes to be drawn again
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(worker).to_be_focused()


def test_every_control_and_drawing_has_a_name_for_those_who_hear_it(page: Page, standin: StandIn, address: str) -> None:
    standin.scenes = [busy()]
    standin.snapshots = counted()
    standin.meta["may_control"] = True
    page.goto(address)
    expect(page.locator("#sellers svg")).to_be_visible()
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, select, input, progress, a, dialog, section, [role=region], [role=img]")]
          .filter((one) => !(one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") || one.labels?.length
            || ["BUTTON", "A"].includes(one.tagName) && (one.textContent.trim() || one.hidden)))
          .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    headings = page.locator("h1:visible, h2:visible").all_inner_texts()
    assert headings[1:] == ["Timeline", "Active runs", "Feed", "Pipeline steps", "Failures", "Sellers on the list"]
    assert page.locator("[aria-live]").count() == 1, "the feed itself is not read out"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_background(page: Page, standin: StandIn, address: str, scheme: str) -> None:
    standin.scenes = [busy()]
    standin.snapshots = counted()
    standin.meta["may_control"] = True
    page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    page.goto(address)
    expect(page.locator(".lane")).to_have_count(3)
    page.get_by_text("Every category", exact=True).click()
    expect(page.locator("#sellers svg")).to_be_visible()
    assert page.evaluate(FAINT) == [], "WCAG AA asks for 4.5 to 1"


FAINT = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!hasText || !element.checkVisibility() || element.closest("title, .visually-hidden")) continue;
    const style = getComputedStyle(element);
    const isDrawn = element.namespaceURI.endsWith("svg");
    const box = element.closest(".span")?.querySelector(".span-box");
    const colours = [isDrawn ? style.fill : style.color, box ? getComputedStyle(box).fill : behind(element)].map(light);
    const ratio = (Math.max(...colours) + 0.05) / (Math.min(...colours) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${element.className} ${element.textContent.slice(0, 30)}`);
  }
  return faint;
}"""


def test_at_390_pixels_nothing_is_cut_off_and_nothing_scrolls_sideways(
    page: Page, standin: StandIn, address: str
) -> None:
    scene = busy("a-collection-with-a-name-that-is-longer-than-any-small-screen-is-wide-20261123")
    scene.emit("found", product_name="W" * 120, error_message="x" * 200, api_params={"q": "y" * 150})
    standin.scenes = [scene]
    standin.snapshots = counted()
    standin.meta["may_control"] = True
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    expect(page.locator(".lane")).to_have_count(3)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    # Tables may scroll in a box of their own.
    cut = page.evaluate(CUT_OFF)
    assert cut == []
    page.locator(".worker").nth(2).click()
    box = page.get_by_role("dialog").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


CUT_OFF = """() => [...document.querySelectorAll("#board *")]
  .filter((one) => one.checkVisibility() && !one.closest("svg, select, .scroll-x, .visually-hidden"))
  .filter((one) => one.getBoundingClientRect().right > 390.5
    || one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).textOverflow !== "ellipsis")
  .map((one) => one.outerHTML.slice(0, 80))"""


def test_nothing_moves_for_those_who_want_it_still(browser: Browser, standin: StandIn, address: str) -> None:
    standin.is_slow.set()
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#loading")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
    context.close()
