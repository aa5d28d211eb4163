"""Services that die, come back, and stop: real processes, and the rule for when they are started again."""

import os
import re
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.processes import supervising
from collection_pipeline.processes.running_services import Services, stop_left_over
from collection_pipeline.processes.supervising import PAUSES_S, WITHIN_S, Service, Supervisor, restart_pause
from collection_pipeline_tests.waiting import await_true

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


def service(code: str, *, has_runs: bool = False, works_in_child: bool = False) -> Service:
    return named_service("child", code, has_runs=has_runs, works_in_child=works_in_child)


def named_service(name: str, code: str, *, has_runs: bool = False, works_in_child: bool = False) -> Service:
    return Service(name, (sys.executable, "-c", code), os.environ, has_runs, works_in_child)


def started(supervisor: Supervisor, code: str, marker: str) -> list[psutil.Process]:
    supervisor.start(service(code))
    await_true(lambda: marker in supervisor.log("child").read_text(), 20)
    leader = psutil.Process(supervisor.groups[-1])
    return [leader, *leader.children(recursive=True)]


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


def test_before_all_are_ready_a_death_is_the_end_and_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.start(service("raise SystemExit('no space left')"))

    def still_alive() -> bool:
        supervisor.require_alive()
        return False

    with pytest.raises(PipelineError, match=r"(?s)child ended with code 1.*no space left"):
        await_true(still_alive, 20)
    supervisor.stop()


def test_what_a_killed_supervisor_left_running_is_stopped(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    processes = started(supervisor, "import time; print('ready', flush=True); time.sleep(600)", "ready")
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
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


SLEEPS = "import time; print('ready', flush=True); time.sleep(600)"

LEAVES_A_CHILD = textwrap.dedent("""
    import subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; print('working', flush=True); time.sleep(600)"])
    print("ready", child.pid, flush=True)
    time.sleep(600)
""")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that a test can wait for."""
    monkeypatch.setattr(supervising, "PAUSES_S", tuple(pause / 100 for pause in PAUSES_S))
    monkeypatch.setattr(supervising, "WORKS_AFTER_S", 0)


def kill(process: psutil.Process) -> None:
    process.kill()
    await_true(lambda: are_gone([process]))


def restarted(supervisor: Supervisor, marker: str, times: int) -> None:
    def look() -> bool:
        supervisor.check()
        return supervisor.log("child").read_text().count(marker) == times

    await_true(look, 20)


@pytest.mark.usefixtures("quick")
def test_what_dies_is_started_again_and_a_line_says_so_on_the_console_and_in_its_log(tmp_path: Path) -> None:
    told: list[str] = []
    noted: list[tuple[int, ...]] = []

    def tell(line: str) -> str:
        told.append(line)
        return f"up: {line}"

    supervisor = Supervisor(tmp_path, tell, noted.append)
    [first] = started(supervisor, SLEEPS, "ready")
    kill(first)
    restarted(supervisor, "ready", 2)
    assert told == [
        "child was ended by signal 9 (SIGKILL); it is started again in 0.01 s.",
        "child is started again.",
    ]
    assert all(f"up: {line}\n" in supervisor.log("child").read_text() for line in told)
    assert noted[0] == (first.pid,)
    assert noted[-1] == supervisor.groups != noted[0]
    supervisor.stop()
    assert supervisor.groups == ()


@pytest.mark.usefixtures("quick")
def test_what_dies_again_and_again_ends_it_with_the_reason_and_the_logs_end(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.start(service("raise SystemExit('no space left')"))

    def look() -> bool:
        supervisor.check()
        return False

    times = len(PAUSES_S) + 1
    with pytest.raises(PipelineError, match=rf"(?s)child ended with code 1, for the {times}th time.*no space left"):
        await_true(look, 60)
    assert supervisor.log("child").read_text().count("no space left") == times
    supervisor.stop()


@pytest.mark.usefixtures("quick")
def test_a_service_that_works_in_a_child_is_dead_without_it_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.start(service(LEAVES_A_CHILD, works_in_child=True))
    restarted(supervisor, "working", 1)
    leader = psutil.Process(supervisor.groups[0])
    supervisor.check()  # sees the child
    kill(leader.children()[0])
    restarted(supervisor, "working", 2)
    assert "lost the process that does its work" in supervisor.log("child").read_text()
    assert are_gone([leader])
    supervisor.stop()


HAS_A_BRIEF_CHILD_FIRST = """
    import subprocess, sys, time
    subprocess.run([sys.executable, "-c", "print('brief', flush=True); import time; time.sleep(0.5)"])
    time.sleep(4)
    subprocess.Popen([sys.executable, "-c", "print('working', flush=True); import time; time.sleep(600)"])
    time.sleep(600)
"""


def test_a_child_that_is_there_for_a_moment_is_not_the_one_that_does_the_work(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.start(service(textwrap.dedent(HAS_A_BRIEF_CHILD_FIRST), works_in_child=True))

    def works() -> bool:
        supervisor.require_alive()
        return "working" in supervisor.log("child").read_text()

    await_true(works, 30)
    assert "lost the process" not in supervisor.log("child").read_text()
    supervisor.stop()


@pytest.mark.usefixtures("quick")
def test_runs_outlive_the_death_of_what_started_them_and_are_stopped_at_the_end(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.start(
        service(launching("import os; print('working', os.getpid(), flush=True); time.sleep(600)"), has_runs=True)
    )
    restarted(supervisor, "working", 1)
    leader = psutil.Process(supervisor.groups[0])
    run = psutil.Process(int(supervisor.log("child").read_text().split()[-1]))
    kill(leader)
    restarted(supervisor, "working", 2)
    assert not are_gone([run])
    assert leader.pid in supervisor.groups
    began = time.monotonic()
    supervisor.stop()
    assert are_gone([run])
    assert time.monotonic() - began < 10


def test_runs_are_gone_before_anything_else_is_told_to_stop(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.start(named_service("marketplace", on_signal(signal.SIGINT, takes_s=0)))
    supervisor.start(named_service("launcher", launching(on_signal(signal.SIGTERM, takes_s=0.5)), has_runs=True))
    for name in ("marketplace", "launcher"):
        await_true(lambda name=name: "ready" in supervisor.log(name).read_text(), 20)  # type: ignore[misc]
    supervisor.stop()
    run_told, other_told = (
        [float(moment) for moment in re.findall(r"^[0-9]+[.][0-9]+", supervisor.log(name).read_text(), re.MULTILINE)]
        for name in ("launcher", "marketplace")
    )
    assert len(run_told) == 1, "told twice it would be disturbed in how it ends"
    assert other_told[0] >= run_told[0] + 0.5


def launching(run: str) -> str:
    """A daemon's code: it starts a process that starts a run, and that ends with its daemon, but not before its run."""
    run = f"import signal, sys, time\n{run}"
    warm = (
        f"import subprocess, sys; run = subprocess.Popen([sys.executable, '-c', {run!r}]); sys.stdin.read(); run.wait()"
    )
    return (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {warm!r}], stdin=subprocess.PIPE)\n"
        "time.sleep(600)"
    )


