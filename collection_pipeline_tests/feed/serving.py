"""The feed's server for tests, and readers of its streams as simple as a terminal's."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from collection_pipeline.core.activity import Action, ActivityEvent
from collection_pipeline.feed.access import FeedConfig
from collection_pipeline.feed.serving import FeedServer, listening
from collection_pipeline.processes.running_services import free_port
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.conftest import REPOSITORY
from collection_pipeline_tests.waiting import await_true

ask = httpx.Client(verify=False, trust_env=False)
"""Asks a server once."""


def event(number: int, collection_id: str = "c", **facts: Any) -> ActivityEvent:
    """An event that says its number in `items_count`."""
    return ActivityEvent(
        **{
            "timestamp": datetime.now(UTC),
            "run_id": "run-1",
            "collection_id": collection_id,
            "worker_id": 1,
            "phase": "ebay",
            "action": Action.FOUND,
            "category": "books",
            "items_count": number,
            **facts,
        }
    )


def append(store: Store, numbers: range, collection_id: str = "c", **facts: Any) -> None:
    store.activity.append([event(number, collection_id, **facts) for number in numbers])


@contextmanager
def serving(store: Store, config: FeedConfig | None = None) -> Iterator[str]:
    """A server in a thread; its address."""
    config = config or FeedConfig()
    with listening("127.0.0.1", 0) as listener:
        server = FeedServer(config, store)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            await_true(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)
            assert not thread.is_alive(), "the server did not stop"


@dataclass
class ServerProcess:
    """A server in a process of its own, as people start it."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def server_process(database: sa.URL, log: Path, port: int | None = None, **environment: str) -> Iterator[ServerProcess]:
    port = port or free_port()
    known = {name: value for name, value in os.environ.items() if not name.startswith("COLLECTION_")}
    address = database.render_as_string(hide_password=False)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "collection_pipeline.feed", "--port", str(port)],
            cwd=REPOSITORY,
            env={**known, "COLLECTION_DATABASE_URL": address, **environment},
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        await_true(lambda: _answers(url), 20)
        yield ServerProcess(url, process, log)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _answers(url: str) -> bool:
    try:
        return bool(ask.get(f"{url}/api/meta").status_code)
    except httpx.TransportError:
        return False


@dataclass
class Got:
    """One frame of a stream, and when it came."""

    name: str
    data: dict[str, Any]
    event_id: int | None
    at: float


@dataclass
class Reading:
    """Reads a stream in a thread, and comes back with its last id whenever the stream breaks, as browsers do."""

    url: str
    params: dict[str, Any] = field(default_factory=dict)
    last_id: int | None = None
    comes_back: bool = False
    frames: list[Got] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    status_code: int | None = None
    error: BaseException | None = None
    is_over: bool = False
    _stopping: bool = False
    _socket: socket.socket | None = None

    def __enter__(self) -> Reading:
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=10)

    @property
    def events(self) -> list[Got]:
        return [frame for frame in self.frames if frame.name == "activity"]

    @property
    def numbers(self) -> list[int]:
        return [frame.data["items_count"] for frame in self.events]

    @property
    def ids(self) -> list[int]:
        return [frame.data["id"] for frame in self.events]

    def has(self, count: int, timeout_s: float = 10) -> Reading:
        await_true(lambda: len(self.events) >= count or self.error is not None, timeout_s)
        return self

    def is_live(self) -> Reading:
        """Everything stored has come: the server has said how the collection stands."""
        await_true(lambda: any(frame.name == "status" for frame in self.frames))
        return self

    def _read(self) -> None:
        while not self._stopping:
            try:
                self._read_once()
            except (httpx.TransportError, OSError):
                pass
            except BaseException as error:
                self.error = error
                return
            if not self.comes_back or self.is_over:
                return
            time.sleep(0.05)

    def _read_once(self) -> None:
        headers = {} if self.last_id is None else {"Last-Event-ID": str(self.last_id)}
        with httpx.stream("GET", self.url, params=self.params, headers=headers, timeout=30, verify=False) as response:
            self.status_code = response.status_code
            self._socket = response.extensions["network_stream"].get_extra_info("socket")
            frame: dict[str, str] = {}
            for line in response.iter_lines():
                self.lines.append(line)
                name, _, value = line.partition(": ")
                if line:
                    frame[name] = value
                elif "data" in frame:
                    self._take(frame)
                    frame = {}
                else:
                    frame = {}

    def _take(self, frame: dict[str, str]) -> None:
        event_id = int(frame["id"]) if "id" in frame else None
        self.last_id = self.last_id if event_id is None else event_id
        self.is_over = frame["event"] == "end"
        self.frames.append(Got(frame["event"], json.loads(frame["data"]), event_id, time.monotonic()))
