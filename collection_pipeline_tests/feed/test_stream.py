"""Stored events first, then live ones: none missing, none twice, whoever writes and however slowly somebody reads."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from collection_pipeline.core.activity import Action
from collection_pipeline.feed import endpoints
from collection_pipeline.feed.access import FeedConfig
from collection_pipeline.feed.channel import KEPT
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.feed.conftest import Shared
from collection_pipeline_tests.feed.serving import Reading, append, ask, event, serving
from collection_pipeline_tests.feed.writing import write_much
from collection_pipeline_tests.tables.examples import finish, start
from collection_pipeline_tests.waiting import await_true


@pytest.fixture
def database(shared: Shared) -> sa.URL:
    return shared.database


@pytest.fixture
def store(shared: Shared) -> Store:
    """Nothing but one running collection `c`."""
    with shared.store.engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE collections, activity_events, seller_count_snapshots CASCADE"))
    start(shared.store, "c", "books")
    return shared.store


@pytest.fixture
def url(shared: Shared, store: Store) -> str:  # noqa: ARG001
    """A server that shows it."""
    return shared.url


def activity(url: str, collection_id: str = "c") -> str:
    return f"{url}/collections/{collection_id}/activity"


def writers(database: sa.URL, count: int, batches: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=write_much, args=(database, number, batches)) for number in range(1, count + 1)]
    for thread in threads:
        thread.start()
    return threads


def test_a_new_reader_gets_the_last_hundred_and_then_what_happens(url: str, store: Store) -> None:
    append(store, range(250))
    with Reading(activity(url)) as reading:
        assert reading.has(100).numbers == list(range(150, 250))
        append(store, range(250, 260))
        assert reading.has(110).numbers == list(range(150, 260))
    [got] = [frame for frame in reading.events if frame.data["items_count"] == 255]
    assert got.event_id == got.data["id"]
    assert got.data["action"] == "found"
    assert got.data["timestamp"].endswith("+00:00")


def test_nothing_is_missing_or_twice_while_several_write(url: str, store: Store, database: sa.URL) -> None:
    threads = writers(database, 4, batches=40)
    with ExitStack() as stack:
        readings = []
        for _ in range(6):  # each comes at another moment
            readings.append(stack.enter_context(Reading(activity(url), last_id=0)))
            time.sleep(0.05)
        for thread in threads:
            thread.join()
        for reading in readings:
            reading.has(800)
    stored = [event_id for event_id, _ in store.activity.since("c", 0, 1_000)]
    for reading in readings:
        assert reading.ids == stored


def test_events_become_visible_in_the_order_of_their_ids(store: Store, database: sa.URL) -> None:
    threads = writers(database, 4, batches=40)
    seen, last, is_written = list[int](), 0, False
    while not is_written:
        is_written = not any(thread.is_alive() for thread in threads)
        while found := [event_id for event_id, _ in store.activity.after("c", last, 100)]:
            seen += found
            last = seen[-1]
    assert len(seen) == 800


@pytest.mark.alone
def test_live_events_come_within_half_a_second(url: str, store: Store) -> None:
    with Reading(activity(url)) as reading:
        reading.is_live()
        delays = []
        for number in range(20):
            append(store, range(number, number + 1))
            committed = time.monotonic()
            delays.append(reading.has(number + 1).events[-1].at - committed)
    assert statistics.median(delays) < 0.1
    assert max(delays) < 0.5


def test_who_comes_back_gets_what_was_missed(url: str, store: Store) -> None:
    append(store, range(10))
    with Reading(activity(url)) as reading:
        last_id = reading.has(10).last_id
    append(store, range(10, 400))  # more than a new reader would be shown
    with Reading(activity(url), last_id=last_id) as again:
        assert again.has(390).numbers == list(range(10, 400))
    with Reading(activity(url), {"last_event_id": last_id}) as asking:
        assert asking.has(390).numbers == list(range(10, 400))
    with Reading(activity(url), {"last_event_id": 1}, last_id=last_id) as browser:
        assert browser.has(390).numbers == list(range(10, 400))


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({"run_id": "run-2"}, [2, 12]),
    ({"worker_id": "0"}, [3, 13]),
    ({"action": "error"}, [4, 14]),
    ({"action": ["error", "rate_limited"]}, [4, 5, 14, 15]),
    ({"run_id": "run-1", "worker_id": "1", "action": "found"}, [1, 11]),
    ({"run_id": "nobody's"}, []),
    ({"run_id": "", "worker_id": "", "action": ""}, [1, 2, 3, 4, 5, 11, 12, 13, 14, 15]),
]


def test_filters_hold_for_stored_and_for_live_events(url: str, store: Store) -> None:
    def write(first: int) -> None:
        append(store, range(first + 1, first + 2))
        append(store, range(first + 2, first + 3), run_id="run-2")
        append(store, range(first + 3, first + 4), worker_id=0)
        append(store, range(first + 4, first + 5), action=Action.ERROR)
        append(store, range(first + 5, first + 6), action=Action.RATE_LIMITED)

    write(0)
    with ExitStack() as stack:
        readings = [stack.enter_context(Reading(activity(url), params)).is_live() for params, _ in FILTERS]
        write(10)
        readings[-1].has(10)
        for reading, (_, numbers) in zip(readings, FILTERS, strict=True):
            assert reading.has(len(numbers)).numbers == numbers


def test_a_filter_for_rare_events_finds_the_last_hundred_of_them(url: str, store: Store) -> None:
    append(store, range(5), action=Action.ERROR)
    append(store, range(5, 300))
    with Reading(activity(url), {"action": "error"}) as reading:
        assert reading.has(5).numbers == [0, 1, 2, 3, 4]


def test_a_reader_who_does_not_read_slows_nobody_and_loses_nothing(url: str, store: Store) -> None:
    address = urlsplit(url)
    many = KEPT * 3
    with socket.socket() as slow, Reading(activity(url), last_id=0) as quick:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((address.hostname, address.port))
        slow.sendall(f"GET /collections/c/activity HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        quick.is_live()
        for first in range(0, many, 500):
            began = time.monotonic()
            append(store, range(first, first + 500), product_name="x" * 2_000)
            quick.has(first + 500)
            assert time.monotonic() - began < 2
        assert quick.numbers == list(range(many))
        received = bytearray()
        slow.settimeout(10)
        while b'"items_count":%d}' % (many - 1) not in received[-4096:]:
            received += slow.recv(1 << 20)
    numbers = [
        int(line.split(b'"items_count":')[1].split(b"}")[0]) for line in received.split(b"\n") if b'data: {"id' in line
    ]
    assert numbers == list(range(many))


def test_a_hundred_readers_get_the_same_in_the_same_order(url: str, store: Store, database: sa.URL) -> None:
    append(store, range(50))
    with ExitStack() as stack:
        readings = [stack.enter_context(Reading(activity(url))) for _ in range(100)]
        for reading in readings:
            reading.is_live()
        for thread in writers(database, 2, batches=10):
            thread.join()
        written = time.monotonic()
        for reading in readings:
            reading.has(150)
        slowest = max(reading.events[-1].at for reading in readings) - written
    stored = [event_id for event_id, _ in store.activity.since("c", 0, 1_000)]
    assert all(reading.ids == stored for reading in readings)
    assert slowest < 1.0


def test_when_the_collection_ends_the_stream_ends_after_its_last_event(url: str, store: Store) -> None:
    append(store, range(3))
    with Reading(activity(url)) as reading, Reading(activity(url), {"action": "error"}) as filtered:
        reading.is_live()
        filtered.is_live()
        append(store, range(3, 5))
        assert finish(store, "c")
        store.snapshots.of_collection("c")
        await_true(lambda: reading.is_over and filtered.is_over, 5)
    assert reading.numbers == [0, 1, 2, 3, 4]
    assert [frame.data["status"] for frame in reading.frames if frame.name != "activity"][-1] == "completed"
    assert filtered.frames[-1].name == "end"
    with Reading(activity(url), last_id=reading.ids[1]) as late:
        await_true(lambda: late.is_over)
    assert late.numbers == [2, 3, 4]


def test_a_resumed_collection_is_followed_again(url: str, store: Store) -> None:
    finish(store, "c")
    store.snapshots.of_collection("c")
    with Reading(activity(url)) as reading:
        await_true(lambda: reading.is_over)
    store.control.enter("c", "books", "run-2", org_id="default")
    with Reading(activity(url)) as again:
        again.is_live()
        append(store, range(1))
        assert again.has(1).numbers == [0]
        assert not again.is_over


def test_a_pause_is_told_to_readers(url: str, store: Store) -> None:
    with Reading(activity(url)) as reading:
        reading.is_live()
        store.control.cancel("c")
        await_true(lambda: [frame.data["status"] for frame in reading.frames] == ["running", "cancelling"], 5)


def test_collections_do_not_see_each_other(url: str, store: Store) -> None:
    start(store, "other", "toys")
    with Reading(activity(url)) as reading, Reading(activity(url, "other")) as other:
        reading.is_live()
        other.is_live()
        store.activity.append([event(1), event(2, "other"), event(3)])
        assert reading.has(2).numbers == [1, 3]
        assert other.has(1).numbers == [2]


def test_a_collection_id_of_any_length_fits_an_announcement(url: str, store: Store) -> None:
    too_long = "x" * 9_000  # NOTIFY carries fewer than 8,000 bytes
    store.control.enter(too_long, "books", "run-1", org_id="default")
    with Reading(activity(url, too_long)) as reading:
        reading.is_live()
        append(store, range(3), collection_id=too_long)
        assert reading.has(3).numbers == [0, 1, 2]
    append(store, range(1), collection_id="語" * 5_000)


def test_a_comment_keeps_a_silent_connection_alive(store: Store) -> None:
    assert FeedConfig().keep_alive_s == 15
    with serving(store, FeedConfig(keep_alive_s=0.1)) as url, Reading(activity(url)) as reading:
        await_true(lambda: reading.lines.count(": keep-alive") > 2)
    assert reading.lines[0].startswith("retry: ")


def test_stopping_the_server_ends_the_streams_at_once(store: Store) -> None:
    with ExitStack() as stack:
        with serving(store) as url:
            readings = [stack.enter_context(Reading(activity(url))) for _ in range(10)]
            for reading in readings:
                reading.is_live()
            began = time.monotonic()
        assert time.monotonic() - began < 2
        assert not any(frame.name == "end" for reading in readings for frame in reading.frames)


def test_more_readers_than_the_server_can_bear_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST_READERS", 1)
    with serving(store) as url, Reading(activity(url)) as reading:
        reading.is_live()
        assert ask.get(activity(url)).status_code == 503
