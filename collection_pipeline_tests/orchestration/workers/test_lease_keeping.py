"""A process ends before its lease does, whatever it waits for, and stops its run when somebody wants that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from collection_pipeline.tables.server.run_leases import RunLeases
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.waiting import await_true

HOLDER = """
import sys, time
from sqlalchemy import make_url
from collection_pipeline.orchestration.workers import lease_keeping
from collection_pipeline.orchestration.workers.lease_keeping import lease_kept
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.run_leases import RunLeases

lease_keeping.RENEWED_EVERY_S = 0.1
with lease_kept(RunLeases(create_engine(make_url(sys.argv[1])), lease_s=2.0), "r", "w") as is_mine:
    print(is_mine, flush=True)
    try:
        for _ in range(1000 if is_mine else 0):
            time.sleep(0.05)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


@pytest.fixture
def holder(database: sa.URL) -> Iterator[subprocess.Popen[str]]:
    """A process that has the run `r`, and works on it for longer than any test takes."""
    process = start(database)
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.wait()


def start(database: sa.URL) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", HOLDER, database.render_as_string(hide_password=False)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def leases(store: Store) -> RunLeases:
    return RunLeases(store.engine)


def test_a_lease_is_renewed_while_its_process_works(store: Store, holder: subprocess.Popen[str]) -> None:
    time.sleep(3)  # longer than the lease
    assert holder.poll() is None
    assert not leases(store).take("r", "another")


def test_a_process_that_waits_for_the_database_ends_before_its_lease(
    store: Store, holder: subprocess.Popen[str]
) -> None:
    with store.engine.begin() as connection:
        # as when a network swallows what is sent: no error, and no answer
        connection.execute(sa.text("SELECT FROM run_leases FOR UPDATE"))
        assert holder.wait(30) == -signal.SIGALRM
        assert connection.scalar(sa.text("SELECT held_until > clock_timestamp() FROM run_leases"))


def test_a_process_that_was_stopped_ends_when_it_is_woken_and_works_no_more(
    store: Store, holder: subprocess.Popen[str]
) -> None:
    os.kill(holder.pid, signal.SIGSTOP)
    await_true(lambda: leases(store).take("r", "another"), 30, every_s=0.05)
    os.kill(holder.pid, signal.SIGCONT)
    assert holder.wait(30) == -signal.SIGALRM


def test_somebody_stops_a_run_and_its_lease_ends(store: Store, holder: subprocess.Popen[str]) -> None:
    assert leases(store).stop("r")
    assert holder.wait(30) == 0
    assert holder.stdout is not None
    assert holder.stdout.read() == "stopped\n"
    assert leases(store).take("r", "another")


def test_a_run_that_another_process_has_is_not_worked_on(database: sa.URL, store: Store) -> None:
    leases(store).take("r", "another")
    second = start(database)
    assert second.communicate(timeout=30)[0] == "False\n"
    assert leases(store).held(["r"]) == {"r"}
