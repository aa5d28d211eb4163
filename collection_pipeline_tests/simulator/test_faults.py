"""Every fault shows what its sentence in FAULTS says."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from collection_pipeline.simulator.faults import FAULTS, Fault
from collection_pipeline_tests.simulator.asking import NODE, Asking

Check = Callable[[Asking], None]


def _search(status: int, code: int | None = None) -> Check:
    def check(ask: Asking) -> None:
        response = ask.search()
        assert response.status_code == status
        if code is None:
            assert response.headers["content-type"].startswith("text/html")
        else:
            assert response.json()["errors"][0]["errorId"] == code

    return check


def _node(status: int) -> Check:
    def check(ask: Asking) -> None:
        assert ask.node().status_code == status

    return check


def _revoked(ask: Asking) -> None:
    ask.simulator.set_faults()
    token = ask.token()
    ask.simulator.set_faults(Fault("ebay.tokens_revoked", nth=1))
    assert [ask.search(token=token).status_code for _ in range(2)] == [401, 401]
    assert ask.search().status_code == 200


def _unauthorised(ask: Asking) -> None:
    token = ask.token()
    assert ask.search(token=token).json()["errors"][0]["errorId"] == 1001
    ask.simulator.set_faults()
    assert ask.search(token=token).status_code == 200


def _late(request: Callable[[Asking], httpx.Response], name: str) -> Check:
    def check(ask: Asking) -> None:
        ask.simulator.set_faults(Fault(name, seconds=0.3))
        began = time.monotonic()
        assert request(ask).status_code == 200
        assert time.monotonic() - began >= 0.3

    return check


def _dropped(request: Callable[[Asking], httpx.Response]) -> Check:
    def check(ask: Asking) -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            request(ask)

    return check


def _truncated(request: Callable[[Asking], httpx.Response]) -> Check:
    def check(ask: Asking) -> None:
        response = request(ask)
        assert response.status_code == 200
        with pytest.raises(ValueError, match="line"):
            response.json()

    return check


def _null(request: Callable[[Asking], httpx.Response]) -> Check:
    def check(ask: Asking) -> None:
        response = request(ask)
        assert (response.status_code, response.json()) == (200, None)

    return check


def _html(request: Callable[[Asking], httpx.Response]) -> Check:
    def check(ask: Asking) -> None:
        response = request(ask)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/html")

    return check


def _unfiltered(ask: Asking) -> None:
    body = ask.search(limit=200, filter="conditionIds:{3000}").json()
    assert [warning["errorId"] for warning in body["warnings"]] == [12002]
    assert {"1000", "3000"} <= {item.get("conditionId") for item in body["itemSummaries"]}


def _bad_item(ask: Asking) -> None:
    first, *others = ask.search(limit=10).json()["itemSummaries"]
    assert not {"itemId", "seller"} & first.keys()
    assert first["price"]["value"] == "N/A"
    assert all("itemId" in item for item in others)


def _token(status: int) -> Check:
    def check(ask: Asking) -> None:
        assert ask.token_response().status_code == status

    return check


def _faulted(status_code: int) -> Check:
    def check(ask: Asking) -> None:
        response = ask.node()
        assert (response.status_code, response.json()["job"]["status"]) == (200, "faulted")
        [result] = response.json()["results"]
        assert (result["status_code"], result["content"], result["type"]) == (status_code, "", "raw")
        assert ask.simulator.stats()["oxylabs_billed_pages"] == 0

    return check


def _faulted_204(ask: Asking) -> None:
    response = ask.node()
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["x-oxylabs-job-status"] == "faulted"


def _timed_out(ask: Asking) -> None:
    response = ask.node()
    assert (response.status_code, response.content) == (408, b'{"message":"Timed out."}')
    assert "x-oxylabs-job-id" not in response.headers


def _limited(ask: Asking) -> None:
    response = ask.node()
    assert response.status_code == 429
    assert "retry-after" not in response.headers
    assert any(name.endswith("-remaining") and value == "0" for name, value in response.headers.items())


def _unauthorised_empty(ask: Asking) -> None:
    response = ask.node()
    assert (response.status_code, response.content) == (401, b"")


def _content(check: Callable[[object], bool]) -> Check:
    def checked(ask: Asking) -> None:
        body = ask.node().json()
        [result] = body["results"]
        assert (body["job"]["status"], result["status_code"], result["type"]) == ("done", 200, "parsed")
        assert check(result["content"])

    return checked


def _short(ask: Asking) -> None:
    assert len(ask.node().json()["results"][0]["content"]["results"]) == 1


def _wrong_query(ask: Asking) -> None:
    assert ask.node().json()["results"][0]["content"]["query"] != NODE


def _bad_row(ask: Asking) -> None:
    rows = ask.node().json()["results"][0]["content"]["results"]
    [bad] = [row for row in rows if row["asin"] is None]
    assert (bad["title"], bad["price"]) == (None, "N/A")


def _result_page(check: Callable[[str], bool]) -> Check:
    def checked(ask: Asking) -> None:
        assert check(ask.result_page())
        ask.simulator.set_faults()
        assert not check(ask.result_page())
        assert ask.node().json()["job"]["status"] == "done"

    return checked


EFFECTS: dict[str, Check] = {
    "ebay.rate_limited": _search(429),
    "ebay.quota_exhausted": _search(429, 2001),
    "ebay.unauthorised": _unauthorised,
    "ebay.tokens_revoked": _revoked,
    "ebay.access_denied": _search(403, 1100),
    "ebay.forbidden_edge_403": _search(403),
    "ebay.server_error": _search(500, 12000),
    "ebay.bad_gateway_html": _search(502),
    "ebay.slow": _late(Asking.search, "ebay.slow"),
    "ebay.reset": _dropped(Asking.search),
    "ebay.truncated_json": _truncated(Asking.search),
    "ebay.null_body": _null(Asking.search),
    "ebay.html_page": _html(Asking.search),
    "ebay.warning_unfiltered": _unfiltered,
    "ebay.offset_12515": _search(400, 12515),
    "ebay.too_large_12023": _search(400, 12023),
    "ebay.bulk_threshold": _search(403, 12099),
    "ebay.bad_item": _bad_item,
    "ebay.token_refused": _token(401),
    "ebay.token_server_error": _token(503),
    "oxylabs.faulted_613": _faulted(613),
    "oxylabs.faulted_400": _faulted(400),
    "oxylabs.faulted_204": _faulted_204,
    "oxylabs.timed_out_408": _timed_out,
    "oxylabs.rate_limited": _limited,
    "oxylabs.unauthorised_empty": _unauthorised_empty,
    "oxylabs.server_error": _node(500),
    "oxylabs.gateway_524": _node(524),
    "oxylabs.parse_failure_empty": _content(lambda content: content == ""),
    "oxylabs.parse_failure_12002": _content(lambda content: content == {"parse_status_code": 12002}),
    "oxylabs.partial_12004": _content(lambda content: content["parse_status_code"] == 12004 and content["_warnings"]),  # type: ignore[index]
    "oxylabs.parse_unknown_12007": _content(lambda content: content["parse_status_code"] == 12007),  # type: ignore[index]
    "oxylabs.short_page": _short,
    "oxylabs.wrong_query": _wrong_query,
    "oxylabs.bad_row": _bad_row,
    "oxylabs.slow": _late(Asking.node, "oxylabs.slow"),
    "oxylabs.ebay_bot_wall": _result_page(lambda html: "<li" not in html),
    "oxylabs.ebay_gallery": _result_page(lambda html: "<li" in html and "% positive" not in html),
    "oxylabs.ebay_local_currency": _result_page(lambda html: "IDR" in html),
    "oxylabs.reset": _dropped(Asking.node),
    "oxylabs.truncated_json": _truncated(Asking.node),
    "oxylabs.null_body": _null(Asking.node),
    "oxylabs.html_page": _html(Asking.node),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_looks_as_documented_and_ends_when_switched_off(ask: Asking, name: str) -> None:
    ask.simulator.set_faults(name)
    EFFECTS[name](ask)
    assert ask.simulator.stats()["faults"][name] >= 1
    ask.simulator.set_faults()
    assert ask.node().json()["job"]["status"] == "done"
    assert ask.search().status_code == 200


def test_a_fault_strikes_only_the_requests_it_is_about(ask: Asking) -> None:
    ask.simulator.set_faults(Fault("oxylabs.server_error", contains="17"), Fault("ebay.server_error", nth=2))
    assert [ask.node(node).status_code for node in ("17", "18", "170")] == [500, 200, 500]
    assert [ask.search().status_code for _ in range(3)] == [200, 500, 200]
    assert ask.simulator.stats()["faults"] == {"oxylabs.server_error": 2, "ebay.server_error": 1}
