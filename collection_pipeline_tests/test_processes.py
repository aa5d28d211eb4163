import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.processes import Services, Supervisor, free_port, require_free_port, stop_left_over

# Ignores every polite request, and so does the child it has.
STUBBORN = textwrap.dedent("""
    import signal, subprocess, sys, time
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import signal, time; "
        "[signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; print('ready', flush=True); time.sleep(600)"])
    time.sleep(600)
""")


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Handles the signals that stop a process, as `up` does before it starts any.

    A shell ignores Ctrl-C for what it starts in the background, and children inherit what is ignored, not what is
    handled; Dagster, once imported, takes SIGTERM for Ctrl-C.
    """
    former = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def started(supervisor: Supervisor, code: str, marker: str) -> list[psutil.Process]:
    supervisor.start("child", python(code), os.environ)
    deadline = time.monotonic() + 20
    while marker not in supervisor.log("child").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    leader = psutil.Process(supervisor.groups[-1])
    return [leader, *leader.children(recursive=True)]


def checked_for(supervisor: Supervisor, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        supervisor.check()
        time.sleep(0.02)


def are_gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def test_a_process_that_stops_when_asked_is_stopped_quickly(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    processes = started(supervisor, "import time; print('ready', flush=True); time.sleep(600)", "ready")
    began = time.monotonic()
    supervisor.stop()
    assert are_gone(processes)
    assert time.monotonic() - began < 10


def test_pressed_again_even_stubborn_processes_and_their_children_are_gone_at_once(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    processes = started(supervisor, STUBBORN, "ready")
    assert len(processes) == 2
    supervisor.hurry()
    began = time.monotonic()
    supervisor.stop()
    assert are_gone(processes)
    assert time.monotonic() - began < 10


def test_a_process_that_ended_by_itself_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.start("child", python("raise SystemExit('no space left')"), os.environ)
    with pytest.raises(PipelineError, match=r"(?s)child ended with code 1.*no space left"):
        checked_for(supervisor, seconds=20)
    supervisor.stop()


def test_what_a_killed_supervisor_left_running_is_stopped(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    processes = started(supervisor, "import time; print('ready', flush=True); time.sleep(600)", "ready")
    with subprocess.Popen(python("")) as dead:
        dead.wait()
    noted = Services(dead.pid, 0.0, "http://127.0.0.1:3000", "http://127.0.0.1:8780", None, supervisor.groups)
    noted.write(tmp_path)
    read = Services.read(tmp_path)
    assert read == noted
    assert not read.is_running
    stop_left_over(read)
    assert are_gone(processes)
    read.clear(tmp_path)
    assert Services.read(tmp_path) is None


def test_a_note_knows_its_own_process() -> None:
    me = psutil.Process()
    assert Services(me.pid, me.create_time(), "", "", None, ()).is_running
    assert not Services(me.pid, me.create_time() - 1, "", "", None, ()).is_running


def test_a_note_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "services.json").write_text("{}")
    assert Services.read(tmp_path) is None


def test_a_port_that_is_taken_is_refused_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PipelineError, match=f"Port {port} .* --port {port + 1}"):
            require_free_port("127.0.0.1", port, "--port")
    require_free_port("127.0.0.1", free_port(), "--port")
