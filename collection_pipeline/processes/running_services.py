"""What runs where, as `up` notes it for other commands, and what a killed one left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import fasteners
import psutil

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.server.private_folders import write_private

PATIENCE_S = 15
"""How long a process may take to stop before it is killed."""


@dataclass(frozen=True)
class Services:
    """What `up` has running, as it notes it in COLLECTION_HOME for other commands. Addresses are for people."""

    supervisor: int
    supervisor_started: float
    dagster_url: str
    feed_url: str
    simulator_url: str | None
    groups: tuple[int, ...]
    """Process groups that were started; each is led by the process of the same number."""

    @property
    def is_running(self) -> bool:
        """Whether the process that wrote the note still runs, and its number has not gone to another."""
        try:
            return psutil.Process(self.supervisor).create_time() == self.supervisor_started
        except psutil.NoSuchProcess:
            return False

    @classmethod
    def read(cls, home: Path) -> Services | None:
        """The note in `home`, if there is one that can be read."""
        try:
            noted = json.loads((home / "services.json").read_text())
            return cls(**{**noted, "groups": tuple(noted["groups"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, home: Path) -> None:
        """Leaves the note."""
        write_private(home / "services.json", json.dumps(asdict(self)))

    @staticmethod
    def clear(home: Path) -> None:
        """Takes the note away."""
        (home / "services.json").unlink(missing_ok=True)


def stop_left_over(services: Services) -> None:
    """Stops processes of a supervisor that was killed before it could do so itself."""
    for group in services.groups:
        signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    while any(group_lives(group) for group in services.groups) and time.monotonic() < deadline:
        time.sleep(0.1)
    for group in services.groups:
        signal_group(group, signal.SIGKILL)


def require_free_port(host: str, port: int, option: str) -> None:
    """Raises PipelineError, naming the option that chooses another one, if something listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PipelineError(
                f"Port {port} on {host} cannot be used ({error.strerror}). Choose another one with {option}, for "
                f'example {option} {port + 1} (make run ARGS="{option} {port + 1}"), or stop what uses it.'
            ) from None


def make_private(folder: Path) -> None:
    """Makes a folder that only its owner enters, and those above it that are missing; one that is there is closed."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)


@contextmanager
def only_one(file: Path) -> Iterator[bool]:
    """Whether no other living process is inside this with the same file. A lock that a killed process held is free."""
    lock = fasteners.InterProcessLock(file)
    is_first = lock.acquire(blocking=False)
    try:
        yield is_first
    finally:
        if is_first:
            lock.release()


def free_port() -> int:
    """A port on 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def signal_group(group: int, how: signal.Signals) -> None:
    """Sends a signal to every process of a group, if there is any."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, how)


def group_lives(group: int) -> bool:
    """Whether a group has any process, one that nobody has reaped included."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
