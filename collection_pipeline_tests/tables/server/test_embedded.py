"""The embedded server after accidents: processes that were killed, numbers that others have by now, a recovery."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy as sa

from collection_pipeline.tables.server.embedded import start_embedded, stop_embedded


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="collection_pipeline_tests_"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]))


def answers(url: sa.URL) -> bool:
    with psycopg.connect(url.set(database="postgres").render_as_string(hide_password=False)) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_killed_a_moment_ago_is_started_again(home: Path) -> None:
    start_embedded(home)
    postmaster(home).kill()
    assert answers(start_embedded(home))
    stop_embedded(home)


def test_a_process_that_has_ended_and_was_not_waited_for_does_not_keep_the_server_running(home: Path) -> None:
    start_embedded(home)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    while psutil.Process(ended.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    (home / "postgres.users").write_text(json.dumps([os.getpid(), ended.pid]))
    stop_embedded(home)
    assert not (home / "postgres" / "postmaster.pid").exists()
    ended.wait()


def test_a_process_number_that_somebody_else_has_by_now_is_not_taken_for_the_server(home: Path) -> None:
    start_embedded(home)
    killed = postmaster(home)
    killed.kill()
    while killed.is_running():
        time.sleep(0.05)
    for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        file = home / "postgres" / lock
        file.write_text(file.read_text().replace(str(killed.pid), str(os.getpid())))
    assert answers(start_embedded(home))
    stop_embedded(home)


def test_a_server_that_still_recovers_is_waited_for(home: Path) -> None:
    start_embedded(home)
    note = home / "postgres" / "postmaster.pid"
    ready = note.read_text()
    note.write_text(ready.replace("ready   ", "starting"))
    recovered = threading.Timer(1, note.write_text, [ready])
    recovered.start()
    assert answers(start_embedded(home))
    assert not recovered.is_alive()
    stop_embedded(home)


def test_the_last_living_user_stops_the_server_whoever_was_killed_before(home: Path) -> None:
    module = "collection_pipeline.tables.server.embedded"
    program = f"import pathlib; from {module} import start_embedded; start_embedded(pathlib.Path('.'))"
    killed = subprocess.Popen(
        [sys.executable, "-c", f"{program}; print(1, flush=True); input()"], cwd=home, stdin=-1, stdout=-1
    )
    assert killed.stdout is not None
    killed.stdout.readline()
    killed.kill()
    killed.communicate()
    assert json.loads((home / "postgres.users").read_text()) == [killed.pid]
    subprocess.run([sys.executable, "-c", program], cwd=home, check=True)
    assert not (home / "postgres" / "postmaster.pid").exists()
