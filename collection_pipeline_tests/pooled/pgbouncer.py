"""A real PgBouncer in transaction mode between a test and its Postgres."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import sqlalchemy as sa

from collection_pipeline.processes.running_services import free_port
from collection_pipeline_tests.waiting import await_true

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")

NO_PGBOUNCER = "there is no pgbouncer on this machine (Debian: apt-get install pgbouncer)"

_CONFIGURATION = """\
[databases]
* = host=/proc/self/cwd port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
admin_users = postgres
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 500
query_wait_timeout = 20
server_login_retry = 1
server_round_robin = 1
server_idle_timeout = 1
"""


@dataclass
class Pooler:
    """A PgBouncer. Taking its sessions in turn, it breaks whatever believes that it keeps one."""

    server: sa.URL
    folder: Path
    port: int
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def through(self, url: sa.URL) -> sa.URL:
        """The address of the same database, as the same login, by way of the pooler."""
        return url.set(host="127.0.0.1", port=self.port, query={})

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        # It refuses to be root, and Postgres lets in its own user, who reaches the socket from within the folder only.
        sockets = Path(str(self.server.query["host"]))
        user, group = (sockets.stat().st_uid, sockets.stat().st_gid) if os.geteuid() == 0 else (None, None)
        assert PGBOUNCER is not None
        with (self.folder / "log").open("ab") as log:
            command = [PGBOUNCER, str(self.folder / "pgbouncer.ini")]
            self._processes.append(
                subprocess.Popen(command, cwd=sockets, user=user, group=group, stdout=log, stderr=log)
            )
        await_true(self._answers, 10)

    def kill(self) -> None:
        """Ends it as a machine that fails does."""
        process = self._processes.pop()
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def _answers(self) -> bool:
        assert self._processes[-1].poll() is None, (self.folder / "log").read_text()
        try:
            psycopg.connect(self.through(self.server).render_as_string(hide_password=False)).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def pgbouncer(server: sa.URL, *logins: str, sessions: int = 3) -> Iterator[Pooler]:
    """A PgBouncer in front of the embedded server, with so many sessions for each database and login."""
    folder = Path(tempfile.mkdtemp(prefix="collection_pipeline_pooler_"))
    pooler = Pooler(server, folder, free_port())
    settings = {"port": server.query["port"], "listen_port": pooler.port, "folder": folder, "sessions": sessions}
    (folder / "pgbouncer.ini").write_text(_CONFIGURATION.format(**settings))
    (folder / "users").write_text("".join(f'"{login}" ""\n' for login in ("postgres", *logins)))
    folder.chmod(0o755)
    try:
        pooler.start()
        yield pooler
    finally:
        for process in pooler._processes:
            process.kill()
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
