"""Keeps services running: what dies is started again after a growing pause, what dies again and again ends them all.

Stopping is done in an order: runs first, so that they meet no marketplace and no database that has gone before them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

import psutil

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.processes.running_services import group_lives, make_private, signal_group

PATIENCE_S = 15
"""How long a process may take to stop before it is asked again, and then killed."""

PAUSES_S = (1, 2, 5, 10, 20)
"""Before a service is started again for the first, second, … time within WITHIN_S."""

CHILDLESS_FOR_S = 2.0
"""How long a service that works in a child may be without one."""

WORKS_AFTER_S = 2.0
"""A child that has lived for so long is the one that does the work."""

WITHIN_S = 600
"""Deaths longer ago than this are forgotten."""


@dataclass(frozen=True)
class Service:
    """A process to keep running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    has_runs: bool = False
    """Whether its children start runs in its process group. They outlive it, and stop before all other services."""
    works_in_child: bool = False
    """Whether its work is done by a child, without which it is as good as dead."""


def restart_pause(deaths: Sequence[float], now: float) -> float | None:
    """Seconds until a service that died at these moments is started again; None where that has proved useless."""
    recent = [moment for moment in deaths if now - moment < WITHIN_S]
    return PAUSES_S[len(recent) - 1] if len(recent) <= len(PAUSES_S) else None


class Supervisor:
    """Starts services, each in a process group of its own, watches them, and stops them.

    A group of its own keeps the terminal's Ctrl-C away from the children: the supervisor decides who stops when.
    `tell` is given a line about each death and restart, and gives it back as it is to stand in the service's log.
    `noted` is given all process groups when there are more.
    """

    def __init__(
        self,
        logs: Path,
        tell: Callable[[str], str] = str,
        noted: Callable[[tuple[int, ...]], None] = lambda _groups: None,
    ) -> None:
        self.logs, self._tell, self._noted = logs, tell, noted
        self._kept: list[_Kept] = []
        self._impatient = False
        make_private(logs)

    @property
    def groups(self) -> tuple[int, ...]:
        """The process groups started so far, but for those that are known to be gone."""
        return tuple(group for kept in self._kept for group in kept.groups)

    def start(self, service: Service) -> None:
        """Starts a service whose output goes to `name`.log, and keeps it running."""
        kept = _Kept(service, self.log(service.name))
        self._kept.append(kept)
        kept.start()
        self._noted(self.groups)

    def log(self, name: str) -> Path:
        """Where a service writes."""
        return self.logs / f"{name}.log"

    def require_alive(self) -> None:
        """Raises PipelineError if any service has died: one that dies before all are ready has something wrong."""
        for kept in self._kept:
            if death := kept.death():
                raise PipelineError(f"{kept.service.name} {death}. {kept.end_of_log()}")

    def check(self) -> None:
        """Starts again what has died, once its pause is over. To be called now and then.

        Raises PipelineError for a service that dies again and again.
        """
        now = time.monotonic()
        for kept in self._kept:
            if kept.due is not None:
                if now >= kept.due:
                    kept.start()
                    self._noted(self.groups)
                    self._say(kept, "is started again")
            elif death := kept.death():
                self._bury(kept, death, now)

    def _bury(self, kept: _Kept, death: str, now: float) -> None:
        kept.deaths.append(now)
        pause = restart_pause(kept.deaths, now)
        if pause is None:
            minutes = WITHIN_S // 60
            raise PipelineError(
                f"{kept.service.name} {death}, for the {len(PAUSES_S) + 1}th time within {minutes} minutes. "
                f"Everything is stopped; mend the cause and start again. {kept.end_of_log()}"
            )
        self._say(kept, f"{death}; it is started again in {pause} s")
        kept.clear_away()
        kept.due = now + pause

    def _say(self, kept: _Kept, what: str) -> None:
        line = self._tell(f"{kept.service.name} {what}.")
        with kept.open_log() as log:
            log.write(f"{line}\n".encode())

    def hurry(self) -> None:
        """Somebody pressed Ctrl-C again: kill what has not stopped yet."""
        self._impatient = True

    def stop(self) -> None:
        """Stops everything that was started, politely first, runs before all else. Returns when all of it is gone."""
        with_runs = [kept for kept in self._kept if kept.service.has_runs]
        others = [kept for kept in reversed(self._kept) if not kept.service.has_runs]
        for wave in (with_runs, others):
            for kept in wave:
                kept.ask_to_stop()
            for kept in wave:
                self._await_end(kept)
        self._kept.clear()

    def _await_end(self, kept: _Kept) -> None:
        if kept.service.has_runs:
            self._await(lambda: not kept.interrupt_runs())
        else:
            self._await(lambda: kept.has_ended)
            kept.signal(signal.SIGTERM)
            self._await(lambda: not kept.groups)
        kept.signal(signal.SIGKILL)
        self._await(lambda: not kept.groups, is_killed=True)

    def _await(self, is_over: Callable[[], bool], *, is_killed: bool = False) -> None:
        patience = time.monotonic() + PATIENCE_S
        while not is_over() and time.monotonic() < patience and (is_killed or not self._impatient):
            time.sleep(0.05)


