"""Replies that no simulator would give, from apps of a few lines in the place of the network."""

import asyncio
import json
import logging
import traceback
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collection_pipeline.core.collecting.listings import ListingPage, ListingQuery
from collection_pipeline.core.collecting.products import BestSellerPage
from collection_pipeline.core.collecting.usage import Call
from collection_pipeline.core.errors import (
    FaultedJob,
    Garbled,
    Malformed,
    QuotaExhausted,
    RateLimited,
    Rejected,
    SourceError,
    Transient,
    Unauthorised,
)
from collection_pipeline.core.money import PriceBand
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.faults import Fault
from collection_pipeline.simulator.server import running
from collection_pipeline.sources.ebay.browse_api import EbayListings
from collection_pipeline.sources.ebay.token import EbayAccount
from collection_pipeline.sources.http import LONGEST_QUOTE, count, quoted, retry_after_s, shown
from collection_pipeline.sources.oxylabs.best_sellers import OxylabsBestSellers
from collection_pipeline.sources.oxylabs.jobs import OxylabsAccount, OxylabsJobs
from collection_pipeline_tests.conftest import WIRE
from collection_pipeline_tests.sources.asking import NODE, NOON, Ledger, search
from collection_pipeline_tests.sources.ebay.test_browse_api import ITEM
from collection_pipeline_tests.sources.test_oxylabs import JSON, ROW, reply

# A product whose name holds the word by which eBay's user data limit is known.
QUERY = ListingQuery("Door Threshold Ramp", PriceBand(Decimal("18.00"), Decimal("22.00"), "USD"))
SECRETS = ("hunter2", "hunter3", "v^1.1#token")
TOKEN = {"access_token": "v^1.1#token", "expires_in": 7200}
FOUND = {"total": 1, "itemSummaries": [ITEM]}

App = Callable[[httpx.Request], httpx.Response]


def from_ebay(answer: App | httpx.Response, token: httpx.Response | None = None, ledger: Ledger | None = None) -> Any:
    """What the eBay source makes of one reply to a search."""

    def app(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/identity/v1/oauth2/token":
            return token or httpx.Response(200, json=TOKEN)
        return answer if isinstance(answer, httpx.Response) else answer(request)

    async def ask() -> ListingPage:
        account = EbayAccount("https://api.example", "id", "hunter3")
        async with httpx.AsyncClient(base_url=account.url, transport=httpx.MockTransport(app)) as client:
            return await EbayListings(account, client, ledger or Ledger(), clock=lambda: NOON).search(QUERY, 1)

    return asyncio.run(ask())


def from_oxylabs(answer: App | httpx.Response) -> Any:
    """What the Oxylabs source makes of one reply."""

    def app(request: httpx.Request) -> httpx.Response:
        return answer if isinstance(answer, httpx.Response) else answer(request)

    async def ask() -> BestSellerPage:
        account = OxylabsAccount("https://realtime.example", "user", "hunter2")
        async with httpx.AsyncClient(base_url=account.url, transport=httpx.MockTransport(app)) as client:
            jobs = OxylabsJobs(account, client, Ledger(), clock=lambda: NOON)
            return await OxylabsBestSellers(jobs).best_sellers(NODE, 1)

    return asyncio.run(ask())


def problem(error_id: object = 12515, **more: object) -> dict[str, object]:
    return {"errors": [{"errorId": error_id, "message": "What eBay says.", **more}]}


def failing(error: Exception) -> App:
    def app(_request: httpx.Request) -> httpx.Response:
        raise error

    return app


@pytest.mark.parametrize("ask", [from_ebay, from_oxylabs])
@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectTimeout("x"),
        httpx.ReadTimeout("x"),
        httpx.PoolTimeout("x"),
        httpx.ConnectError("x"),
        httpx.ReadError("x"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.DecodingError("x"),
    ],
)
def test_a_connection_that_fails_is_transient_and_says_on_what(ask: Callable[[App], object], error: Exception) -> None:
    with pytest.raises(
        Transient, match=r"('Door Threshold Ramp'|node 172541), page 1: .*Trying again may help"
    ) as raised:
        ask(failing(error))
    assert type(error).__name__ in str(raised.value)
    assert raised.value.url


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b'"text"',
        b'{"total":NaN}',
        b'{"total":-Infinity}',
        b'{"total":1e99999999999999999999}',
        b'{"total":' + b"9" * 5000 + b"}",
        b'{"total":1e999999999,"job":{}}',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("ask", [from_ebay, from_oxylabs])
def test_a_body_that_is_no_exact_json_object_is_malformed(
    ask: Callable[[httpx.Response], object], content: bytes
) -> None:
    with pytest.raises(Malformed):
        ask(httpx.Response(200, content=content))


