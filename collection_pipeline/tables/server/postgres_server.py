"""One Postgres server in one folder: made, started, waited for and stopped.

It listens on a socket in its own folder, and lets in the folder's user and who runs this; who else would like to has to
be either of them for the operating system. On request it also listens on a port (tools_port.py).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from collection_pipeline.tables.server import tools_port
from collection_pipeline.tables.server.postgres_programs import VERSION, Programs, find_programs
from collection_pipeline.tables.server.private_folders import user_name

PORT = 5432
PATIENCE_S = 60
"""How long a server may take until it answers; after a crash it first replays what it had not written down."""

NOTE_PATIENCE_S = 2
"""How long a note that cannot be read is looked at again; to take its server for dead would start a second one."""

RELAUNCH_S = 5
"""How long a server is started again that ends at once, as it does while a killed one's processes are still ending."""

_HERE = "."
"""The socket's folder, as the server calls its own; a server of an earlier version has another name for it."""

_PRIVATE = {"listen_addresses": "", "unix_socket_directories": _HERE, "unix_socket_permissions": "0700"}

_TUNED = {
    "jit": "off",  # statements take milliseconds, and making machine code of one takes more
    "random_page_cost": "1.1",  # a disk of today, or memory
    "wal_compression": "on",
}
"""For one machine and many small commits. What makes a commit durable stays as it is."""

_ACCESS = """\
# Written at every start. The socket in this folder is the only way in, for the users in pg_ident.conf.
local all         all peer map=collection
local replication all peer map=collection
"""

_DETACHED = '"$0" "$@" </dev/null >>log 2>&1 & echo $!'


class DidNotStart(Exception):
    """The server ended at once, or does not answer; why, in its own words."""


@dataclass(frozen=True)
class _Note:
    """What a server writes down in postmaster.pid while it runs, and leaves there if it is killed."""

    pid: int
    socket_folder: str
    status: str
    port: int


