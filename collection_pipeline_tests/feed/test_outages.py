"""Servers, connections and databases that go away: whoever reads comes back, and nothing is missing or twice."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import sqlalchemy as sa

from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.conftest import REPOSITORY
from collection_pipeline_tests.feed.serving import Reading, append, ask, server_process, serving
from collection_pipeline_tests.feed.writing import write_much
from collection_pipeline_tests.tables.examples import rows, start
from collection_pipeline_tests.waiting import await_true


def writer_process(database: sa.URL, number: int, batches: int) -> subprocess.Popen[bytes]:
    address = database.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "collection_pipeline_tests.feed.writing", address, str(number), str(batches)]
    return subprocess.Popen(command, cwd=REPOSITORY)


def stored_ids(store: Store) -> list[int]:
    return [event_id for event_id, _ in store.activity.since("c", 0, 10_000)]


def test_a_server_is_killed_while_processes_write_and_its_readers_miss_nothing(
    store: Store, database: sa.URL, tmp_path: Path
) -> None:
    start(store, "c", "books")
    with ExitStack() as stack:
        first = stack.enter_context(server_process(database, tmp_path / "first.log"))
        address = f"{first.url}/collections/c/activity"
        readings = [stack.enter_context(Reading(address, last_id=0, comes_back=True)) for _ in range(5)]
        processes = [writer_process(database, number, 100) for number in (1, 2)]
        readings[0].has(100)
        first.kill()
        seen = len(readings[0].events)
        second = server_process(database, tmp_path / "second.log", urlsplit(first.url).port)
        stack.enter_context(second)
        assert [process.wait(timeout=30) for process in processes] == [0, 0]
        assert seen < 1_000
        for reading in readings:
            reading.has(1_000)
        assert all(reading.ids == stored_ids(store) for reading in readings)


def test_two_servers_show_the_same(url: str, store: Store) -> None:
    with serving(store) as other:
        readings = [Reading(f"{server}/collections/c/activity") for server in (url, other)]
        with readings[0], readings[1]:
            for reading in readings:
                reading.is_live()
            append(store, range(20))
            assert [reading.has(20).numbers for reading in readings] == [list(range(20))] * 2


def test_nothing_is_lost_while_nobody_listens(url: str, store: Store, database: sa.URL) -> None:
    listeners = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    with Reading(f"{url}/collections/c/activity") as reading:
        reading.is_live()
        writer = threading.Thread(target=write_much, args=(database, 1, 100))
        writer.start()
        for _ in range(4):
            await_true(lambda: bool(rows(store, f"SELECT pg_terminate_backend(pid) {listeners}")))
            append(store, range(3))
        writer.join()
        assert reading.has(512).ids == stored_ids(store)
        await_true(lambda: bool(rows(store, f"SELECT pid {listeners}")))


def test_every_connection_to_the_database_breaks_and_readers_stay(url: str, store: Store) -> None:
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with Reading(f"{url}/collections/c/activity") as reading:
        reading.is_live()
        for number in range(3):
            rows(store, f"SELECT pg_terminate_backend(pid) {others}")
            append(store, range(number, number + 1))
        assert reading.has(3).numbers == [0, 1, 2]


def test_a_database_that_is_away_for_a_while_is_waited_for(url: str, store: Store, server: sa.URL) -> None:
    name = store.engine.url.database
    admin = create_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as postgres, Reading(f"{url}/collections/c/activity") as reading:
        reading.is_live()
        postgres.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connected = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        postgres.execute(connected, {"name": name})
        answer = ask.get(f"{url}/api/collections")
        assert (answer.status_code, answer.json()["error"][:12]) == (503, "The database")
        postgres.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
        append(store, range(3))
        assert reading.has(3).numbers == [0, 1, 2]
        assert ask.get(f"{url}/api/collections").status_code == 200
    admin.dispose()


def test_readers_who_never_read_take_little_memory(store: Store, database: sa.URL, tmp_path: Path) -> None:
    start(store, "c", "books")
    with server_process(database, tmp_path / "server.log") as server, ExitStack() as stack:
        address = urlsplit(server.url)
        for _ in range(30):
            slow = stack.enter_context(socket.socket())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect((address.hostname, address.port))
            slow.sendall(f"GET /collections/c/activity HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        with Reading(f"{server.url}/collections/c/activity", last_id=0) as quick:
            quick.is_live()
            process = psutil.Process(server.process.pid)
            before = process.memory_info().rss
            for first in range(0, 4_000, 500):
                append(store, range(first, first + 500), product_name="x" * 2_000)
            quick.has(4_000)
        grown = process.memory_info().rss - before
    assert grown < 50_000_000  # 30 readers times 10 MB of events would be 300


def test_a_stopped_server_is_gone_within_two_seconds(store: Store, database: sa.URL, tmp_path: Path) -> None:
    start(store, "c", "books")
    with server_process(database, tmp_path / "server.log") as server:
        with Reading(f"{server.url}/collections/c/activity") as reading:
            reading.is_live()
            server.process.terminate()
            server.process.wait(timeout=2)
        assert reading.status_code == 200
        assert "Traceback" not in server.log.read_text()