class _Kept:
    """A service and the process that is it at the moment."""

    def __init__(self, service: Service, log: Path) -> None:
        self.service = service
        self.deaths: list[float] = []
        self.due: float | None = None
        """When it is started again; None while it runs."""
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._former: list[int] = []
        self._interrupted: set[int] = set()
        self._had_child_at = float("inf")
        self._child: psutil.Process | None = None
        """The one that does the work, once it was there. Looking for it takes long, looking at it does not."""

    def start(self) -> None:
        with self.open_log() as log:
            self._process = subprocess.Popen(
                self.service.command,
                env=dict(self.service.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.due, self._child, self._had_child_at = None, None, float("inf")

    @property
    def has_ended(self) -> bool:
        """Whether its process has; asking also reaps it, which would keep its group alive as a zombie."""
        return self._process is None or self._process.poll() is not None

    @property
    def groups(self) -> list[int]:
        """Its living process groups: what former processes of it left, and its present one's."""
        self._former = [group for group in self._former if group_lives(group)]
        if self._process is None or (self.has_ended and not group_lives(self._process.pid)):
            return self._former
        return [*self._former, self._process.pid]

    def death(self) -> str | None:
        """How it died; None while it lives."""
        if self._process is None:
            return None
        if self.has_ended:
            return _how_it_ended(self._process.returncode)
        if self.service.works_in_child and self._is_childless():
            return "lost the process that does its work"
        return None

    def _is_childless(self) -> bool:
        """Whether it has had a child and none for a while: while it starts, some live only for a moment."""
        assert self._process is not None
        now = time.monotonic()
        if not _lives(self._child):
            self._child = _living_child(self._process.pid)
        # What a starting process calls, such as a look at the machine, is over in a moment, and no child that worked.
        if self._child is not None and (self._has_had_child or _age_s(self._child) >= WORKS_AFTER_S):
            self._had_child_at = now
        return now - self._had_child_at > CHILDLESS_FOR_S

    @property
    def _has_had_child(self) -> bool:
        return self._had_child_at != float("inf")

    def clear_away(self) -> None:
        """Ends what a dead process left behind, except runs, which go on."""
        assert self._process is not None
        if self.service.has_runs:
            self._former.append(self._process.pid)
        else:
            signal_group(self._process.pid, signal.SIGKILL)
        self._process.poll()

    def ask_to_stop(self) -> None:
        """An interrupt, on which Dagster's processes stop their children."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    def signal(self, how: signal.Signals) -> None:
        """Sends a signal to all that is left."""
        for group in self.groups:
            signal_group(group, how)

    def interrupt_runs(self) -> bool:
        """Interrupts each run, those started meanwhile too; whether anything of the groups is left.

        Runs are what is neither the service's own process nor a child of it. Each is interrupted once: a second time
        would disturb how it ends.
        """
        groups = self.groups
        for run in _members(groups):
            with suppress(psutil.NoSuchProcess):
                if run.pid not in {*groups, *self._interrupted} and run.ppid() not in groups:
                    self._interrupted.add(run.pid)
                    run.terminate()
        return bool(groups)

    def open_log(self) -> FileIO:
        return open(os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0)

    def end_of_log(self, lines: int = 15) -> str:
        end = "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])
        return f"The end of {self._log}:\n{end}"


def _members(groups: Sequence[int]) -> Iterator[psutil.Process]:
    for pid in psutil.pids():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(pid) in groups:
                yield psutil.Process(pid)


def _living_child(pid: int) -> psutil.Process | None:
    with suppress(psutil.NoSuchProcess):
        return next((child for child in psutil.Process(pid).children() if _lives(child)), None)
    return None


def _age_s(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return time.time() - process.create_time()
    return 0.0


def _lives(process: psutil.Process | None) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    return f"was ended by signal {-code} ({signal.Signals(-code).name})"
