"""Stopping in the middle: workers look at a switch between two requests."""

from __future__ import annotations

import threading


class StopSwitch:
    """Thrown by the thread that is asked to stop, looked at by the workers. It cannot be thrown back."""

    def __init__(self) -> None:
        self._thrown = threading.Event()

    def throw(self) -> None:
        """Asks the workers to start nothing new."""
        self._thrown.set()

    @property
    def is_thrown(self) -> bool:
        """Whether somebody wants the work to stop."""
        return self._thrown.is_set()