@pytest.mark.parametrize("content", [b"", b"<html>", b"null", b'{"total":1', b"\xff\xfe\x00", b'{"total":"\xc3"}'])
@pytest.mark.parametrize("ask", [from_ebay, from_oxylabs])
def test_a_body_of_which_nothing_can_be_read_is_tried_again(
    ask: Callable[[httpx.Response], object], content: bytes
) -> None:
    with pytest.raises(Garbled) as raised:
        ask(httpx.Response(200, content=content))
    assert raised.value.retryable


@pytest.mark.parametrize(
    "content",
    [
        {"parse_status_code": [12000]},
        {"parse_status_code": {}},
        {"parse_status_code": "12000"},
        {"parse_status_code": True},
        {"pages": "9" * 5000},
        {"pages": "²"},
        {"pages": 1e300},
        {"query": [NODE]},
        {"results": {"0": ROW}},
    ],
)
def test_content_of_the_wrong_kind_is_malformed(content: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        from_oxylabs(httpx.Response(200, json=reply(ROW, **content)))


@pytest.mark.parametrize("position", [Decimal("1.5"), Decimal("1e9999999"), 2**31, -1, True])
def test_a_position_that_cannot_be_is_none(position: object) -> None:
    other = {**ROW, "asin": "B000000002"}
    answer = {**ROW, "pos": 1e300 if isinstance(position, Decimal) and position > 2 else position}
    page = from_oxylabs(httpx.Response(200, content=json.dumps(reply(other, answer), default=float)))
    assert [product.asin for product in page.products] == ["B000000002"]
    assert page.bad_rows == ("row 2: B082R2TMRV has no position",)
    assert count(position, 10_000) is None


def test_a_rate_that_is_no_number_is_not_taken_note_of() -> None:
    page = from_oxylabs(httpx.Response(200, json=reply(ROW), headers={"x-ratelimit-x-limit": "9" * 5000}))
    assert page.products


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"message": "Unsupported source."}, Rejected),
        (400, {"errors": ["[query]: This field is missing."]}, Rejected),
        (302, {}, Rejected),
        (404, {"message": "Query not found."}, Rejected),
        (401, {"message": "Authorization header not provided."}, Unauthorised),
        (403, {}, Unauthorised),
        (204, None, FaultedJob),
        (408, {"message": "Timed out."}, FaultedJob),
        (500, None, Transient),
        (524, None, Transient),
        (429, {"message": "Access to amazon.com has been limited to 1 req/s"}, RateLimited),
    ],
)
def test_every_status_of_oxylabs_has_its_kind_and_its_own_words(
    status: int, body: dict[str, Any] | None, kind: type[SourceError]
) -> None:
    with pytest.raises(kind) as raised:
        from_oxylabs(httpx.Response(status, json=body))
    assert type(raised.value) is kind
    if kind in (Rejected, RateLimited) and body:
        assert str(body.get("message") or body["errors"][0]) in str(raised.value)


@pytest.mark.parametrize(("status", "kind"), [(500, Transient), (429, Transient), (404, Malformed), ("x", Malformed)])
def test_a_done_job_without_the_targets_page_is_no_page(status: object, kind: type[SourceError]) -> None:
    body = reply(ROW)
    body["results"][0]["status_code"] = status
    with pytest.raises(kind, match="Amazon answered with status"):
        from_oxylabs(httpx.Response(200, json=body))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, problem(12515), Transient),
        (409, problem(12000), Transient),
        (500, problem(12000), Transient),
        (503, None, Transient),
        (408, None, Transient),
        (400, problem(12023), Malformed),
        (400, problem(12001), Rejected),
        (409, problem(12013), Rejected),
        (400, problem([12515]), Rejected),
        (400, problem({}), Rejected),
        (400, {"errors": "x"}, Rejected),
        (302, None, Rejected),
        (403, problem(1100), Unauthorised),
        (403, None, Unauthorised),
        (429, problem(2001), QuotaExhausted),
        (429, problem([2001]), RateLimited),
        (429, None, RateLimited),
    ],
)
def test_every_error_of_ebay_has_its_kind(status: int, body: dict[str, Any] | None, kind: type[SourceError]) -> None:
    with pytest.raises(kind) as raised:
        from_ebay(httpx.Response(status, json=body))
    assert type(raised.value) is kind


@pytest.mark.parametrize("status", [400, 403, 409, 429, 500])
def test_the_limit_of_user_data_stops_the_collection_whatever_its_status_and_number(status: int) -> None:
    config = SimulatorConfig(
        products_per_page=3,
        bulk_threshold_status=status,
        bulk_threshold_code=2001 if status == 429 else 12000,
        faults=(Fault("ebay.bulk_threshold"),),
    )
    with running(config) as simulator, pytest.raises(Rejected, match="limit of user data") as raised:
        search(simulator, QUERY)
    assert raised.value.stops_collection


