"""Acting as another user of the machine, which only root can."""

from __future__ import annotations

import os
import pickle
import pwd
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")

IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody").pw_uid
STRANGER = 54321
"""A user without an account."""


def as_user(uid: int, act: Callable[[], T]) -> T:
    """What `act` gives, or raises, in a process of that user. It is forked: Python itself may be root's alone."""
    if uid == os.geteuid():
        return act()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            outcome: tuple[bool, object] = True, act()
        except BaseException as error:
            outcome = False, RuntimeError(f"{type(error).__name__}: {error}")
        with open(write, "wb") as pipe:
            pickle.dump(outcome, pipe)
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        is_good, answer = pickle.load(pipe)
    os.waitpid(child, 0)
    if not is_good:
        raise cast("RuntimeError", answer)
    return cast("T", answer)
