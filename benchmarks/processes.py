"""What the product's processes use, by kind, measured from outside."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

KINDS = {
    "collection-pipeline collect": "command",
    "collection_pipeline.simulator": "simulator",
    "warm_process": "runs",
    "multiprocessing": "runs",
    "postgres": "postgres",
}
"""What in a command line tells whose process it is; the rest are the services."""

EVERY_S = 0.05
MEMORY_EVERY_S = 0.5


@dataclass
class Usage:
    """Seconds of processor time by kind of process, and the most memory of their own that they held, in MB."""

    seconds: Counter[str] = field(default_factory=Counter)
    megabytes: float = 0.0
    run_megabytes: float = 0.0
    """The most that one run had, beside what it shares with the process that it was forked from."""

    @property
    def ours(self) -> float:
        """All but the marketplace's seconds."""
        return sum(self.seconds.values()) - self.seconds["simulator"]


@contextmanager
def measured(home: Path) -> Iterator[Usage]:
    """Measures every process of a home until the end of the context. Processes shorter than the interval are missed."""
    usage, over, measured_at = Usage(), threading.Event(), [0.0]
    before, seen = _times(home), dict[psutil.Process, tuple[str, float]]()

    def watch() -> None:
        while not over.wait(EVERY_S):
            seen.update(_times(home))
            if time.monotonic() - measured_at[0] > MEMORY_EVERY_S:
                measured_at[0] = time.monotonic()
                usage.run_megabytes = max([usage.run_megabytes, *map(_memory, _forked(seen))])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield usage
    finally:
        over.set()
        watcher.join()
        seen.update(_times(home))
        for process, (kind, seconds) in seen.items():
            usage.seconds[kind] += seconds - before.get(process, (kind, 0.0))[1]  # type: ignore[assignment]
        usage.megabytes = sum(_memory(process) for process in seen if process.is_running())


def _times(home: Path) -> dict[psutil.Process, tuple[str, float]]:
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if kind := _kind(process, home):
                times = process.cpu_times()
                found[process] = (kind, times.user + times.system)
    return found


_known: dict[psutil.Process, str | None] = {}


def _kind(process: psutil.Process, home: Path) -> str | None:
    """What a process of the home is; None for everybody else's."""
    if process not in _known:
        line = " ".join(process.cmdline())
        is_ours = str(home) in line or process.environ().get("COLLECTION_HOME") == str(home)
        # A server's children have its environment, and a command line of their own.
        is_ours = is_ours or Path(process.cwd()).is_relative_to(home.resolve())  # Postgres, which works there
        kinds = (kind for word, kind in KINDS.items() if word in line)
        _known[process] = next(kinds, "services") if is_ours else None
    return _known[process]


def _forked(seen: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    """The runs themselves, without the process that they are forked from."""
    runs = {process.pid: process for process in seen if _known.get(process) == "runs"}
    for process in runs.values():
        with suppress(psutil.Error):
            if process.ppid() in runs:
                yield process


def _memory(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return float(process.memory_full_info().uss) / 1e6
    return 0.0
