"""Keeping the lease of a run while a process works on it, and not a moment longer.

The process ends before its lease does. The kernel sees to that with a timer that every renewal winds up again: it also
ends a process whose threads all wait for a database that does not answer, and one that was stopped and is woken later.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from collection_pipeline.tables.server.run_leases import Renewal, RunLeases

RENEWED_EVERY_S = 2.0
TRIED_AGAIN_AFTER_S = 0.5

ENDS_BEFORE_S = 1.0
"""So long before its lease does a process end that could not renew it."""


@contextmanager
def lease_kept(leases: RunLeases, run_id: str, holder: str) -> Iterator[bool]:
    """Whether this process has the run for as long as the context lasts. For a process's main thread.

    Without renewals the process is killed (SIGALRM). It gets SIGINT, once, when somebody wants the run stopped.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    began_at = time.monotonic()
    if not leases.take(run_id, holder):
        yield False
        return
    timer = _Timer(leases.lease_s)
    timer.wind_up(began_at)
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(leases, run_id, holder, timer, ended), daemon=True)
    renewing.start()
    try:
        yield True
    finally:
        ended.set()
        renewing.join()  # it may wait for the database, and this process with it: until the timer ends both
        leases.give_back(run_id, holder)
        timer.stop()


class _Timer:
    """Ends this process with the lease."""

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s

    def wind_up(self, renewed_at: float) -> None:
        """The lease lasts from the moment at which it was asked for, at least."""
        left_s = renewed_at + self._lease_s - ENDS_BEFORE_S - time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, max(left_s, 0.001))

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _renew(leases: RunLeases, run_id: str, holder: str, timer: _Timer, ended: threading.Event) -> None:
    is_interrupted, rest_s = False, RENEWED_EVERY_S
    while not ended.wait(rest_s):
        began_at = time.monotonic()
        try:
            renewal = leases.renew(run_id, holder)
        except sa.exc.DBAPIError:
            rest_s = TRIED_AGAIN_AFTER_S
            continue
        rest_s = RENEWED_EVERY_S
        if renewal is Renewal.LOST:
            os.kill(os.getpid(), signal.SIGKILL)
        timer.wind_up(began_at)
        if renewal is Renewal.STOPPING and not is_interrupted:
            is_interrupted = True
            os.kill(os.getpid(), signal.SIGINT)
