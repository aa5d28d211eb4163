"""One reader of a collection's activity: stored events first, then live ones, none missing and none twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from collection_pipeline.core.activity import ActivityEvent
from collection_pipeline.feed.channel import Channel
from collection_pipeline.feed.frames import RETRY, Message, status_frame
from collection_pipeline.feed.hub import Hub
from collection_pipeline.tables.watching.activity import ActivityStore, EventFilter

STORED = 100
"""How many of the events before it a new reader is shown."""

BATCH = 100
"""The most that is taken for one reader at a time: together with 64 KB of its connection's buffer, its memory."""


Query = Callable[[str, int, int, EventFilter], list[tuple[int, ActivityEvent]]]


class Reader:
    """Follows one collection. `position` is the id up to which this reader has been given all it wants."""

    def __init__(
        self, hub: Hub, activity: ActivityStore, collection_id: str, wanted: EventFilter, position: int | None
    ) -> None:
        self._hub, self._activity = hub, activity
        self._collection_id, self._wanted, self._position = collection_id, wanted, position

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """The stream, until the collection has ended, the server stops or the reader goes away.

        Each step is asked for when the one before is on its way: a reader that does not read is not read for.
        """
        yield RETRY
        async with self._hub.watching(self._collection_id) as channel:
            shown = None
            while not channel.is_closed:
                # Taken before the look: what comes during it, or while this reader is being sent to, is not missed.
                changed, status, is_complete = channel.changed, channel.status, channel.is_complete
                is_at_head, batch = await self._next(channel)
                if batch:
                    yield b"".join(message.frame for message in batch)
                if not is_at_head:
                    continue
                if is_complete and status is not None:
                    yield status_frame("end", status)
                    return
                if status is not None and status != shown:
                    shown = status
                    yield status_frame("status", status)
                await changed.wait()

    async def _next(self, channel: Channel) -> tuple[bool, list[Message]]:
        """The next messages for this reader, and whether they are all that the channel knows of."""
        head = channel.head
        if self._position is None:
            batch = await self._stored(self._activity.since, 0, STORED)
            self._position = max(head, _last_id(batch))
        elif self._position < channel.floor:
            batch = await self._stored(self._activity.after, self._position, BATCH)
            self._position = _last_id(batch) if len(batch) == BATCH else max(head, _last_id(batch))
        else:
            kept = channel.after(self._position, BATCH)
            self._position = max(self._position, _last_id(kept))
            batch = [message for message in kept if self._wanted.includes(message.event)]
        return self._position >= head, batch

    async def _stored(self, query: Query, position: int, limit: int) -> list[Message]:
        def read() -> list[Message]:
            return [Message.of(stored) for stored in query(self._collection_id, position, limit, self._wanted)]

        return await self._hub.catching_up.read_at_last(read)


def _last_id(messages: list[Message]) -> int:
    return messages[-1].id if messages else 0
