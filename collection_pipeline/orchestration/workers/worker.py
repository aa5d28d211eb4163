"""A worker: `python -m collection_pipeline.orchestration.workers.worker`, as the command `worker` starts it.

It imports the definitions and then forks its processes, each of which works on one run at a time. On SIGTERM it takes
no more runs, lets those that it has go on for the grace, and has what is left handed back.
"""

import gc
import importlib
import os
import signal
import sys
import threading
import warnings
from contextlib import suppress
from typing import Any

import click
import dagster as dg
from celery import Celery
from celery.exceptions import CPendingDeprecationWarning
from celery.signals import worker_ready, worker_shutting_down
from celery.worker import state

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.orchestration.instance.pooled_storage import close_pools, look_at_schema
from collection_pipeline.orchestration.instance.warm_process import IMPORTED_LATE
from collection_pipeline.orchestration.workers.broker import TASK, queue_name, worker_app
from collection_pipeline.orchestration.workers.code_version import code_version, require_code_version
from collection_pipeline.orchestration.workers.executing import build_repository, execute_once
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.settings.runs import RunSettings
from collection_pipeline.sources.http import trusted_authorities
from collection_pipeline.tables.schema.version import require_current_schema
from collection_pipeline.tables.server.database import create_engine, reachable
from collection_pipeline.tables.server.locating import named_database
from collection_pipeline.tables.server.run_leases import RunLeases

LOOKS_AT_VERSION_EVERY_S = 5.0


class Worker:
    """One machine's worker."""

    def __init__(self, instance: dg.DagsterInstance, app: Celery, leases: RunLeases, grace_s: float) -> None:
        self._instance, self._app, self._leases, self._grace_s = instance, app, leases, grace_s
        self._refused: PipelineError | None = None
        self._stopping = threading.Event()

    def work(self, concurrency: int) -> None:
        """Until it is told to stop. Raises PipelineError where the control plane has another version."""
        require_code_version(self._instance)
        self._app.task(self._execute, name=TASK)
        worker_ready.connect(self._begin, weak=False)
        worker_shutting_down.connect(self._stop, weak=False)
        warnings.simplefilter("ignore", CPendingDeprecationWarning)  # about a default that we have chosen
        close_pools()
        gc.collect()
        gc.freeze()  # the children share these objects for as long as nobody looks through them for garbage
        self._app.Worker(
            concurrency=concurrency,
            pool="prefork",
            queues=[queue_name()],
            loglevel="WARNING",
            quiet=True,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        ).start()
        if self._refused is not None:
            raise self._refused

    def _execute(self, run_id: str) -> int | None:
        return execute_once(self._instance, self._leases, run_id)

    def _begin(self, **_: Any) -> None:
        say(f"Taking runs. Version {code_version()}.")
        threading.Thread(target=self._watch_version, name="version", daemon=True).start()

    def _watch_version(self) -> None:
        while not self._stopping.wait(LOOKS_AT_VERSION_EVERY_S):
            try:
                require_code_version(self._instance)
            except PipelineError as refused:
                self._refused = refused
                os.kill(os.getpid(), signal.SIGTERM)
            except Exception:  # the database is away: whether the version still fits, it says when it is back
                continue

    def _stop(self, **_: Any) -> None:
        """Called in a signal's handler."""
        if not self._stopping.is_set():
            self._stopping.set()
            threading.Thread(target=self._hand_back, name="grace", daemon=True).start()

    def _hand_back(self) -> None:
        count = len(state.active_requests)
        say(f"Told to stop: takes no more runs. The {count} that it has may go on for {self._grace_s:g} s.")
        threading.Event().wait(self._grace_s)
        for request in list(state.active_requests):
            with suppress(ProcessLookupError, TypeError):  # it has ended, or not begun
                os.kill(request.worker_pid, signal.SIGINT)


def say(sentence: str) -> None:
    """A line in the worker's log."""
    print(f"collection-pipeline worker: {sentence}", file=sys.stderr, flush=True)


@click.command()
@click.option("--concurrency", type=click.IntRange(1, 1000), required=True)
def main(concurrency: int) -> None:
    """Take runs until SIGTERM."""
    settings, runs = Settings.from_mapping(os.environ), RunSettings.from_mapping(os.environ)
    try:
        _ = settings.oxylabs_credentials
        with reachable(create_engine(named_database(settings))) as engine:
            require_current_schema(engine)
        for module in IMPORTED_LATE:
            with suppress(ImportError):  # a run that needs it says what is wrong
                importlib.import_module(module)
        build_repository()
        trusted_authorities()
        with dg.DagsterInstance.get() as instance:
            look_at_schema(instance)
            leases = RunLeases(create_engine(named_database(settings)))
            Worker(instance, worker_app(runs.broker), leases, runs.worker_grace_s).work(concurrency)
    except PipelineError as error:
        say(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
