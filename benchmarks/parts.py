"""The real parts that every benchmark needs: a Postgres, a Dagster instance on it, and marketplaces over HTTP."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded
from collection_pipeline.tables.server.migrating import migrate


@contextmanager
def fresh_database(max_connections: int | None = None) -> Iterator[sa.URL]:
    """A migrated database on a server of its own, with Dagster's beside it; the environment names both."""
    home = Path(tempfile.mkdtemp(prefix="collection_pipeline_benchmark_"))
    server = start_embedded(home)
    if max_connections is not None:
        admin = create_engine(server).execution_options(isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text(f"ALTER SYSTEM SET max_connections = {max_connections}"))
        admin.dispose()
        stop_embedded(home)
        start_embedded(home)
    url = create_database(server, "collection")
    dagster = create_database(server, "dagster").set(drivername="postgresql+psycopg2")
    engine = create_engine(url)
    migrate(engine)
    engine.dispose()
    os.environ["COLLECTION_DATABASE_URL"] = url.render_as_string(hide_password=False)
    os.environ["COLLECTION_DAGSTER_DATABASE_URL"] = dagster.render_as_string(hide_password=False)
    os.environ["DAGSTER_HOME"] = str(home)
    shutil.copyfile("dagster.yaml", home / "dagster.yaml")
    try:
        yield url
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)
