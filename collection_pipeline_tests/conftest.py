"""Real parts for every test: one embedded Postgres for the session, a fresh migrated database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded
from collection_pipeline.tables.server.migrating import migrate
from collection_pipeline.tables.store import Store, open_store

REPOSITORY = Path(__file__).parent.parent
WIRE = REPOSITORY.parent / "shared" / "wire"
"""The vendors' samples, where they are present; they are never part of the repository."""

_numbers = itertools.count(1)

WAITING = ("test_services.py", "test_resuming.py", "test_kill.py", "test_by_itself.py", "test_product.py")
"""Their tests start the whole product, and mostly wait for it: begun first, they end while the others still work."""


IN_MEMORY = Path("/dev/shm")
ENOUGH = 8 << 30
"""Bytes. Databases are dropped after their tests; the most that is there at once is about two gigabytes."""


def pytest_configure(config: pytest.Config) -> None:
    """Keeps temporary files, databases included, in one folder, and that in memory where there is enough of it.

    A thousand databases of 400 files each take longer to create on a disk than all that the tests do with them.
    """
    if hasattr(config, "workerinput"):  # the environment leads it to the folder of the session
        return
    has_room = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ENOUGH
    folder = tempfile.mkdtemp(prefix="tests_", dir=IN_MEMORY if has_room else None)
    Path(folder).chmod(0o1777)  # as /tmp is: root's servers and poolers are processes of other users
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    # Processes that tests kill leave their folders behind. They go with this one.
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that the suite does not end with one worker running them in turn."""
    items.sort(key=lambda item: item.path.name not in WAITING)


@pytest.fixture(scope="session")
def server() -> Iterator[sa.URL]:
    """An embedded Postgres with a migrated database `template` to copy from."""
    home = Path(tempfile.mkdtemp(prefix="collection_pipeline_tests_"))
    url = start_embedded(home)
    _make_hasty(url)
    engine = create_engine(create_database(url, "template"))
    migrate(engine)
    engine.dispose()
    yield url
    stop_embedded(home)
    shutil.rmtree(home, ignore_errors=True)


def _make_hasty(server: sa.URL) -> None:
    """No test pulls this server's plug, so its commits need not wait for the disk."""
    settings = ("fsync", "synchronous_commit", "full_page_writes")
    execute(server, *(f"ALTER SYSTEM SET {name} = off" for name in settings), "SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def collector(server: sa.URL) -> str:
    """The login under which the pipeline runs, as docs/access.md makes it: with none of the owner's rights."""
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE the_collector LOGIN IN ROLE collection_pipeline")
    engine.dispose()
    return "the_collector"


@pytest.fixture
def database(server: sa.URL) -> Iterator[sa.URL]:
    """A migrated, empty database of the test's own."""
    name = f"test_{next(_numbers)}"
    yield copied(server, "template", name)
    dropped(server, name)


def copied(server: sa.URL, template: str, name: str) -> sa.URL:
    """A new database that is a copy of another one. Copying files is four times as quick as copying through the log."""
    execute(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return server.set(database=name)


def dropped(server: sa.URL, name: str) -> None:
    """Removes a database, so that a thousand of them never reach the disk."""
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def execute(server: sa.URL, *statements: str) -> None:
    """Executes statements one by one, each committed by itself."""
    admin = create_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    admin.dispose()


@pytest.fixture
def store(database: sa.URL) -> Iterator[Store]:
    """The stores on the test's database."""
    with open_store(database) as opened:
        yield opened
