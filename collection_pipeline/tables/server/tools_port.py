"""The embedded Postgres on a port of this machine, for tools that speak no Unix socket: one login, which only reads.

The server listens on its socket and its port under one number, so the number is noted in the home for as long as it is
offered, and whoever starts the server meanwhile starts it with that.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import sqlalchemy as sa

from collection_pipeline.tables.server.access import READER
from collection_pipeline.tables.server.private_folders import write_private

LOGIN = "collection_tools"
ADDRESS = "127.0.0.1"

ACCESS = f"host all {LOGIN} {ADDRESS}/32 scram-sha-256\n"
"""What pg_hba.conf says of the port: this login with its password, and nobody else."""


@contextmanager
def offered(home: Path, port: int) -> Iterator[None]:
    """Has the server listen on 127.0.0.1 from its next start on, until the end of the context."""
    write_private(_note(home), f"{port} {os.getpid()}")
    try:
        yield
    finally:
        _note(home).unlink(missing_ok=True)


def offered_port(home: Path) -> int | None:
    """The port that is offered at the moment; None also where the process that offered it was killed."""
    with suppress(OSError, ValueError):
        port, process = map(int, _note(home).read_text().split())
        return port if psutil.pid_exists(process) else None
    return None


def make_login(engine: sa.Engine, home: Path) -> Path:
    """Makes the login, or gives it its password again; the file that holds the password, which stays."""
    file = home / "tools_password"
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24))
    with engine.begin() as connection:
        if not connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": LOGIN}):
            connection.execute(sa.text(f"CREATE ROLE {LOGIN} LOGIN IN ROLE {READER}"))
        # Only its digest is sent, so that no log of statements has the password.
        driver: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        digest = driver.pgconn.encrypt_password(file.read_bytes().strip(), LOGIN.encode(), b"scram-sha-256").decode()
        connection.exec_driver_sql(f"ALTER ROLE {LOGIN} PASSWORD '{digest}'")
    return file


def _note(home: Path) -> Path:
    return home / "tools_port"
