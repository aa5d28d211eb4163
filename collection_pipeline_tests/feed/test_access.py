"""Who may look, and who may control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from starlette.requests import Request

from collection_pipeline.core.collecting.collections import Pause
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.feed.access import FeedConfig, KnownReader, known_reader, objection
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.feed.serving import Reading, append, ask, server_process, serving
from collection_pipeline_tests.tables.examples import start

TOKEN = "s3cret-töken"
LOCAL = FeedConfig()
WITH_TOKEN = FeedConfig(token=TOKEN)
ANYWHERE = FeedConfig(host="0.0.0.0", token=TOKEN)
BEARER = {"authorization": f"Bearer {TOKEN}".encode().decode("latin-1")}
HOST = {"host": "127.0.0.1:8780"}
PUBLIC = {"host": "feed.example:8780"}


def asked(headers: Mapping[str, str], path: str = "/api/meta", query: str = "") -> Request:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": raw}
    return Request(scope)


@pytest.mark.parametrize(
    ("config", "request_", "status"),
    [
        (LOCAL, asked(HOST), None),
        (LOCAL, asked({"host": "localhost:8780"}), None),
        (LOCAL, asked({"host": "[::1]:8780"}), None),
        (LOCAL, asked({"host": "evil.example:8780"}), 403),  # a name that was pointed to 127.0.0.1
        (LOCAL, asked({"host": "localhost.evil.example"}), 403),
        (LOCAL, asked({"host": "evil.example:8780"}, "/"), 403),
        (LOCAL, asked({"host": "["}), 403),
        (LOCAL, asked({}), 403),
        (LOCAL, asked({**HOST, "origin": "http://127.0.0.1:8780"}), None),
        (LOCAL, asked({**HOST, "origin": "http://127.0.0.1:3000"}), 403),  # another server on this machine
        (LOCAL, asked({**HOST, "origin": "https://evil.example"}), 403),
        (LOCAL, asked({**HOST, "origin": "null"}), 403),
        (LOCAL, asked({**HOST, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}), 403),
        (LOCAL, asked({**HOST, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, "/"), None),
        (LOCAL, asked({**HOST, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}), None),
        (LOCAL, asked(HOST, query="org_id=%00"), 400),
        (LOCAL, asked(HOST, "/api/collections/\0"), 400),
        (WITH_TOKEN, asked(HOST), 401),
        (WITH_TOKEN, asked(HOST, "/openapi.json"), 401),
        (WITH_TOKEN, asked(HOST, "/nothing-here"), 401),
        (WITH_TOKEN, asked(HOST, "/"), None),
        (WITH_TOKEN, asked(HOST, "/static/feed.js"), None),
        (WITH_TOKEN, asked({**HOST, **BEARER}), None),
        (WITH_TOKEN, asked({**HOST, "authorization": "Bearer wrong"}), 401),
        (WITH_TOKEN, asked({**HOST, "authorization": BEARER["authorization"].replace("Bearer", "Basic")}), 401),
        (WITH_TOKEN, asked(HOST, query="token=s3cret-t%C3%B6ken"), None),
        (WITH_TOKEN, asked(HOST, query="token=wrong"), 401),
        (WITH_TOKEN, asked(HOST, query="token="), 401),
        (ANYWHERE, asked(PUBLIC), 401),
        (ANYWHERE, asked({**PUBLIC, **BEARER}), None),
        (ANYWHERE, asked({**PUBLIC, **BEARER, "origin": "https://feed.example:8780"}), None),
        (ANYWHERE, asked({**PUBLIC, **BEARER, "origin": "https://evil.example"}), 403),
    ],
)
def test_a_request_is_let_in_or_refused(config: FeedConfig, request_: Request, status: int | None) -> None:
    reason = objection(config, request_)
    assert (reason and reason[0]) == status


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "feed.example", ""])
def test_bound_elsewhere_it_does_not_start_without_a_token(host: str) -> None:
    with pytest.raises(PipelineError, match="COLLECTION_FEED_TOKEN"):
        FeedConfig(host=host)
    assert FeedConfig(host=host, token=TOKEN).token == TOKEN


def test_control_does_not_start_without_a_token() -> None:
    with pytest.raises(PipelineError, match="COLLECTION_FEED_TOKEN"):
        FeedConfig(may_control=True)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("acme=s1x, globex=s2x", {"acme": "s1x", "globex": "s2x"}), (" acme = a=b ,", {"acme": "a=b"}), (",", {})],
)
def test_tokens_of_organisations_are_read(text: str, tokens: dict[str, str]) -> None:
    read = FeedConfig.from_mapping({"COLLECTION_FEED_ORG_TOKENS": text}, "127.0.0.1", 1, "shop")
    assert read.org_tokens == tokens
    assert all(token not in repr(read) for token in tokens.values())


@pytest.mark.parametrize("text", ["acme", "=one", "acme=", "acme=one,acme=two", "acme=one,globex=one", "acme=t0p"])
def test_tokens_that_tell_no_organisations_apart_are_refused_without_repeating_them(text: str) -> None:
    given = {"COLLECTION_FEED_ORG_TOKENS": text, "COLLECTION_FEED_TOKEN": "t0p"}
    with pytest.raises(PipelineError, match="COLLECTION_FEED_ORG_TOKENS") as refused:
        FeedConfig.from_mapping(given, "127.0.0.1", 1, "shop")
    assert "=one" not in str(refused.value)


def test_a_token_tells_whose_rows_are_shown() -> None:
    config = FeedConfig(host="0.0.0.0", token=TOKEN, org_tokens={"acme": "one"}, may_control=True)
    assert known_reader(config, asked({**PUBLIC, **BEARER})) == KnownReader(None, may_control=True)
    assert known_reader(config, asked({**PUBLIC, "authorization": "Bearer one"})) == KnownReader(
        "acme", may_control=True
    )
    assert known_reader(config, asked(PUBLIC, query="token=one")) == KnownReader("acme", may_control=True)
    assert known_reader(config, asked({**PUBLIC, "authorization": "Bearer two"})) is None
    assert known_reader(LOCAL, asked(HOST)) == KnownReader(None)


def test_the_environment_is_read_and_checked() -> None:
    def read(**values: str) -> FeedConfig:
        return FeedConfig.from_mapping(values, "127.0.0.1", 1, "shop")

    config = read(COLLECTION_FEED_TOKEN=" t ", COLLECTION_FEED_CONTROL="1", COLLECTION_DAGSTER_URL="http://d:1/")
    assert (config.token, config.may_control, config.dagster_url, config.org_id) == ("t", True, "http://d:1", "shop")
    assert read(COLLECTION_FEED_TOKEN=" ", COLLECTION_FEED_CONTROL="") == FeedConfig(port=1, org_id="shop")
    assert "t0p" not in repr(read(COLLECTION_FEED_TOKEN="t0p"))
    with pytest.raises(PipelineError, match="COLLECTION_FEED_CONTROL"):
        read(COLLECTION_FEED_CONTROL="perhaps")
    with pytest.raises(PipelineError, match="COLLECTION_DAGSTER_URL"):
        read(COLLECTION_DAGSTER_URL="javascript:alert(1)")


@pytest.fixture
def controlling(store: Store) -> Iterator[httpx.Client]:
    start(store, "c", "books")
    with (
        serving(store, FeedConfig(token="t", may_control=True)) as url,
        httpx.Client(base_url=url, headers={"Authorization": "Bearer t"}, verify=False) as client,
    ):
        yield client


def test_where_control_is_allowed_a_collection_is_paused_resumed_and_cancelled(
    controlling: httpx.Client, store: Store
) -> None:
    def order(what: str) -> tuple[bool, str]:
        answer = controlling.post(f"/api/collections/c/{what}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["collection_id"] == "c"
        status = store.collections.get("c").status
        assert controlling.get("/api/collections/c").json()["status"] == status  # at once, not a second later
        return answer.json()["changed"], status

    assert order("pause") == (True, "paused")
    assert store.collections.get("c").pause == Pause("by_hand", "Somebody paused it on the live activity page.")
    assert order("pause") == (False, "paused")
    assert order("resume") == (True, "running")
    assert order("resume") == (False, "running")
    assert order("cancel") == (True, "cancelling")
    assert controlling.post("/api/collections/none/pause").status_code == 404
    assert controlling.get("/api/collections/c/pause").status_code == 405
    assert controlling.get("/api/meta").json()["may_control"] is True


def test_nobody_else_controls(controlling: httpx.Client, store: Store) -> None:
    for headers in ({"Authorization": ""}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert controlling.post("/api/collections/c/pause", headers=headers).status_code in (401, 403)
    assert store.collections.get("c").status == "running"


def test_who_brings_the_token_that_up_made_controls_where_others_only_look(store: Store) -> None:
    start(store, "c", "books")
    with serving(store, FeedConfig(control_token="made")) as url:
        for headers in ({}, {"Authorization": "Bearer guessed"}):
            assert ask.get(f"{url}/api/meta", headers=headers).json()["may_control"] is False
            assert ask.post(f"{url}/api/collections/c/pause", headers=headers).status_code == 403
        brought = {"Authorization": "Bearer made"}
        assert ask.get(f"{url}/api/meta", headers=brought).json()["may_control"] is True
        foreign = {**brought, "Origin": "https://evil.example"}
        assert ask.post(f"{url}/api/collections/c/pause", headers=foreign).status_code == 403
        assert store.collections.get("c").status == "running"
        assert ask.post(f"{url}/api/collections/c/pause", headers=brought).status_code == 200
    assert store.collections.get("c").status == "paused"
    assert "made" not in repr(FeedConfig(control_token="made"))


def test_control_is_off_by_default(url: str, store: Store) -> None:
    answer = ask.post(f"{url}/api/collections/c/pause")
    assert answer.status_code == 403
    assert "COLLECTION_FEED_CONTROL" in answer.json()["error"]
    assert store.collections.get("c").status == "running"


def test_every_response_carries_the_security_headers(url: str) -> None:
    paths = ["/", "/static/feed.js", "/api/meta", "/api/nothing", "/openapi.json", "/api/collections?limit=x"]
    answers = [ask.get(f"{url}{path}") for path in paths]
    answers.append(ask.get(f"{url}/api/meta", headers={"Host": "evil.example"}))
    answers.append(ask.head(f"{url}/collections/c/activity"))
    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
    assert answers[2].headers["cache-control"] == "no-store"


def test_the_token_is_in_no_log(store: Store, database: sa.URL, tmp_path: Path) -> None:
    start(store, "c", "books")
    append(store, range(1))
    log = tmp_path / "server.log"
    with server_process(database, log, COLLECTION_FEED_TOKEN="t0p-secret") as server:
        with Reading(f"{server.url}/collections/c/activity", {"token": "t0p-secret"}) as reading:
            assert reading.has(1).numbers == [0]
        for path in ("/api/meta", "/api/collections?limit=x", "/nothing", "/api/collections/c/activity"):
            ask.get(f"{server.url}{path}", params={"token": "t0p-secret"})
        ask.get(f"{server.url}/api/meta", headers={"Authorization": "Bearer t0p-secret"})
        assert ask.get(f"{server.url}/collections/c/activity").status_code == 401
    assert "Live activity" in log.read_text()
    assert "t0p-secret" not in log.read_text()
