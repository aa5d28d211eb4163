"""Waking the daemon's loops for what cannot wait until their next look: a collection that starts, a run that ends."""

import asyncio
import logging
import os
import threading
import time

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings import Settings
from collection_pipeline.tables.database import create_engine
from collection_pipeline.tables.locating import application_database
from collection_pipeline.tables.notices import COLLECTIONS, listen

LOOKS_AT_SHUTDOWN_S = 1.0
TRIED_AGAIN_AFTER_S = 10.0

logger = logging.getLogger(__name__)


class Alarm:
    """Wakes one loop of the daemon, which rests at least so many seconds between two rounds."""

    def __init__(self, apart_s: float) -> None:
        self._apart_s = apart_s
        self._is_ringing = threading.Event()

    def ring(self) -> None:
        """Has the loop look now, or as soon as it may."""
        self._is_ringing.set()

    def rest(self, shutdown: threading.Event, longest_s: float) -> None:
        """Returns when the next round may begin: when the alarm rings, the time is over, or the daemon shuts down."""
        began_at = time.monotonic()
        ends_at = began_at + longest_s
        while not shutdown.is_set() and (left_s := ends_at - time.monotonic()) > 0:
            if self._is_ringing.wait(min(LOOKS_AT_SHUTDOWN_S, left_s)):
                shutdown.wait(max(0.0, began_at + self._apart_s - time.monotonic()))
                break
        self._is_ringing.clear()


SENSORS = Alarm(apart_s=1.05)
"""Dagster evaluates no sensor twice within a second."""

QUEUE = Alarm(apart_s=0.05)


def wake() -> None:
    """Has the daemon of this process evaluate sensors and look at the queue. In other processes it does nothing."""
    SENSORS.ring()
    QUEUE.ring()


def listen_in_background() -> None:
    """Wakes the loops whenever the tables announce that collections have changed, until the process ends."""
    threading.Thread(target=_listen, name="announcements", daemon=True).start()


def _listen() -> None:
    while True:
        try:
            with application_database(Settings.from_mapping(os.environ)) as url:
                engine = create_engine(url)
                asyncio.run(listen(engine, _on_news))
        except PipelineError as error:
            logger.warning("%s Until then, starts and ends of collections are noticed later.", error)
        time.sleep(TRIED_AGAIN_AFTER_S)


def _on_news(topic: str | None) -> None:
    if topic in (COLLECTIONS, None):
        wake()
