"""A reader step by step: what happens while it is being sent to, which over HTTP would be a matter of luck."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import sqlalchemy as sa

from collection_pipeline.feed.channel import PAGE, Channel
from collection_pipeline.feed.hub import Hub
from collection_pipeline.feed.stream import BATCH, Reader
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.activity import EVERYTHING, EventFilter
from collection_pipeline_tests.feed.serving import append
from collection_pipeline_tests.tables.examples import finish, start

Frames = AsyncIterator[bytes]


def read(store: Store, scenario: Callable[[Hub], Awaitable[None]]) -> None:
    """Runs a scenario on a hub that is kept fresh."""
    start(store, "c", "books")

    async def run() -> None:
        hub = Hub(store.engine)
        async with hub.running():
            await asyncio.wait_for(scenario(hub), 20)

    asyncio.run(run())


@asynccontextmanager
async def reading(
    hub: Hub, store: Store, position: int | None = None, wanted: EventFilter = EVERYTHING
) -> AsyncIterator[Frames]:
    async with aclosing(Reader(hub, store.activity, "c", wanted, position).frames()) as frames:
        assert (await anext(frames)).startswith(b"retry")
        yield frames


async def numbers(frames: Frames) -> list[int]:
    """Those of the events in the next frames; none where they say something else."""
    return told(await asyncio.wait_for(anext(frames), 3))


def told(frame: bytes) -> list[int]:
    return [int(number) for number in re.findall(rb'"items_count":(\d+)', frame)]


async def known(hub: Hub, condition: Callable[[Channel], bool]) -> None:
    while not condition(hub._channels["c"]):
        await asyncio.sleep(0.01)


def last_id(store: Store) -> int:
    return store.activity.last_id("c")


def test_what_comes_while_a_reader_is_being_sent_to_is_sent_next(store: Store) -> None:
    async def scenario(hub: Hub) -> None:
        async with reading(hub, store) as frames:
            assert b"running" in await anext(frames)
            append(store, range(1))
            assert await numbers(frames) == [0]
            append(store, range(1, 3))  # nobody has asked for the next frame yet
            await known(hub, lambda channel: channel.head == last_id(store))
            assert await numbers(frames) == [1, 2]

    read(store, scenario)


def test_a_reader_who_wants_nothing_of_what_it_missed_goes_on_live(store: Store) -> None:
    append(store, range(BATCH * 2))

    async def scenario(hub: Hub) -> None:
        async with reading(hub, store, 1, EventFilter(run_id="run-2")) as frames:
            assert b"running" in await asyncio.wait_for(anext(frames), 3)
            append(store, range(1))
            append(store, range(1, 2), run_id="run-2")
            assert await numbers(frames) == [1]

    read(store, scenario)


def test_a_collection_that_ends_with_many_events_at_once_has_all_of_them_told(store: Store) -> None:
    many = PAGE * 2 + 1
    at_once = """
        INSERT INTO activity_events
            (timestamp, run_id, collection_id, worker_id, phase, action, category, api_params, items_count)
        SELECT now(), 'run-1', 'c', 1, 'ebay', 'found', 'books', '{}', n FROM generate_series(1, :many) n;
    """

    async def scenario(hub: Hub) -> None:
        async with reading(hub, store) as frames:
            assert b"running" in await anext(frames)
            with store.engine.begin() as connection:
                connection.execute(sa.text(at_once), {"many": many})
                connection.execute(sa.text("UPDATE collections SET status = 'completed'"))
                connection.execute(sa.text("SELECT pg_notify('activity', 'c')"))
            got: list[int] = []
            async for frame in frames:
                got += told(frame)
                is_over = frame.startswith(b"event: end")
            assert is_over
            assert got == list(range(1, many + 1))

    read(store, scenario)


def test_who_comes_to_a_resumed_collection_is_not_told_the_end_that_a_slow_reader_still_waits_for(store: Store) -> None:
    async def scenario(hub: Hub) -> None:
        async with reading(hub, store) as slow:
            assert b"running" in await anext(slow)
            finish(store, "c")
            store.snapshots.of_collection("c")
            await known(hub, lambda channel: channel.is_complete)
            store.control.enter("c", "books", "run-2", org_id="default")
            async with reading(hub, store) as new:
                assert b"running" in await anext(new)

    read(store, scenario)


def test_a_collection_that_nobody_reads_takes_nothing(store: Store) -> None:
    async def scenario(hub: Hub) -> None:
        async with reading(hub, store) as one, reading(hub, store) as two:
            await anext(one)
            await anext(two)
            assert hub.readers == 2
        assert hub.readers == 0
        assert not hub._channels

    read(store, scenario)
