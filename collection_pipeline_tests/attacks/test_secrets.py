"""Vendors that echo our credentials in what they say of a request, however written: none of it is repeated."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.listings import ListingQuery
from collection_pipeline.core.errors import PipelineError, SourceError
from collection_pipeline.core.money import BandRule, Money, parse_amount
from collection_pipeline.sources.discretion import SHORTEST, Secrets
from collection_pipeline.sources.ebay.token import EbayAccount
from collection_pipeline.sources.opening import open_best_sellers, open_listings, open_result_pages
from collection_pipeline.sources.oxylabs.jobs import OxylabsAccount
from collection_pipeline.tables.server.database import create_engine, database_url, reachable
from collection_pipeline_tests.attacks.misbehaving import HEAD, Talk, misbehaving
from collection_pipeline_tests.sources.asking import Ledger

NAME, PASSWORD = "somebody@example.org", 'hunter2 "secret" %/+='
PAIR = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "in an address": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in JSON in JSON": lambda text: json.dumps(text)[1:-1],
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in a Basic header": lambda _: f"Authorization: Basic {PAIR}",
    "in a Basic header in an address": lambda _: quote(f"Basic {PAIR}", safe=""),
}


def echoing(words: str) -> Talk:
    def talk(client: socket.socket, _request: bytes) -> None:
        body = json.dumps({"message": words, "error_description": words, "errors": [{"errorId": 1, "message": words}]})
        head = HEAD.replace(b"200 OK", b"400 Bad Request")
        client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body.encode()) + body.encode())

    return talk


async def best_sellers(url: str) -> object:
    async with open_best_sellers(OxylabsAccount(url, NAME, PASSWORD), Ledger()) as source:
        return await source.best_sellers("172541", 1)


async def result_page(url: str) -> object:
    async with open_result_pages(OxylabsAccount(url, NAME, PASSWORD), Ledger()) as source:
        return await source.search(query(), 1)


async def listings(url: str) -> object:
    async with open_listings(EbayAccount(url, NAME, PASSWORD), Ledger()) as source:
        return await source.search(query(), 1)


def query() -> ListingQuery:
    amount = parse_amount("20.00")
    assert amount is not None
    return ListingQuery("coffee", BandRule().band(Money(amount, "USD")))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ask", [best_sellers, result_page, listings])
def test_a_vendor_that_echoes_our_credentials_is_quoted_without_them(ask: Callable[[str], object], form: str) -> None:
    echoed = FORMS[form](PASSWORD)
    with misbehaving(echoing(f"You said {echoed} and that is wrong.")) as url, pytest.raises(SourceError) as raised:
        asyncio.run(ask(url))  # type: ignore[arg-type]
    said = str(raised.value) + repr(raised.value) + str(raised.value.url)
    for secret in (echoed, PASSWORD, PAIR, NAME):
        assert secret not in said
    assert "You said" in said
    assert "[hidden]" in said


@given(st.text(min_size=SHORTEST), st.text(min_size=SHORTEST), st.text(), st.text())
def test_no_secret_is_left_in_any_text(name: str, password: str, before: str, after: str) -> None:
    hidden = Secrets(name, password).hide(f"{before}{password}{after}{name}")
    if password not in before + after + "[hidden]":
        assert password not in hidden.replace("[hidden]", "\0")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:hunter2hunter2@127.0.0.1:1/nothing",
        "postgresql://me@127.0.0.1:1/nothing?password=hunter2hunter2",
        "postgresql://127.0.0.1:1/nothing?user=me&password=hunter2hunter2&sslpassword=hunter2hunter2",
    ],
)
def test_a_database_that_does_not_answer_is_named_without_its_password_wherever_that_stands(address: str) -> None:
    engine = create_engine(database_url(address))
    with pytest.raises(PipelineError, match="does not answer") as raised, reachable(engine):
        pass
    assert "hunter2" not in str(raised.value)
    assert "127.0.0.1:1/nothing" in str(raised.value)


def test_secrets_are_not_shown_when_accounts_are() -> None:
    for account in (
        OxylabsAccount("https://example.org", "user", PASSWORD),
        EbayAccount("https://e.org", "id", PASSWORD),
    ):
        assert PASSWORD not in repr(account) + repr(account.secrets)
