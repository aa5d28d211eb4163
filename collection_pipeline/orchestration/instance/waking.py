"""Waking the daemon's loops for what cannot wait until their next look: a collection that starts, a run that ends."""

import asyncio
import logging
import os
import threading
import time

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.schema.notices import DAEMON, listen
from collection_pipeline.tables.server.locating import direct_database

LOOKS_AT_SHUTDOWN_S = 1.0

BUSY_FOR_S = 60.0
"""After news a loop looks more often for so long."""

BUSY_REST_S = 5.0
"""The longest rest then."""

SETTLED_WITHIN_S = 1.5
"""How long it may take until it is written down how a run ended, and until another one is queued in its place."""

PLACE_KEPT_S = 6.0
"""How long a lost run's place is kept: until the sensors have planned its category anew, and asked for the next run."""

TRIED_AGAIN_AFTER_S = 10.0

logger = logging.getLogger(__name__)


class Alarm:
    """Wakes one loop of the daemon, which rests at least `apart_s` between two rounds."""

    def __init__(self, apart_s: float) -> None:
        self._apart_s = apart_s
        self._changed = threading.Condition()
        self._rings_at = float("inf")
        self._rang_at = float("-inf")
        self._held_until = float("-inf")

    def ring(self, within_s: float = 0.0, *, is_news: bool = True) -> None:
        """Has the loop look now, or within so many seconds, together with what else there is until then.

        After news there may be more to see that nobody announces: the loop looks more often for a while.
        """
        now = time.monotonic()
        with self._changed:
            self._rang_at = now if is_news else self._rang_at
            self._rings_at = min(self._rings_at, now + within_s)
            self._changed.notify_all()

    def hold(self, for_s: float) -> None:
        """Has the loop not look for so many seconds, whoever rings."""
        with self._changed:
            self._held_until = time.monotonic() + for_s

    def rest(self, shutdown: threading.Event, longest_s: float) -> None:
        """Returns when the next round may begin: when the alarm rings, the time is over, or the daemon shuts down."""
        began_at = time.monotonic()
        if began_at - self._rang_at < BUSY_FOR_S:
            longest_s = min(longest_s, BUSY_REST_S)
        with self._changed:
            while not shutdown.is_set():
                rings_at = min(self._rings_at, began_at + longest_s)
                ends_at = max(began_at + self._apart_s, self._held_until, rings_at)
                left_s = ends_at - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(min(left_s, LOOKS_AT_SHUTDOWN_S))
            self._rings_at = float("inf")


SENSORS = Alarm(apart_s=1.05)
"""Dagster evaluates no sensor twice within a second."""

QUEUE = Alarm(apart_s=0.05)

LAST_RUN_ENDED = threading.Event()
"""Set when no run is left, until somebody has looked."""


def run_ended(*, is_last: bool) -> None:
    """A run of this process has ended. Its place is filled at once; what else follows has time, unless it was the last.

    In processes that are no daemon it does nothing.
    """
    if is_last:
        LAST_RUN_ENDED.set()
    QUEUE.ring()
    SENSORS.ring(within_s=0.0 if is_last else SETTLED_WITHIN_S)


def run_lost() -> None:
    """A run's process is gone, and the run is about to be failed. Its place is kept for its category's next attempt."""
    QUEUE.hold(PLACE_KEPT_S)
    SENSORS.ring()


def listen_in_background() -> None:
    """Wakes the sensors whenever the tables announce something to look at, until the process ends."""
    threading.Thread(target=_listen, name="announcements", daemon=True).start()


def _listen() -> None:
    while True:
        try:
            with direct_database(Settings.from_mapping(os.environ)) as url:
                asyncio.run(listen(url, _on_news))
        except PipelineError as error:
            logger.warning("%s Until then, starts and ends of collections are noticed later.", error)
        time.sleep(TRIED_AGAIN_AFTER_S)


def _on_news(topic: str | None) -> None:
    if topic in (DAEMON, None):
        SENSORS.ring(is_news=topic is not None)
