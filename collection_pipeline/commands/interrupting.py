"""Ctrl-C and SIGTERM, as `up` takes them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible(hurry: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """The first Ctrl-C (or SIGTERM) interrupts what is going on; any further one only makes the stopping faster.

    Gives what has to be called when the stopping begins by itself: from then on every Ctrl-C is a further one.
    """
    is_stopping = False

    def begin() -> None:
        nonlocal is_stopping
        is_stopping = True

    def pressed(_signal: int, _frame: FrameType | None) -> None:
        if is_stopping:
            hurry()
            return
        begin()
        raise KeyboardInterrupt

    former = {number: signal.signal(number, pressed) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield begin
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
