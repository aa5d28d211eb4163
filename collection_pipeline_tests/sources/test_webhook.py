"""The webhook: Slack's own format, and what becomes of a message when the other side is not well."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.processes.running_services import free_port
from collection_pipeline.sources import webhook
from collection_pipeline.sources.webhook import LONGEST_TEXT, REST_AFTER_REFUSAL_S, Outcome, post, slack_text
from collection_pipeline_tests.sources.hooks import Hook, listening

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as started:
        yield started


def test_a_message_is_a_json_object_with_a_text(hook: Hook) -> None:
    assert post(hook.url, "It – ended", NOW).outcome is Outcome.TAKEN
    assert hook.bodies == [{"text": "It – ended"}]


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "wait_s"),
    [
        (204, {}, Outcome.TAKEN, 0),
        (429, {"retry-after": "30"}, Outcome.NOT_TAKEN, 30),
        (429, {"retry-after": "Fri, 01 May 2026 12:01:00 GMT"}, Outcome.NOT_TAKEN, 60),
        (429, {}, Outcome.NOT_TAKEN, 1),
        (500, {}, Outcome.NOT_TAKEN, 0),
        (503, {}, Outcome.NOT_TAKEN, 0),
        (404, {}, Outcome.NOT_TAKEN, REST_AFTER_REFUSAL_S),
        (302, {"location": "/elsewhere"}, Outcome.NOT_TAKEN, REST_AFTER_REFUSAL_S),
        (None, {}, Outcome.UNKNOWN, 0),
    ],
)
def test_what_an_answer_means(
    hook: Hook, status: int | None, headers: dict[str, str], outcome: Outcome, wait_s: float
) -> None:
    hook.status, hook.headers = status, headers
    delivery = post(hook.url, "text", NOW)
    assert (delivery.outcome, delivery.wait_s) == (outcome, wait_s)
    assert "s3cret" not in delivery.sentence


def test_nobody_there_is_not_taken() -> None:
    assert post(f"http://127.0.0.1:{free_port()}/s3cret", "text", NOW).outcome is Outcome.NOT_TAKEN


def test_no_answer_in_time_leaves_it_open(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.1)
    hook.delay = threading.Event()
    delivery = post(hook.url, "text", NOW)
    hook.delay.set()
    assert (delivery.outcome, delivery.sentence) == (
        Outcome.UNKNOWN,
        "The webhook did not say whether it took it (ReadTimeout).",
    )


@pytest.mark.parametrize(
    "url", ["http://a b/s3cret", "http://\x00/s3cret", "http://xn--/s3cret", "http://h:99999/s3cret"]
)
def test_an_unusable_address_is_no_exception(url: str) -> None:
    delivery = post(url, "text", NOW)
    assert delivery.outcome is Outcome.NOT_TAKEN
    assert "s3cret" not in delivery.sentence


@pytest.mark.parametrize("status", [200, 404])
def test_the_address_is_in_no_log(hook: Hook, caplog: pytest.LogCaptureFixture, status: int) -> None:
    hook.status = status
    with caplog.at_level(logging.DEBUG):
        post(hook.url, "text", NOW)
        post(f"http://127.0.0.1:{free_port()}/s3cret", "text", NOW)
    assert caplog.records
    assert "s3cret" not in caplog.text
    assert logging.getLogger("httpx").filters == []


def test_lines_link_to_dagster_and_cannot_mention_anybody() -> None:
    assert slack_text([("a < b & <!channel>\nc", "http://d/runs?a=1&b=x|y")]) == (
        "a &lt; b &amp; &lt;!channel&gt; c <http://d/runs?a=1&amp;b=x%7Cy|Open in Dagster>"
    )


@given(st.lists(st.text(max_size=6000), min_size=1, max_size=6))
def test_a_message_is_never_too_long_and_its_markup_always_whole(texts: list[str]) -> None:
    text = slack_text([(one, "http://d/runs/1") for one in texts])
    assert len(text) <= LONGEST_TEXT
    assert text.count("<") == text.count(">") == len(texts)
    assert len(text.splitlines()) >= 1
    assert all(part[:3] in ("amp", "lt;", "gt;") for part in text.split("&")[1:])
