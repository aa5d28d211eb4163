"""Web pages that their reader has open, sent against the Dagster UI on the same machine: they start no run."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from collection_pipeline.processes.running_services import free_port
from collection_pipeline_tests.conftest import REPOSITORY, copied
from collection_pipeline_tests.feed_page.conftest import headless_chromium
from collection_pipeline_tests.waiting import await_true

PROXIED = "dagster.example"
JOB = "sellers_count"
LAUNCH = f"""
    mutation {{
      launchRun(executionParams: {{
        selector: {{
          repositoryLocationName: "collection_pipeline", repositoryName: "__repository__", jobName: "{JOB}"
        }}
      }}) {{ __typename }}
    }}
"""
WORKSPACE = "load_from: [{python_module: {module_name: collection_pipeline.definitions, location_name: %s}}]"
LAUNCHED = {"data": {"launchRun": {"__typename": "LaunchRunSuccess"}}}


class Ui:
    """The guarded UI, as `up` starts it, on real code and storage."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.ask = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def runs(self) -> int:
        """How many runs there are: what an attack wants to be one more."""
        answer = self.ask.post("/graphql", json={"query": "{ runsOrError { ... on Runs { count } } }"})
        return int(answer.json()["data"]["runsOrError"]["count"])


@pytest.fixture(scope="module")
def ui(server: sa.URL, dagster_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    home, port = tmp_path_factory.mktemp("ui"), free_port()
    shutil.copyfile(REPOSITORY / "dagster.yaml", home / "dagster.yaml")
    (home / "workspace.yaml").write_text(WORKSPACE % "collection_pipeline")
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "COLLECTION_DATABASE_URL": address(copied(server, "template", "ui")),
        "COLLECTION_DAGSTER_DATABASE_URL": address(copied(server, dagster_template, "dagster_ui")),
        "COLLECTION_UI_HOSTS": f"{PROXIED}, other.example",
    }
    command = [sys.executable, "-m", "collection_pipeline.orchestration.instance.webserver", "--port", str(port)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--workspace", str(home / "workspace.yaml")],
            cwd=REPOSITORY,
            env=environment,
            stdout=log,
            stderr=log,
        )
    started = Ui(port)
    try:
        await_true(partial(answers, started, process, home / "log"), 90, every_s=0.2)
        yield started
    finally:
        process.terminate()
        process.wait(30)


def address(database: sa.URL) -> str:
    return database.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