@pytest.mark.parametrize(("status", "code", "kind"), [(400, 12515, Transient), (400, 12023, Malformed)])
def test_a_threshold_ramp_in_the_echoed_query_is_not_that_limit(
    status: int, code: int, kind: type[SourceError]
) -> None:
    echo = [{"name": "q", "value": QUERY.text}]
    with pytest.raises(kind):
        from_ebay(httpx.Response(status, json=problem(code, parameters=echo)))


@pytest.mark.parametrize("warnings", [[{"errorId": 12002, "message": "Ignored."}], {"errorId": 12002}, "12002", 1])
def test_a_warned_answer_is_never_used(warnings: object) -> None:
    with pytest.raises(Rejected, match="ignored part of the request") as raised:
        from_ebay(httpx.Response(200, json={**FOUND, "warnings": warnings}))
    assert ("12002" in str(raised.value)) is isinstance(warnings, list | dict)


@pytest.mark.parametrize(
    "token",
    [
        {},
        {"access_token": ""},
        {"access_token": "t"},
        {"access_token": "t", "expires_in": 0},
        {"access_token": "t", "expires_in": 10**30},
        {"access_token": "t\nx", "expires_in": 7200},
        {"access_token": "tö", "expires_in": 7200},
    ],
)
def test_a_token_that_cannot_be_used_is_malformed(token: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="no token or no lifetime"):
        from_ebay(httpx.Response(200, json=FOUND), httpx.Response(200, json=token))


def test_a_search_that_is_refused_twice_has_cost_two_tokens_and_two_calls() -> None:
    ledger = Ledger()
    with pytest.raises(Unauthorised, match="EBAY_CLIENT_ID and EBAY_CLIENT_SECRET"):
        from_ebay(httpx.Response(401, json=problem(1001)), ledger=ledger)
    assert ledger.calls == {Call("ebay", "token"): 2, Call("ebay", "search"): 2}


@pytest.mark.parametrize("size", [0, -1, 201])
def test_a_page_size_that_ebay_would_refuse_is_refused_at_once(size: int) -> None:
    account = EbayAccount("https://api.example", "id", "hunter3")
    with pytest.raises(ValueError, match="eBay takes 1 to 200"):
        EbayListings(account, httpx.AsyncClient(), Ledger(), clock=lambda: NOON, page_size=size)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("7", 7),
        ("0", 0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
        ("Mon, 23 Nov 2026 12:00:30", None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("Mon, 01 Jan 2024 00:00:00 +9999999999999999", None),
        (f"{'9' * 30} Jan 2024 00:00:00", None),
    ],
)
@pytest.mark.parametrize("ask", [from_ebay, from_oxylabs])
def test_the_vendors_wish_to_wait_is_heard(
    ask: Callable[[httpx.Response], object], header: str, wait_s: float | None
) -> None:
    with pytest.raises(RateLimited) as raised:
        ask(httpx.Response(429, headers={"retry-after": header}))
    assert raised.value.retry_after_s == wait_s


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40))
def test_any_retry_after_is_a_wait_or_nothing(header: str) -> None:
    wait = retry_after_s(httpx.Response(429, headers=[(b"retry-after", header.encode("latin-1"))]), NOON)
    assert wait is None or wait >= 0


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(409, content=json.dumps(problem("\x00\ud800", message="a\x00" + "m" * 100_000))),
        httpx.Response(200, content=json.dumps({**FOUND, "warnings": [{"errorId": "\ud800\x00" * 999}]})),
    ],
)
def test_what_a_vendor_says_is_quoted_short_and_storable(answer: httpx.Response) -> None:
    with pytest.raises(SourceError) as raised:
        from_ebay(answer)
    assert_storable(raised.value)


@pytest.mark.parametrize(
    "value", ["a\x00\ud800b", "x" * 1000, {"a": "\x00"}, ["\ud800"], None, True, 12, Decimal("1.5")]
)
def test_any_value_can_be_quoted(value: object) -> None:
    words = quoted(value)
    assert words
    assert len(words) <= LONGEST_QUOTE
    assert not any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in words)


def test_addresses_are_shown_without_credentials() -> None:
    url = httpx.URL(
        "https://user:hunter2@api.example/x?q=ramp&access_token=hunter3&apiKey=hunter3&client_secret=hunter3"
    )
    assert "hunter" not in shown(url)
    assert "q=ramp" in shown(url)
    plain = httpx.URL("https://api.example/x", params={"filter": "price:[1.00..2.00],conditionIds:{1000}"})
    assert shown(plain) == str(plain)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 429, 500])
