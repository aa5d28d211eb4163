from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import running, serve
from collection_pipeline_tests.simulator.asking import NODE, Asking


def test_statistics_show_what_was_asked_twice(ask: Asking) -> None:
    for _ in range(2):
        ask.node()
    token = ask.token()
    for offset in (0, 50, 50):
        ask.search("kettle", token=token, offset=offset)
    stats = ask.simulator.stats()
    assert stats["requests"] == {"oxylabs.realtime": 2, "ebay.token": 1, "ebay.search": 3}
    assert stats["nodes"] == [{"node": NODE, "page": 1, "requests": 2}]
    assert [(each["q"], each["offset"], each["requests"]) for each in stats["searches"]] == [
        ("kettle", 0, 1),
        ("kettle", 50, 2),
    ]
    assert stats["rejected"] == {}
    ask.simulator.reset()
    assert ask.simulator.stats()["requests"] == {}


def test_statistics_show_concurrency(ask: Asking) -> None:
    ask.simulator.configure(ebay_latency_s=0.2, latency_jitter=0)
    token = ask.token()
    with ThreadPoolExecutor(5) as pool:
        for answer in pool.map(lambda _: ask.search(token=token), range(5)):
            assert answer.status_code == 200
    stats = ask.simulator.stats()
    assert stats["highest_in_flight"]["ebay.search"] == 5
    assert stats["in_flight"]["ebay.search"] == 0
    assert stats["peak_per_s"]["ebay.search"] in range(3, 6)


def test_a_reset_revokes_tokens(ask: Asking) -> None:
    token = ask.token()
    ask.simulator.reset()
    assert ask.search(token=token).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("config", {"seed": 2}, "seed cannot be changed while it runs"),
        ("config", {"ebay_latency_s": -1}, "ebay_latency_s is -1"),
        ("config", [], "Send an object"),
        ("faults", ["ebay.sulks"], "There is no fault"),
        ("faults", [{"name": "ebay.slow", "colour": 1}], "is no fault"),
        ("faults", {}, "Send a list"),
    ],
)
def test_wrong_orders_are_refused_in_a_sentence(ask: Asking, path: str, body: object, reason: str) -> None:
    response = ask.http.post(f"{ask.simulator.url}/_control/{path}", json=body)
    assert response.status_code == 400
    assert reason in response.json()["error"]


def test_broken_orders_are_refused(ask: Asking) -> None:
    assert ask.http.post(f"{ask.simulator.url}/_control/config", content=b"{").status_code == 400
    assert ask.http.get(f"{ask.simulator.url}/_control/truth").status_code == 400
    for wrong in ("low=x", "low=NaN", "low=3", "max_pages=0", "limit=201"):
        assert ask.http.get(f"{ask.simulator.url}/_control/truth?node=1&{wrong}").status_code == 400
    assert ask.http.get(f"{ask.simulator.url}/nowhere").status_code == 404


def test_the_catalogue_of_faults_and_the_configuration_can_be_read(ask: Asking) -> None:
    assert "ebay.reset" in ask.http.get(f"{ask.simulator.url}/_control/faults").json()["catalogue"]
    shown = ask.http.get(f"{ask.simulator.url}/_control/config").json()
    assert shown["ebay_latency_s"] == 0
    assert not any("credentials" in name for name in shown)


def test_a_stopped_simulator_leaves_nothing_behind() -> None:
    threads = set(threading.enumerate())
    with running(SimulatorConfig(products_per_page=2)) as first, running() as second:
        assert first.url != second.url
        assert first.stats()["requests"] == {}
        assert first.truth("1")["product_count"] > 0
        url = first.url
    assert set(threading.enumerate()) <= threads
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/_control/stats", trust_env=False)


def test_a_taken_port_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            serve(SimulatorConfig(), port=taken.getsockname()[1])


def test_a_process_serves_the_day_it_was_asked_for_and_stops_cleanly_when_interrupted() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "collection_pipeline.simulator", "--port", str(port), "--day", "30"]
    day = None
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        for _ in range(400):
            with suppress(httpx.TransportError):
                day = httpx.get(f"http://127.0.0.1:{port}/_control/config", trust_env=False).json()["day"]
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors, day) == (0, b"", 30)


def test_a_stop_does_not_wait_for_slow_answers() -> None:
    with running(SimulatorConfig(ebay_latency_s=60)) as simulator:
        ask = Asking(simulator, httpx.Client(trust_env=False, timeout=0.1))
        with pytest.raises(httpx.ReadTimeout):
            ask.search()
