"""Two hosts on one machine: network namespaces with a cable between them, and whatever is started on each.

Only the network is theirs: processes, files and the clock are the machine's. A marketplace answers on either host at
127.0.0.1, as the internet would whether or not the cable is whole, and remembers who called when.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import psycopg
import uvicorn
from starlette.types import Receive, Scope, Send

from collection_pipeline.simulator.app import build_app
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import RunningSimulator
from collection_pipeline.tables.server.postgres_programs import find_programs
from collection_pipeline_tests.waiting import await_true

T = TypeVar("T")

_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET: which kind of namespace a thread enters."""

_ADDRESSES = ("10.213.77.1", "10.213.77.2")


def reason_not_here() -> str | None:
    """Why there can be no hosts on this machine; None where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [program for program in ("ip", "redis-server") if shutil.which(program) is None]
    if missing:
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
    probe = subprocess.run(["ip", "netns", "add", f"probe{os.getpid()}"], capture_output=True, check=False)
    if probe.returncode != 0:
        return "this machine allows no network namespaces"
    _ip("netns", "delete", f"probe{os.getpid()}")
    return None


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass(frozen=True)
class Host:
    """A network namespace. What its thread opens or starts is inside."""

    name: str
    address: str
    folder: Path
    _thread: ThreadPoolExecutor = field(repr=False)

    def do(self, act: Callable[[], T]) -> T:
        """Does something on this host; sockets that it opens, and processes that it starts, are this host's."""
        return self._thread.submit(act).result()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Starts a process; what it prints goes to `name`.log in the host's folder."""
        with (self.folder / f"{name}.log").open("ab") as log:
            whole = {**os.environ, **environment}
            return self.do(lambda: subprocess.Popen(command, env=whole, stdout=log, stderr=log, start_new_session=True))

    @property
    def pids(self) -> set[int]:
        """All processes on it."""
        found = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=True).stdout
        return {int(pid) for pid in found.split()} - {os.getpid()}

    def kill(self) -> None:
        """As a host dies: everything on it at once."""
        while pids := {pid for pid in self.pids if _lives(pid)}:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def cut_cable(self) -> None:
        """Takes its end of the cable out."""
        _ip("-n", self.name, "link", "set", "cable", "down")

    def mend_cable(self) -> None:
        """Puts it in again."""
        _ip("-n", self.name, "link", "set", "cable", "up")


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@contextmanager
def two_hosts(folder: Path) -> Iterator[tuple[Host, Host]]:
    """Two hosts that reach each other; nothing of them is left afterwards."""
    names = [f"cp{os.getpid()}{letter}" for letter in "ab"]
    try:
        for name in names:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", names[0], "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", names[1])
        here, there = (_host(name, address, folder) for name, address in zip(names, _ADDRESSES, strict=True))
        try:
            yield here, there
        finally:
            for host in (here, there):
                host.kill()
                host._thread.shutdown()
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def _host(name: str, address: str, folder: Path) -> Host:
    _ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
    _ip("-n", name, "link", "set", "cable", "up")
    mine = folder / name[-1]
    mine.mkdir()
    return Host(name, address, mine, ThreadPoolExecutor(1, initializer=_enter, initargs=(name,)))


def _enter(name: str) -> None:
    """Has the calling thread, and none besides, live in a namespace."""
    with open(f"/run/netns/{name}") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), f"The namespace {name} cannot be entered.")