def test_secrets_are_in_no_error_no_traceback_and_no_log(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for ask in (from_ebay, from_oxylabs):
        with pytest.raises(SourceError) as raised:
            ask(httpx.Response(status, json={"message": "no"}))
        told = (
            "".join(traceback.format_exception(raised.value)) + repr(raised.value) + str(raised.value.url) + caplog.text
        )
        assert not any(secret in told for secret in (*SECRETS, "Basic ", "Bearer "))


def test_ebays_own_samples_have_their_kind() -> None:
    kinds: dict[str, type[SourceError] | None] = {
        "browse_401": Unauthorised,
        "browse_403_scope": Unauthorised,
        "browse_429": QuotaExhausted,
        "browse_200_warning_sort": Rejected,
        "browse_400_offset_not_multiple": Transient,
        "browse_empty": None,
    }
    samples = {one["name"]: one for one in vendor_samples("ebay_wire_samples.json")}
    for name, kind in kinds.items():
        answer = httpx.Response(samples[name]["http_status"], json=samples[name]["body"])
        assert kind_of(partial(from_ebay, answer)) is kind, name
    for name, kind in {"token_ok": None, "token_invalid_client": Unauthorised, "token_invalid_scope": Rejected}.items():
        body = samples[name]["body"]
        if name == "token_ok":  # the vendor's page cuts the token with a character that no header may hold
            body = {**body, "access_token": body["access_token"].rstrip("…")}
        token = httpx.Response(samples[name]["http_status"], json=body)
        assert kind_of(partial(from_ebay, httpx.Response(200, json=FOUND), token)) is kind, name


def test_oxylabs_own_samples_have_their_kind() -> None:
    kinds: dict[str, type[SourceError]] = {
        "realtime_done_raw": Malformed,
        "realtime_faulted_613": FaultedJob,
        "bestsellers_faulted_613": FaultedJob,
        "faulted_400_entry": FaultedJob,
        "rate_limited_429": RateLimited,
        "bad_request_source_400": Rejected,
        "malformed_json_400": Rejected,
        "bad_locale_400": Rejected,
        "no_auth_401": Unauthorised,
        "bad_credentials_401": Unauthorised,
        "realtime_ttl_408": FaultedJob,
    }
    samples = {one["name"]: one for one in vendor_samples("oxylabs_wire_samples.json")}
    for name, kind in kinds.items():
        body = samples[name]["body"]
        content = b"" if body is None else json.dumps(body).encode()
        answer = httpx.Response(samples[name]["http_status"], headers=samples[name]["headers"], content=content)
        assert kind_of(partial(from_oxylabs, answer)) is kind, name


def vendor_samples(name: str) -> list[dict[str, Any]]:
    file = WIRE / name
    if not file.exists():
        pytest.skip("the vendors' samples are not here")
    samples: list[dict[str, Any]] = json.loads(file.read_text())
    return samples


def kind_of(ask: Callable[[], object]) -> type[SourceError] | None:
    try:
        ask()
    except SourceError as error:
        return type(error)
    return None


STATUSES = st.sampled_from([200, 200, 200, 204, 302, 400, 401, 403, 404, 408, 409, 429, 500, 524])
PROBLEMS = st.lists(
    st.fixed_dictionaries({}, optional={"errorId": JSON | st.sampled_from([2001, 12029]), "message": JSON}), max_size=2
)
RESULTS = st.fixed_dictionaries(
    {"status_code": st.just(200) | JSON},
    optional={
        "type": st.just("parsed") | JSON,
        "content": JSON
        | st.fixed_dictionaries(
            {"query": st.just(NODE) | JSON, "parse_status_code": st.sampled_from([12000, 12004]) | JSON},
            optional={"results": st.lists(st.just(ROW) | JSON, max_size=2) | JSON, "pages": st.just(2) | JSON},
        ),
    },
)
BODIES = (
    JSON
    | st.fixed_dictionaries({}, optional={"errors": PROBLEMS | JSON, "warnings": PROBLEMS | JSON, "message": JSON})
    | st.fixed_dictionaries(
        {"results": st.lists(RESULTS, max_size=2)}, optional={"job": JSON | st.just({"status": "done"})}
    )
).map(lambda body: json.dumps(body, default=float).encode()) | st.binary(max_size=20)


@settings(max_examples=150, deadline=None)
@given(STATUSES, BODIES)
def test_any_reply_at_all_is_an_answer_or_a_classified_error(status: int, content: bytes) -> None:
    for ask in (from_ebay, from_oxylabs):
        try:
            ask(httpx.Response(status, content=content))
        except SourceError as error:
            assert_storable(error)


def assert_storable(error: SourceError) -> None:
    """Errors are kept in tables and shown in one line."""
    assert len(str(error)) < 1000
    assert "\x00" not in str(error)
    str(error).encode()  # raises for a lone surrogate
