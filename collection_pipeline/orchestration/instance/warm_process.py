"""The process that runs are forked from: it has imported Dagster and the definitions, and has a single thread.

Importing the definitions takes two seconds of processor time; a fork takes milliseconds and shares what was imported.
The launcher (launcher.py) starts this process and speaks with it through pipes, in lines of JSON:

    in    ["<serialized instance>"]                     once, first
    in    ["<run id>", "<serialized job origin>"]       fork a run
    out   ["ready"]                                     once, first
    out   ["started", "<run id>", <process id>]
    out   ["ended", "<run id>", <exit code, negative for a signal>]

It ends once its input has ended and its runs have, and takes no interrupt before; its runs do. If it is killed, they go
on.
"""

import gc
import importlib
import json
import os
import selectors
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import IO

import dagster as dg
from dagster._core.events import EngineEventData
from dagster._core.instance import InstanceRef
from dagster._core.origin import JobPythonOrigin
from dagster._grpc.impl import core_execute_run  # what every launcher's process runs; it has no public name
from dagster._serdes import deserialize_value
from dagster._utils.hosted_user_process import recon_job_from_origin
from dagster._utils.interrupts import capture_interrupts

from collection_pipeline.orchestration.instance.event_batches import BatchingEventLogStorage
from collection_pipeline.orchestration.instance.pooled_storage import close_pools, look_at_schema
from collection_pipeline.sources.http import trusted_authorities

IMPORTED_LATE = (
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    "dagster._core.execution.plan.active",
    "dagster._core.execution.plan.execute_step",
    "dagster._core.executor.in_process",
    "dagster._core.storage.fs_io_manager",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.system_config.composite_descent",
    "h11",
    "httpcore",
    "psycopg_binary",
    "pydantic.dataclasses",
    "sqlalchemy.dialects.postgresql.psycopg",
)
"""What a run imports only when it gets there. Whatever is missing here costs time, and nothing else."""


INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


class WarmProcess:
    """Forks a process per run, and says how each of them ended."""

    def __init__(self, instance: dg.DagsterInstance, requests: IO[bytes], replies: IO[str]) -> None:
        self._instance = instance
        self._requests = requests
        self._replies = replies
        self._runs: dict[int, str] = {}

    def serve(self) -> None:
        """Until the requests and the runs have ended."""
        with _woken_by_children() as woken, selectors.DefaultSelector() as selector:
            selector.register(woken, selectors.EVENT_READ)
            selector.register(self._requests, selectors.EVENT_READ)
            while self._runs or self._requests in selector.get_map():
                for key, _ in selector.select():
                    if key.fileobj == woken:
                        os.read(woken, 4096)
                        self._reap()
                    elif line := self._requests.readline():
                        self._fork(*json.loads(line))
                    else:
                        selector.unregister(self._requests)

    def reply(self, *words: object) -> None:
        """Tells the launcher, if it still listens."""
        with suppress(BrokenPipeError):
            self._replies.write(json.dumps(words) + "\n")
            self._replies.flush()

    def _fork(self, run_id: str, serialized_origin: str) -> None:
        origin = deserialize_value(serialized_origin, JobPythonOrigin)
        with suppress(Exception):  # what is wrong with the definitions is the run's to report
            recon_job_from_origin(origin).repository.get_definition()  # built once, for all that are forked later
        signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)  # the run takes them once it can say why it ends
        pid = os.fork()
        if pid == 0:
            self._become(run_id, origin)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
        self._runs[pid] = run_id
        self.reply("started", run_id, pid)

    def _become(self, run_id: str, origin: JobPythonOrigin) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _leave_pipes(self._replies)
            code = execute(self._instance, run_id, origin)
        except BaseException:
            traceback.print_exc()
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)  # what the parent registered for its own end is not this process's to do

    def _reap(self) -> None:
        while self._runs:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if run_id := self._runs.pop(pid, None):
                self.reply("ended", run_id, os.waitstatus_to_exitcode(status))


@contextmanager
def _woken_by_children() -> Iterator[int]:
    """A descriptor that can be read once a child has ended, which `select` alone would not notice."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)  # who stops the runs is the one who started this process
    yield woken


def execute(instance: dg.DagsterInstance, run_id: str, origin: JobPythonOrigin) -> int:
    """Executes a run in this process, as Dagster's own launcher has it done; its exit code. Its events say the rest."""
    with capture_interrupts(), _events_in_batches(instance):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
        run = instance.get_run_by_id(run_id)
        if run is None:
            raise LookupError(f"The run {run_id} is not in Dagster's storage.")
        pid = os.getpid()
        instance.report_engine_event(f"Started process for run (pid: {pid}).", run, EngineEventData.in_process(pid))
        try:
            for _ in core_execute_run(recon_job_from_origin(origin), run, instance, inject_env_vars=False):
                pass
        except Exception:
            return 1  # the failure is in the event log already
        finally:
            instance.report_engine_event(f"Process for run exited (pid: {pid}).", run)
    return 0


def _events_in_batches(instance: dg.DagsterInstance) -> AbstractContextManager[None]:
    storage = instance.event_log_storage
    return storage.batched() if isinstance(storage, BatchingEventLogStorage) else nullcontext()


def _leave_pipes(replies: IO[str]) -> None:
    os.close(replies.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)


def main() -> None:
    """Gets warm, says so, and serves."""
    requests = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115 - a buffer would hide lines
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what runs print is no reply
    [serialized_instance] = json.loads(requests.readline())
    for module in ("collection_pipeline.definitions", *IMPORTED_LATE):
        with suppress(Exception):  # a run that needs it says what is wrong
            importlib.import_module(module)
    with dg.DagsterInstance.from_ref(deserialize_value(serialized_instance, InstanceRef)) as instance:
        look_at_schema(instance)
        trusted_authorities()
        close_pools()
        gc.collect()
        gc.freeze()  # the children share these objects for as long as nobody looks through them for garbage
        warm = WarmProcess(instance, requests, replies)
        warm.reply("ready")
        warm.serve()


if __name__ == "__main__":
    main()
