"""The news of one collection: read from the table once and kept for a moment, for everybody who reads along.

A reader is only a position in the order of ids. One who is so slow that what it needs is no longer kept here reads the
table instead, so nobody waits for anybody, nothing is queued per reader, and nothing is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from itertools import islice, takewhile

from collection_pipeline.core.collecting.collections import OPEN_STATUSES, CollectionStatus
from collection_pipeline.feed.frames import Message
from collection_pipeline.feed.reading import Lane
from collection_pipeline.tables.watching.activity import ActivityStore
from collection_pipeline.tables.watching.page_figures import FeedStore

KEPT = 1_000
"""Messages of about 600 bytes: what one watched collection takes in memory is well under a megabyte."""

PAGE = 500

logger = logging.getLogger(__name__)


class Channel:
    """What is known of one collection. Every message after `floor` up to `head` is kept."""

    def __init__(self, collection_id: str, activity: ActivityStore, facts: FeedStore, lane: Lane) -> None:
        self.collection_id = collection_id
        self.readers = 0
        self.head = 0
        self.floor = 0
        self.status: str | None = None
        self.is_complete = False
        """Whether the collection had ended before its newest events were read: then there are no more."""
        self.is_closed = False
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, at every change. Take it before looking, wait for it after."""
        self.opened = asyncio.Event()
        self._activity, self._facts, self._lane = activity, facts, lane
        self._kept: deque[Message] = deque()
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There may be something new in the table."""
        self._news.set()

    def after(self, position: int, limit: int) -> list[Message]:
        """The next messages after a position that is not below the floor, oldest first."""
        newer = [*takewhile(lambda message: message.id > position, reversed(self._kept))]
        return [*islice(reversed(newer), limit)]

    def start(self) -> None:
        """Begins to read whatever is new, until stopped."""
        self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Sends every reader away; it comes back, to this server or another one, and names its last event."""
        self._task.cancel()
        self._close()

    def look_again(self) -> None:
        """Readers who come now wait until the collection has been looked at again."""
        self.opened.clear()
        self.wake()

    async def _run(self) -> None:
        try:
            self.head = self.floor = await self._lane.read_at_last(self._activity.last_id, self.collection_id)
            self.wake()
            while True:
                await self._news.wait()
                self._news.clear()
                self._take(*await self._lane.read_at_last(self._look, self.head))
        except Exception:
            logger.exception("The feed of one collection broke; its readers are asked to come back.")
            self._close()

    def _close(self) -> None:
        self.is_closed = True
        self.opened.set()
        self._tell()

    def _look(self, head: int) -> tuple[str | None, list[Message]]:
        # The status first: whatever a collection did before it ended is then among the events.
        status = self._facts.statuses([self.collection_id]).get(self.collection_id)
        return status, [Message.of(stored) for stored in self._activity.after(self.collection_id, head, PAGE)]

    def _take(self, status: str | None, messages: list[Message]) -> None:
        is_whole = len(messages) < PAGE
        if not is_whole:
            self.wake()
        for message in messages:
            self._kept.append(message)
            self.head = message.id
        while len(self._kept) > KEPT:
            self.floor = self._kept.popleft().id
        self.status = status
        self.is_complete = is_whole and has_ended(status)
        self.opened.set()
        self._tell()

    def _tell(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


def has_ended(status: str | None) -> bool:
    """Whether a collection of this status does nothing more, unless somebody resumes it."""
    return status is not None and CollectionStatus(status) not in OPEN_STATUSES