def answers(ui: Ui, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    with suppress(httpx.TransportError):
        return ui.ask.get("/server_info").is_success
    return False


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with headless_chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_tools_on_this_machine_start_runs_as_before(ui: Ui) -> None:
    before = ui.runs()
    for host in ("127.0.0.1", "localhost"):
        answer = ui.ask.post("/graphql", json={"query": LAUNCH}, headers={"Host": f"{host}:{ui.port}"})
        assert answer.json() == LAUNCHED
    assert ui.runs() == before + 2


FOREIGN: Mapping[str, dict[str, str]] = {
    "a page of another site": {"Origin": "https://evil.example"},
    "a page of another server on this machine": {"Origin": "http://127.0.0.1:1"},
    "the same address by its other name": {"Origin": "http://localhost:1"},
    "a sandboxed frame, a file, a data address": {"Origin": "null"},
    "an origin that is none": {"Origin": "http://["},
    "a browser that says only where it comes from": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "a page of a sister site": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    "a form that leads its reader here": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    "a name that was pointed to this machine": {"Host": "evil.example"},
    "such a name, asked as its own origin": {"Host": "evil.example", "Origin": "http://evil.example"},
    "a name that begins like this machine's": {"Host": "localhost.evil.example"},
    "a name that ends like an allowed one": {"Host": f"evil-{PROXIED}"},
    "a host that is none": {"Host": "["},
    "no host at all": {"Host": ""},
    "an allowed name, asked by another": {"Host": PROXIED, "Origin": "https://evil.example"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_page_starts_no_run_and_reads_nothing(ui: Ui, headers: dict[str, str]) -> None:
    before = ui.runs()
    posted = ui.ask.post("/graphql", json={"query": LAUNCH}, headers=headers)
    read = ui.ask.get("/graphql", params={"query": "{ version }"}, headers=headers)
    reported = ui.ask.post("/report_asset_materialization/sellers", headers=headers)
    assert {posted.status_code, read.status_code, reported.status_code} <= {400, 403}
    assert "COLLECTION_UI_HOSTS" in posted.text or "other origins" in posted.text or posted.status_code == 400
    assert ui.runs() == before


SIMPLE: Mapping[str, Callable[[httpx.Client], httpx.Response]] = {
    "GET with a mutation in the address": lambda ask: ask.get("/graphql", params={"query": LAUNCH}),
    "HEAD with one": lambda ask: ask.head("/graphql", params={"query": LAUNCH}),
    "POST with one in the address": lambda ask: ask.post("/graphql", params={"query": LAUNCH}),
    "a form": lambda ask: ask.post("/graphql", data={"query": LAUNCH}),
    "a form with one in its address": lambda ask: ask.post("/graphql", params={"query": LAUNCH}, data={"a": "b"}),
    "plain text that is JSON": lambda ask: ask.post(
        "/graphql", content=json.dumps({"query": LAUNCH}), headers={"Content-Type": "text/plain"}
    ),
    "plain text that mentions JSON": lambda ask: ask.post(
        "/graphql",
        content=json.dumps({"query": LAUNCH}),
        headers={"Content-Type": "text/plain; charset=utf-8; a=application/json"},
    ),
    "a slash at the end": lambda ask: ask.get("/graphql/", params={"query": LAUNCH}, follow_redirects=True),
}


@pytest.mark.parametrize("attempt", SIMPLE.values(), ids=SIMPLE.keys())
def test_what_a_browser_sends_without_asking_starts_no_run_even_if_it_names_no_origin(
    ui: Ui, attempt: Callable[[httpx.Client], httpx.Response]
) -> None:
    before = ui.runs()
    assert attempt(ui.ask).status_code in (403, 405)
    assert ui.runs() == before


# Browsers name the origin of every websocket.
NAMED = {attacker: headers for attacker, headers in FOREIGN.items() if {"Origin", "Host"} & headers.keys()}


@pytest.mark.parametrize("headers", NAMED.values(), ids=NAMED.keys())
def test_a_foreign_page_gets_no_websocket(ui: Ui, headers: dict[str, str]) -> None:
    host = headers.get("Host", f"127.0.0.1:{ui.port}")
    given = headers.get("Origin", "https://evil.example")
    with raw_websocket(ui.port, host, given) as status:
        assert status in (b"400", b"403")


@contextmanager
def raw_websocket(port: int, host: str, origin: str) -> Iterator[bytes]:
    """The status of the answer to a handshake with just these headers, which no client's library would send."""
    request = (
        f"GET /graphql HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Protocol: graphql-ws\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request.encode())
        yield connection.recv(4096).split(b" ")[1]


def test_the_uis_own_pages_and_tools_get_websockets(ui: Ui) -> None:
    for origin in (Origin(ui.url), None):
        address = f"ws://127.0.0.1:{ui.port}/graphql"
        with connect(address, origin=origin, subprotocols=[Subprotocol("graphql-ws")], proxy=None) as opened:
            opened.send(json.dumps({"type": "connection_init"}))
            assert json.loads(opened.recv(20)) == {"type": "connection_ack"}
    with pytest.raises(InvalidStatus, match="403"):
        connect(address, origin=Origin("https://evil.example"), proxy=None)


def test_behind_a_proxy_the_allowed_names_reach_it(ui: Ui) -> None:
    headers = {"Host": PROXIED, "Origin": f"https://{PROXIED}"}
    before = ui.runs()
    assert ui.ask.post("/graphql", json={"query": LAUNCH}, headers=headers).json() == LAUNCHED
    assert ui.ask.get("/", headers={"Host": "other.example:8443"}).status_code == 200
    assert ui.runs() == before + 1


def test_the_page_for_trying_queries_is_there_and_executes_nothing_by_itself(ui: Ui) -> None:
    before = ui.runs()
    answer = ui.ask.get("/graphql", params={"query": LAUNCH}, headers={"Accept": "text/html"})
    assert "GraphiQL" in answer.text
    assert ui.runs() == before


def test_the_page_works_in_a_browser_with_its_queries_mutations_and_websocket(ui: Ui, page: Page) -> None:
    before = ui.runs()
    page.goto(f"{ui.url}/jobs")
    page.get_by_text(JOB, exact=True).first.wait_for(timeout=60_000)
    assert page.evaluate(ACKNOWLEDGED, f"ws://127.0.0.1:{ui.port}/graphql") == '{"type":"connection_ack"}'
    assert page.evaluate(POSTED, [f"{ui.url}/graphql", LAUNCH]) == LAUNCHED
    assert ui.runs() == before + 1


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_hostile_page_in_a_real_browser_tries_everything_and_gets_nothing(ui: Ui, page: Page, name: str) -> None:
    before = ui.runs()
    with hostile_site(HOSTILE.replace("TARGET", ui.url).replace("QUERY", json.dumps(LAUNCH))) as port:
        page.goto(f"http://{name}:{port}/")
        page.wait_for_function("window.outcomes && Object.keys(window.outcomes).length === 6", timeout=60_000)
        outcomes: dict[str, Any] = page.evaluate("window.outcomes")
    assert outcomes == {
        "json": "refused",
        "plain": "sent",  # what came back the page cannot know
        "address": "sent",
        "image": "refused",
        "websocket": "refused",
        "frame": "sent",
    }
    assert ui.runs() == before
    assert not any("Overview" in frame.content() for frame in page.frames if frame.url.startswith(ui.url))


ACKNOWLEDGED = """
    address => new Promise((resolve, reject) => {
      const socket = new WebSocket(address, "graphql-ws")
      socket.onopen = () => socket.send('{"type": "connection_init"}')
      socket.onmessage = message => resolve(message.data)
      socket.onerror = () => reject(new Error("refused"))
    })
"""
POSTED = """
    ([address, query]) => fetch(address, {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({query})
    }).then(answer => answer.json())
"""
HOSTILE = """<!doctype html><title>Kittens</title>
<form id="form" method="post" target="frame" enctype="text/plain"></form><iframe name="frame"></iframe>
<script>
  const target = "TARGET/graphql", query = QUERY
  const inAddress = target + "?query=" + encodeURIComponent(query)
  const outcomes = window.outcomes = {}
  const told = name => [() => outcomes[name] = "sent", () => outcomes[name] = "refused"]
  fetch(target, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({query})
  }).then(...told("json"))
  fetch(inAddress, {method: "POST", mode: "no-cors", body: JSON.stringify({query})}).then(...told("plain"))
  fetch(inAddress, {mode: "no-cors"}).then(...told("address"))
  const image = new Image()
  ;[image.onload, image.onerror] = told("image")
  image.src = inAddress
  const socket = new WebSocket(target.replace("http", "ws"), "graphql-ws")
  ;[socket.onopen, socket.onerror] = told("websocket")
  document.querySelector("iframe").onload = told("frame")[0]
  form.action = inAddress
  form.submit()
</script>
"""


@contextmanager
def hostile_site(content: str) -> Iterator[int]:
    """A page on another port of this machine."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield site.server_port
        site.shutdown()
