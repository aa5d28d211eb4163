"""The collections that somebody is watching, and what keeps them fresh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa

from collection_pipeline.feed.channel import Channel
from collection_pipeline.feed.reading import Lane
from collection_pipeline.tables.schema.notices import listen
from collection_pipeline.tables.watching.activity import ActivityStore, topic
from collection_pipeline.tables.watching.page_figures import FeedStore

STATUS_EVERY_S = 1.0


class Hub:
    """Opens a channel for whoever comes first to a collection and closes it after the last one has gone."""

    def __init__(self, engine: sa.Engine, direct_url: sa.URL | None = None) -> None:
        self._direct_url = direct_url or engine.url
        self._activity, self._facts = ActivityStore(engine), FeedStore(engine)
        self._channels: dict[str, Channel] = {}
        self._is_closed = False
        self.is_listening = False
        """Whether announcements of new events are heard at this moment."""
        # Live events have threads of their own, so that readers who catch up, however many, never delay them.
        self._live = Lane("live", 2)
        self.catching_up = Lane("catching-up", 2)

    @property
    def readers(self) -> int:
        """How many read at this moment."""
        return sum(channel.readers for channel in self._channels.values())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keeps the channels fresh for as long as the block runs."""
        async with asyncio.TaskGroup() as tasks:
            listening = listen(self._direct_url, self._heard, self._cut_off)
            keepers = [tasks.create_task(listening), tasks.create_task(self._watch_statuses())]
            try:
                yield
            finally:
                self.close()
                for keeper in keepers:
                    keeper.cancel()
                self._live.close()
                self.catching_up.close()

    @asynccontextmanager
    async def watching(self, collection_id: str) -> AsyncIterator[Channel]:
        """The channel of a collection, fresh, for as long as somebody reads it."""
        channel = self._channel(collection_id)
        channel.readers += 1
        try:
            await channel.opened.wait()
            yield channel
        finally:
            channel.readers -= 1
            if not channel.readers:
                channel.stop()
                if self._channels.get(collection_id) is channel:
                    del self._channels[collection_id]

    def _channel(self, collection_id: str) -> Channel:
        channel = self._channels.get(collection_id)
        if channel is None or channel.is_closed:
            channel = self._channels[collection_id] = Channel(collection_id, self._activity, self._facts, self._live)
            channel.start()
        elif channel.is_complete:
            channel.look_again()  # somebody may have resumed the collection
        if self._is_closed:
            channel.stop()
        return channel

    def _heard(self, announced: str | None) -> None:
        self.is_listening = True
        self.wake(announced)

    def _cut_off(self) -> None:
        self.is_listening = False

    def wake(self, announced: str | None) -> None:
        """News of the collections of a topic; of any collection, where it is None."""
        for channel in self._channels.values():
            if announced is None or topic(channel.collection_id) == announced:
                channel.wake()

    def close(self) -> None:
        """Sends every reader away."""
        self._is_closed = True
        for channel in self._channels.values():
            channel.stop()

    async def _watch_statuses(self) -> None:
        """Wakes the channels whose collection's status has changed: one small query for all of them.

        While nothing is announced to this server, all of them look.
        """
        while True:
            await asyncio.sleep(STATUS_EVERY_S)
            watched = [channel for channel in self._channels.values() if channel.opened.is_set()]
            if watched:
                ids = [channel.collection_id for channel in watched]
                statuses = await self._live.read_at_last(self._facts.statuses, ids)
                for channel in watched:
                    if not self.is_listening or statuses.get(channel.collection_id) != channel.status:
                        channel.wake()
