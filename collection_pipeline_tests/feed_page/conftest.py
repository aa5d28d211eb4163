"""A real browser on the real page, in front of a server that is scripted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

from collection_pipeline_tests.feed_page.standin import StandIn, serving

WIDE: ViewportSize = {"width": 1280, "height": 900}

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Not for the session: while the browser is there, asyncio.run is refused, which other packages' tests need.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with headless_chromium() as browser:
        yield browser


@contextmanager
def headless_chromium() -> Iterator[Browser]:
    """A real browser; the test is skipped where there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("CI has to have chromium: the page's tests need a browser.")
        pytest.skip("There is no chromium on this machine; the page's tests need a browser.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def standin() -> StandIn:
    return StandIn()


@pytest.fixture
def address(standin: StandIn) -> Iterator[str]:
    with serving(standin) as url:
        yield url


class Complaints(list[str]):
    """What the browser objects to: script errors, console errors, violations of the policy."""

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.append(message.text)

    def expect(self, part: str) -> None:
        """Takes out those that a test brought about on purpose."""
        self[:] = [one for one in self if part not in one]


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(browser: Browser, complaints: Complaints, address: str) -> Iterator[Page]:  # noqa: ARG001
    """A page of its own at 1280 pixels. The test fails if the browser had anything to object to.

    It asks for the address so that the page is closed before its server stops, which it would object to.
    """
    context = browser.new_context(viewport=WIDE)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.on("console", complaints.hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture(scope="package")
def rules(browser: Browser) -> Iterator[Page]:
    """A page for trying the page's own rules with literals."""
    with serving(StandIn()) as url:
        page = browser.new_page()
        page.goto(url)
        yield page
        page.close()