class PostgresServer:
    """The server in `folder`, which clients find through `socket_folder`. Callers see to it that one acts at a time.

    With `tools_port` it listens on that port of 127.0.0.1 too, if it is not running already.
    """

    def __init__(self, folder: Path, socket_folder: Path, tools_port: int | None = None) -> None:
        self._folder, self._socket_folder, self._tools_port = folder, socket_folder, tools_port
        self._programs: Programs = find_programs(folder)

    def start(self) -> None:
        """Makes the server's files if there are none, starts it unless it runs, and returns once it answers.

        Raises DidNotStart, OSError, CalledProcessError or psycopg.OperationalError.
        """
        if not (self._folder / "PG_VERSION").exists():
            self._make()
        if (version := (self._folder / "PG_VERSION").read_text().strip()) != VERSION:
            raise DidNotStart(f"its files are of Postgres {version} and this is Postgres {VERSION}")
        begun = time.monotonic()
        while (waited := time.monotonic() - begun) < PATIENCE_S:
            try:
                if self._answers():
                    return
                if not self.is_running:
                    self._launch()
            except (DidNotStart, psycopg.OperationalError):
                if waited > (RELAUNCH_S if not self.is_running else PATIENCE_S):
                    raise
            time.sleep(0.1)
        raise DidNotStart(f"it did not answer within {PATIENCE_S} s")

    def stop(self) -> None:
        """Stops the server if it runs; clients are cut off. Returns once it is gone."""
        for how, patience_s in ((signal.SIGINT, PATIENCE_S), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            note = self._note()
            if note is None or not self._is_server(note.pid):
                return
            os.kill(note.pid, how)
            deadline = time.monotonic() + patience_s
            while self._is_server(note.pid) and time.monotonic() < deadline:
                time.sleep(0.02)

    def _make(self) -> None:
        """Initialises a folder beside the final one, so that one that is there is always whole."""
        begun = self._folder.with_name(f"{self._folder.name}.new")
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir(mode=0o700)
        if self._programs.user is not None:
            os.chown(begun, self._programs.user.pw_uid, self._programs.user.pw_gid)
        initdb = [str(self._programs.bin / "initdb"), "-D", self._programs.data_folder(begun)]
        try:
            self._programs.run(begun, [*initdb, "-U", "postgres", "--encoding=utf8", "--auth=peer"])
            begun.rename(self._folder)
        finally:
            shutil.rmtree(begun, ignore_errors=True)

    def _launch(self) -> None:
        """Starts the server's process, to live on without this one. Raises DidNotStart if it ends at once."""
        self._remove_what_a_killed_server_left()
        access = _ACCESS if self._tools_port is None else _ACCESS + tools_port.ACCESS
        for name, text in (("pg_hba.conf", access), ("pg_ident.conf", self._users())):
            self._write(name, text)
        settings = {**_PRIVATE, **_TUNED}
        if self._tools_port is not None:
            settings["listen_addresses"] = tools_port.ADDRESS
        server = [str(self._programs.bin / "postgres"), "-D", self._programs.data_folder(self._folder)]
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = ["/bin/sh", "-c", _DETACHED, *server, "-p", str(self._tools_port or PORT), *options]
        pid = int(self._programs.run(self._folder, command))
        while not self.is_running:
            if not _is_alive(pid):
                raise DidNotStart(self._last_words())
            time.sleep(0.02)

    def _write(self, name: str, text: str) -> None:
        """Writes a file in whole or not at all, unless it is there already: the disk may be full."""
        file = self._folder / name
        if file.is_symlink() or not file.exists() or _text(file) != text:
            # By the server's user, whose folder it is: root would follow a link that is put there.
            command = 'cat >"$0.new" && mv -f "$0.new" "$0"'
            self._programs.run(self._folder, ["/bin/sh", "-c", command, name], text=text)

    def _users(self) -> str:
        names = {user_name(uid).replace('"', '""') for uid in (os.geteuid(), self._programs.uid)}
        return "".join(f'collection "{name}" all\n' for name in sorted(names))

    def _answers(self) -> bool:
        note = self._note()
        if note is None or not self._is_server(note.pid) or note.status != "ready":
            return False
        if note.socket_folder != _HERE:
            self.stop()  # started by an earlier version, which let everybody in
            return False
        psycopg.connect(
            host=str(self._socket_folder), port=note.port, user="postgres", dbname="postgres", connect_timeout=5
        ).close()
        return True

    @property
    def port(self) -> int:
        """The number of the running server's socket, and of its port if it listens on one."""
        note = self._note()
        return PORT if note is None else note.port

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        note = self._note()
        return note is not None and self._is_server(note.pid)

    def _is_server(self, pid: int) -> bool:
        """Whether that is this folder's server, and not a process that has got the number of a killed one."""
        try:
            process = psutil.Process(pid)
            return process.name() == "postgres" and self._is_here(process) and _is_alive(pid)
        except psutil.Error:
            return False

    def _is_here(self, process: psutil.Process) -> bool:
        try:
            return Path(process.cwd()) == self._folder
        except psutil.AccessDenied:
            # Root in a container may not see it of another user's process. That user alone could write the note.
            return bool(process.uids().real == self._programs.uid)

    def _remove_what_a_killed_server_left(self) -> None:
        """Postgres itself takes any process with the number in its locks for the server."""
        for lock in (self._folder / "postmaster.pid", *self._folder.glob(".s.PGSQL.*.lock")):
            lock.unlink(missing_ok=True)

    def _note(self) -> _Note | None:
        """What the server wrote down. A note that is cut off is one that is being written, or the victim of a crash."""
        deadline = time.monotonic() + NOTE_PATIENCE_S
        while time.monotonic() < deadline:
            try:
                lines = _text(self._folder / "postmaster.pid").splitlines()
                status = lines[7].strip() if len(lines) > 7 else ""
                return _Note(int(lines[0]), lines[4].strip(), status, int(lines[3]))
            except FileNotFoundError:
                return None
            except (ValueError, IndexError):
                time.sleep(0.02)
        return None

    def _last_words(self) -> str:
        """Why it ended, as its log has it."""
        try:
            said = re.findall(r"(?:FATAL|PANIC):\s*(.+)", _text(self._folder / "log")[-4000:])
        except FileNotFoundError:
            said = []
        return said[-1] if said else "it ended at once"


def _text(file: Path) -> str:
    """The text of one of the server's files; never of one that a link in its folder leads to."""
    with open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), errors="replace") as opened:
        return opened.read()


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def reason(error: Exception) -> str:
    """An error of starting in a few words: what a program said last, or the error itself."""
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        lines = str(error.stderr).strip().splitlines()
        return next((line for line in lines if re.search(r"error:|FATAL|PANIC", line)), lines[-1])
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
