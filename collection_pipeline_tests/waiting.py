"""Waiting for what happens in other processes and threads, without a guess at how long it takes."""

import time
from collections.abc import Callable


def await_true(condition: Callable[[], bool], timeout_s: float = 60, *, every_s: float = 0.01) -> None:
    """Returns once the condition holds; fails the test if it does not within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {timeout_s:g} s"
        time.sleep(every_s)
