"""Starting the product's processes, and stopping every one of them, whatever happens in between."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from collection_pipeline.core.errors import PipelineError

PATIENCE_S = 15
"""How long a process may take to stop before it is killed; Dagster gives its own children 10 seconds."""


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
        """Whether the process that noted this is still there, and not another one of its number."""
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
        (home / "services.json").write_text(json.dumps(asdict(self)))

    @staticmethod
    def clear(home: Path) -> None:
        """Takes the note away."""
        (home / "services.json").unlink(missing_ok=True)


class Supervisor:
    """Starts processes, each leading a group of its own, and stops the groups in reverse order.

    A group of its own keeps the terminal's Ctrl-C away from the children: the supervisor decides who stops when.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._processes: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._impatient = False
        logs.mkdir(parents=True, exist_ok=True)

    @property
    def groups(self) -> tuple[int, ...]:
        """The process groups started so far."""
        return tuple(process.pid for _, process in self._processes)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts a process whose output goes to `name`.log."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._processes.append((name, process))

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self._logs / f"{name}.log"

    def check(self) -> None:
        """Raises PipelineError if any process has ended by itself."""
        for name, process in self._processes:
            if process.poll() is not None:
                raise PipelineError(
                    f"{name} ended with code {process.returncode}. The end of {self.log(name)}:\n"
                    + _tail(self.log(name))
                )

    def hurry(self) -> None:
        """Somebody pressed Ctrl-C again: kill what has not stopped yet."""
        self._impatient = True

    def stop(self) -> None:
        """Stops everything that was started, politely first. Does not return before all of it is gone."""
        for _, process in reversed(self._processes):
            # Dagster stops its own children on an interrupt; the rest of the group is asked if any of it is left.
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGINT)
        for _, process in reversed(self._processes):
            self._await_group(process)
        self._processes.clear()

    def _await_group(self, process: subprocess.Popen[bytes]) -> None:
        for how in (None, signal.SIGTERM, signal.SIGKILL):
            if how is not None:
                _signal_group(process.pid, how)
            patience = time.monotonic() + PATIENCE_S
            while time.monotonic() < patience and not (self._impatient and how != signal.SIGKILL):
                process.poll()  # reaps the leader, which would otherwise keep its group alive as a zombie
                if not _group_lives(process.pid):
                    return
                time.sleep(0.05)


def stop_left_over(services: Services) -> None:
    """Stops processes of a supervisor that was killed before it could do so itself."""
    for group in services.groups:
        _signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    while any(_group_lives(group) for group in services.groups) and time.monotonic() < deadline:
        time.sleep(0.1)
    for group in services.groups:
        _signal_group(group, signal.SIGKILL)


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


def free_port() -> int:
    """A port on 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _signal_group(group: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, how)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
