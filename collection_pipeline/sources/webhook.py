"""A webhook that takes messages as Slack's does: a JSON object with a text.

The address is the secret here, so it stands in nothing that this module says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import httpx

from collection_pipeline.sources.http import retry_after_s

TIMEOUT_S = 10
DEADLINE_S = 20
"""For the whole of it: a byte every few seconds never meets a timeout."""

LONGEST_TEXT = 3_500
"""Slack shows up to 4,000 characters of a text well, links included."""

REST_AFTER_REFUSAL_S = 600
"""A webhook that does not exist any more, or forbids it, is not asked again every few seconds."""


_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
"""Nothing of the message was sent."""


class Outcome(StrEnum):
    """Whether the message came through."""

    TAKEN = "taken"
    NOT_TAKEN = "not_taken"
    UNKNOWN = "unknown"  # it was on its way when the connection broke, or no answer came in time


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message, in a sentence for people, and how long the webhook is to be left alone."""

    outcome: Outcome
    sentence: str
    wait_s: float = 0


def post(url: str, text: str, now: datetime, *, deadline_s: float = DEADLINE_S) -> Delivery:
    """Posts a message once. Never raises for what the network or the other side does."""
    try:
        with _unlogged(url):
            return asyncio.run(_post(url, text, now, deadline_s))
    except TimeoutError:
        return Delivery(Outcome.UNKNOWN, f"The webhook did not say within {deadline_s:g} s whether it took it.")
    except _NOT_CONNECTED as error:
        return Delivery(Outcome.NOT_TAKEN, f"The webhook cannot be reached ({type(error).__name__}).")
    except httpx.RequestError as error:
        return Delivery(Outcome.UNKNOWN, f"The webhook did not say whether it took it ({type(error).__name__}).")
    except (httpx.InvalidURL, ValueError):  # ValueError: a host name that is none
        return _refused("The webhook's address is not usable. Correct COLLECTION_ALERT_WEBHOOK.")


async def _post(url: str, text: str, now: datetime, deadline_s: float) -> Delivery:
    async with (
        asyncio.timeout(deadline_s),
        httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client,
        # Only the status matters; the body is not read, because it might never end.
        client.stream("POST", url, json={"text": text}) as response,
    ):
        return _delivery(response, now)


@contextmanager
def _unlogged(url: str) -> Iterator[None]:
    """Keeps the address out of httpx's own log, which names every request's."""
    logger = logging.getLogger("httpx")
    address = str(httpx.URL(url))

    def is_harmless(record: logging.LogRecord) -> bool:
        return address not in record.getMessage()

    logger.addFilter(is_harmless)
    try:
        yield
    finally:
        logger.removeFilter(is_harmless)


def _delivery(response: httpx.Response, now: datetime) -> Delivery:
    status = response.status_code
    if response.is_success:
        return Delivery(Outcome.TAKEN, "The webhook took it.")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        wait_s = retry_after_s(response, now) or 1
        return Delivery(Outcome.NOT_TAKEN, f"The webhook takes nothing for {wait_s:.0f} s (429).", wait_s)
    if response.is_server_error:
        return Delivery(Outcome.NOT_TAKEN, f"The webhook has a fault of its own ({status}).")
    return _refused(f"The webhook refuses messages ({status}). Correct COLLECTION_ALERT_WEBHOOK.")


def _refused(sentence: str) -> Delivery:
    return Delivery(Outcome.NOT_TAKEN, sentence, REST_AFTER_REFUSAL_S)


def slack_text(lines: Sequence[tuple[str, str]]) -> str:
    """Lines with a link each, as Slack reads them. What stands in a text cannot become a mention or a link."""
    room = LONGEST_TEXT // max(1, len(lines))
    return "\n".join(_line(text, url, room) for text, url in lines)


def _line(text: str, url: str, room: int) -> str:
    link = f" <{_escaped(url).replace('|', '%7C').replace(' ', '%20')}|Open in Dagster>"
    left = max(40, room - len(link) - 1)
    return _cut(" ".join(text.split()), left) + link


def _cut(text: str, longest: int) -> str:
    """The text, escaped; shortened before that, so that no escape is cut in two."""
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    while len(_escaped(text)) > longest:
        text = text[:-2].rstrip("…") + "…"
    return _escaped(text)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
