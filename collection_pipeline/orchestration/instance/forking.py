"""The launcher's side of a warm process (warm_process.py): starts it, has it fork runs, hears how they ended."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

WITHIN_S = 60
"""How long it may take until a run is forked; the first one waits for the definitions to be imported."""

OnEnd = Callable[[str, int], None]
"""Called for each run that ended, with its id and its process's exit code, which is negative for a signal."""


class WarmProcessEnded(Exception):
    """The warm process is gone. Runs that it forked may live on; nobody will report their ends."""


class WarmClient:
    """One warm process. Its methods may be called from any thread."""

    def __init__(self, serialized_instance: str, on_end: OnEnd) -> None:
        self._on_end = on_end
        self._started: dict[str, Future[int]] = {}
        self._at_work: set[str] = set()
        self._writing = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "collection_pipeline.orchestration.instance.warm_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._write(serialized_instance)
        threading.Thread(target=self._listen, name="warm-process", daemon=True).start()

    @property
    def process_id(self) -> int:
        """The warm process's."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can still fork."""
        return self._process.poll() is None

    @property
    def has_runs(self) -> bool:
        """Whether any of its runs is at work, or about to be."""
        return bool(self._started or self._at_work)

    def start(self, run_id: str, serialized_origin: str) -> int:
        """Forks a run; its process id. Raises WarmProcessEnded, and TimeoutError where nothing is heard of it."""
        started = self._started[run_id] = Future()
        self._write(run_id, serialized_origin)
        if not self.is_alive:
            self._give_up()
        return started.result(WITHIN_S)

    def retire(self) -> None:
        """Lets it end as soon as the runs that it forked have."""
        with self._writing, suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _write(self, *words: str) -> None:
        assert self._process.stdin is not None
        with self._writing, suppress(OSError, ValueError):  # that it is gone, the listener learns
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            match json.loads(line):
                case ["started", run_id, process_id]:
                    self._at_work.add(run_id)
                    self._started.pop(run_id).set_result(process_id)
                case ["ended", run_id, code]:
                    self._at_work.discard(run_id)
                    self._on_end(run_id, code)
        self._process.wait()
        self._give_up()

    def _give_up(self) -> None:
        for run_id in list(self._started):
            if waiting := self._started.pop(run_id, None):
                waiting.set_exception(WarmProcessEnded(f"The warm process {self.process_id} ended."))
