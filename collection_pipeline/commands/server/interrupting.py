"""Ctrl-C and SIGTERM, as `up` takes them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN_AFTER_S = 1.0


@contextmanager
def interruptible(hurry: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """The first Ctrl-C (or SIGTERM) interrupts what is going on; any further one only makes the stopping faster.

    Gives what has to be called when the stopping begins by itself: from then on every Ctrl-C is a further one.
    """
    is_stopping = False

    def begin() -> None:
        nonlocal is_stopping
        is_stopping = True

    def pressed(number: int, _frame: FrameType | None) -> None:
        if is_stopping:
            hurry()
            return
        # Raised while Python clears an object away, it would be ignored: then it is raised once more.
        again = threading.Timer(AGAIN_AFTER_S, press_again, (number,))
        again.daemon = True
        again.start()
        raise KeyboardInterrupt

    def press_again(number: int) -> None:
        if not is_stopping:
            os.kill(os.getpid(), number)

    former = {number: signal.signal(number, pressed) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield begin
    finally:
        is_stopping = True
        for number, handler in former.items():
            signal.signal(number, handler)
