"""The default server: a real Postgres from a wheel, in one folder, for one user of this machine.

It runs while any process that asked for it lives, and stops with the last one.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.server.postgres_server import DidNotStart, PostgresServer, reason
from collection_pipeline.tables.server.private_folders import forget_short_path, private_home, short_path, write_private
from collection_pipeline.tables.server.tools_port import offered_port

WATCH_EVERY_S = 2

LEAST_ROOM = 2 * 16 * 1024**2
"""Two segments of Postgres's write-ahead log. A server that cannot write it ends at once."""

_used: set[Path] = set()
"""Homes whose server this process uses."""


def start_embedded(home: Path) -> sa.URL:
    """Starts the server in `home`/postgres, or joins the one that runs; the address of its default database.

    The first start creates the server's files, which takes about a second. The home becomes private to its user.
    Raises PipelineError if the server cannot start.
    """
    home = private_home(home)
    folder = _folder(home)
    try:
        with _one_at_a_time(home):
            socket_folder = short_path(folder, _memo(home))
            server = PostgresServer(folder, socket_folder, offered_port(home))
            server.start()
            port = server.port
            with suppress(OSError):  # a full disk: the server may stop earlier, but people can see what is going on
                _note_users(home, _living_users(home) | {os.getpid()})
    except (OSError, subprocess.SubprocessError, DidNotStart, psycopg.OperationalError) as error:
        raise PipelineError(
            f"The embedded Postgres in {folder} did not start: {reason(error).rstrip('.')}. {_advice(home)} Its own "
            f"log is {folder / 'log'}."
        ) from error
    if home not in _used:
        _used.add(home)
        atexit.register(stop_embedded, home)
    return sa.URL.create(
        "postgresql", "postgres", database="postgres", query={"host": str(socket_folder), "port": str(port)}
    )


def stop_embedded(home: Path) -> None:
    """Gives up this process's use of the server, which stops if nobody else uses it."""
    home = home.resolve()
    _used.discard(home)
    if not home.exists():
        return
    with _one_at_a_time(home):
        users = _living_users(home)
        if os.getpid() not in users:  # given up already, or a forked process that never asked for it
            return
        if users == {os.getpid()}:
            PostgresServer(_folder(home), _folder(home)).stop()
            forget_short_path(_memo(home))
        with suppress(OSError):  # on a full disk; the next one who looks finds this process gone
            _note_users(home, users - {os.getpid()})


@contextmanager
def watched(home: Path) -> Iterator[None]:
    """Starts the server again whenever it has died, as it does on a full disk; it is tried until there is room."""
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(WATCH_EVERY_S):
            with suppress(PipelineError):
                if not PostgresServer(_folder(home), _folder(home)).is_running:
                    start_embedded(home)

    watcher = threading.Thread(target=watch, name="embedded server", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


def is_out_of_room(home: Path) -> bool:
    """Whether the server in `home`, if there is one, has no room for the next segments of its log, and so stops."""
    try:
        return shutil.disk_usage(_folder(home) if _folder(home).exists() else home).free < LEAST_ROOM
    except OSError:
        return False


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    descriptor = os.open(home / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _folder(home: Path) -> Path:
    """The server's files; people may have moved them to another disk and left a link."""
    return (home / "postgres").resolve()


def _advice(home: Path) -> str:
    if is_out_of_room(home):
        return "Its disk is full: free some space, and start again."
    return "Put right what its log says, or name a server of your own in COLLECTION_DATABASE_URL."


def _memo(home: Path) -> Path:
    return home / "postgres.socket"


def _living_users(home: Path) -> set[int]:
    """The processes that use the server, without those that were killed, which would keep it from ever stopping."""
    try:
        return {user for user in json.loads((home / "postgres.users").read_text()) if _lives(user)}
    except (FileNotFoundError, ValueError):
        return set()


def _lives(process_id: int) -> bool:
    """Whether a process may still use the server. One that has ended, and nobody asks how, does not."""
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _note_users(home: Path, users: set[int]) -> None:
    write_private(home / "postgres.users", json.dumps(sorted(users)))


def create_database(server: sa.URL, name: str) -> sa.URL:
    """The address of a database on an embedded server, created if it is not there."""
    # Connecting to `server` itself fails while nothing but a template exists, so the maintenance database serves.
    engine = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            known = connection.scalar(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
            if not known:
                quoted = engine.dialect.identifier_preparer.quote(name)
                connection.execute(sa.text(f"CREATE DATABASE {quoted}"))
    finally:
        engine.dispose()
    return server.set(database=name)