def on_signal(number: int, *, takes_s: float) -> str:
    """Code that says when it is told to stop, and takes its time."""
    return textwrap.dedent(f"""
        import signal, sys, time
        def told(*_):
            print(time.time(), flush=True)
            time.sleep({takes_s})
            sys.exit()
        signal.signal({int(number)}, told)
        print("ready", flush=True)
        time.sleep(600)
    """)


def test_logs_are_for_their_owner_alone(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "logs")
    started(supervisor, SLEEPS, "ready")
    supervisor.stop()
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700
    assert stat.S_IMODE(supervisor.log("child").stat().st_mode) == 0o600


@given(st.lists(st.floats(0, 10 * WITHIN_S), max_size=40))
def test_nothing_is_restarted_more_often_than_there_are_pauses(gaps: list[float]) -> None:
    deaths: list[float] = []
    restarts: list[float] = []
    now = 0.0
    for gap in gaps:
        deaths.append(now := now + gap)
        pause = restart_pause(deaths, now)
        if pause is None:
            break
        restarts.append(now)
        now += pause
    for moment in restarts:
        assert sum(0 <= moment - other < WITHIN_S for other in restarts) <= len(PAUSES_S)


def test_pauses_grow_and_what_lived_long_starts_anew() -> None:
    assert [restart_pause([0.0] * deaths, 0.0) for deaths in range(1, len(PAUSES_S) + 2)] == [*PAUSES_S, None]
    assert list(PAUSES_S) == sorted(PAUSES_S)
    assert restart_pause([0.0] * 20 + [WITHIN_S], WITHIN_S) == PAUSES_S[0]