class Postgres:
    """A Postgres server that other hosts reach."""

    def __init__(self, host: Host) -> None:
        self._host, self._folder = host, host.folder / "postgres"
        self._programs = find_programs(self._folder)
        self._folder.mkdir(mode=0o700)
        if self._programs.user is not None:
            os.chown(self._folder, self._programs.uid, self._programs.user.pw_gid)
        initdb = [str(self._programs.bin / "initdb"), "-D", self._programs.data_folder(self._folder)]
        self._programs.run(self._folder, [*initdb, "-U", "postgres", "--auth=trust", "--no-sync"])
        with (self._folder / "pg_hba.conf").open("a") as access:
            access.write("host all all 10.0.0.0/8 trust\n")
        self._pid = 0
        self.start()
        for database in ("collection", "dagster"):
            self.rows(f"CREATE DATABASE {database}", database="postgres")

    def url(self, database: str) -> str:
        """Its address on both hosts."""
        return f"postgresql://postgres@{self._host.address}:5432/{database}"

    def start(self) -> None:
        """Returns once it answers."""
        server = [str(self._programs.bin / "postgres"), "-D", self._programs.data_folder(self._folder), "-F"]
        options = ["-c", f"listen_addresses={self._host.address}", "-c", "unix_socket_directories=."]
        command = ["/bin/sh", "-c", '"$0" "$@" </dev/null >>log 2>&1 & echo $!', *server, *options]
        self._pid = int(self._host.do(lambda: self._programs.run(self._folder, command)))
        await_true(self._answers, 30, every_s=0.1)

    def stop(self) -> None:
        """As an administrator does it: all connections are cut."""
        os.kill(self._pid, signal.SIGINT)
        await_true(lambda: not _lives(self._pid), 30)

    def rows(self, query: str, database: str = "collection") -> list[tuple[Any, ...]]:
        """What it answers through its socket, which no cable leads to."""
        with psycopg.connect(
            host=str(self._folder), user="postgres", dbname=database, autocommit=True, connect_timeout=5
        ) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            return bool(self.rows("SELECT 1", "postgres"))
        return False


class Redis:
    """A Redis that other hosts reach, and that keeps nothing when it is killed."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._process = self._start()

    @property
    def url(self) -> str:
        """Its address on both hosts."""
        return f"redis://{self._host.address}:6379/0"

    def _start(self) -> subprocess.Popen[bytes]:
        words = ["redis-server", "--bind", self._host.address, "--protected-mode", "no", "--save", ""]
        return self._host.start("redis", words, {})

    def kill(self) -> None:
        """With all that it holds."""
        self._process.kill()
        self._process.wait()

    def start(self) -> None:
        """Starts an empty one."""
        self._process = self._start()


@dataclass(frozen=True)
class Marketplaces:
    """One simulator that answers on both hosts."""

    simulator: RunningSimulator
    _calls: list[tuple[str, float]]
    _urls: Mapping[str, str]

    def url(self, host: Host) -> str:
        """Its address on a host."""
        return self._urls[host.name]

    def calls(self, host: Host) -> list[float]:
        """When it was called from a host, by time.monotonic."""
        return [moment for name, moment in self._calls if name == host.name]


@contextmanager
def marketplaces(config: SimulatorConfig, hosts: Sequence[Host]) -> Iterator[Marketplaces]:
    """Runs a simulator in this process that listens on the hosts."""
    app, calls = build_app(config), list[tuple[str, float]]()
    listeners = {host.name: host.do(_listening) for host in hosts} | {"": _listening()}
    names = {listener.getsockname()[1]: name for name, listener in listeners.items()}

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        calls.append((names[scope["server"][1]], time.monotonic()))
        await app(scope, receive, send)

    settings = uvicorn.Config(counted, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, args=(list(listeners.values()),), daemon=True)
    thread.start()
    await_true(lambda: server.started, 10)
    urls = {name: f"http://127.0.0.1:{listener.getsockname()[1]}" for name, listener in listeners.items()}
    try:
        with httpx.Client(base_url=urls[""], timeout=60, trust_env=False) as control:
            yield Marketplaces(RunningSimulator(urls[""], app.state.simulator, control), calls, urls)
    finally:
        server.should_exit = True
        thread.join()


_ports = iter(range(18_101, 65_000))
"""One for each host, so that a call's port says where it came from."""


def _listening() -> socket.socket:
    while True:
        listener = socket.socket()
        with suppress(OSError):
            listener.bind(("127.0.0.1", next(_ports)))
            return listener
        listener.close()
