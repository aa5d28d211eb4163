"""Bringing a database's schema up to the code's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from psycopg.errors import DeadlockDetected, LockNotAvailable

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.schema.functions import FUNCTIONS
from collection_pipeline.tables.schema.version import MIGRATIONS, revisions
from collection_pipeline.tables.schema.views import COMMENTS, VIEWS
from collection_pipeline.tables.server.access import access_statements
from collection_pipeline.tables.server.event_partitions import make_event_weeks, prepared_partitioning
from collection_pipeline.tables.server.filling import fill_figures
from collection_pipeline.tables.server.indexing import build_indexes

# Two processes that migrate at once take turns. What they lock must be there before the first migration, and be theirs.
_TAKE_TURN = (
    """
    DO $$ BEGIN
        CREATE TABLE IF NOT EXISTS alembic_version (
            version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY
        );
    EXCEPTION WHEN duplicate_table OR unique_violation THEN NULL;
    END $$
    """,
    "LOCK TABLE alembic_version IN SHARE ROW EXCLUSIVE MODE",
)

ATTEMPTS, APART_S, WAITS_MS = 60, 1.0, 500
"""How often it tries for a lock, the pause between two attempts, and how long it waits, and others behind it."""

T = TypeVar("T")

_RAISED = "P0001"
"""SQLSTATE of what our own statements raise."""


def migrate(engine: sa.Engine) -> None:
    """Applies every migration that the database does not have yet; brings views, functions and rights up to date.

    What is there but not counted yet is counted after that, and new indexes are built, while others work.

    Raises PipelineError where a role is missing that the migrating one may not create, and where others use the tables
    without a pause.
    """
    try:
        with prepared_partitioning(engine):
            _migrate(engine)
        fill_figures(engine)
        build_indexes(engine)
    except sa.exc.DBAPIError as error:
        diagnosis = getattr(error.orig, "diag", None)
        if diagnosis is None or diagnosis.sqlstate != _RAISED:
            raise
        raise PipelineError(f"{diagnosis.message_primary} {diagnosis.message_hint}") from None


def may_migrate(engine: sa.Engine) -> bool:
    """Whether this login owns the tables, or there are none yet. Any other has to take the schema as it is."""
    query = sa.text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('alembic_version')")
    with engine.connect() as connection:
        return connection.scalar(query) is not False


def _migrate(engine: sa.Engine) -> None:
    """Many short transactions: one that locked several tables would deadlock with whoever uses two of them."""
    while _in_turn(engine, _next_migration):
        pass
    _in_turn(engine, _renew_views_and_functions)
    for statements in access_statements():
        _in_turn(engine, partial(_execute, statements))
    _in_turn(engine, make_event_weeks)


def _in_turn(engine: sa.Engine, change: Callable[[sa.Connection], T]) -> T:
    """One step, in a transaction of its own, at a moment when nobody holds what it has to lock.

    Whoever comes while it waits for a lock waits behind it. So it never waits for long, but lets go and tries again.
    """
    for _ in range(ATTEMPTS):
        try:
            with engine.begin() as connection:
                _execute(_TAKE_TURN, connection)
                _execute([f"SET LOCAL lock_timeout = {WAITS_MS}"], connection)
                return change(connection)
        except sa.exc.OperationalError as error:
            if not isinstance(error.orig, (LockNotAvailable, DeadlockDetected)):
                raise
            time.sleep(APART_S)
    raise PipelineError(
        "The schema could not be changed, because transactions hold its tables without a pause. Pause collections, or "
        "end long queries (pg_stat_activity shows them), and migrate again."
    )


def _next_migration(connection: sa.Connection) -> bool:
    """Applies the migration that comes next; whether there was one."""
    present = MigrationContext.configure(connection).get_current_revision()
    if present == revisions()[-1]:
        return False
    command.upgrade(alembic_config(connection), "+1")
    return True


def _renew_views_and_functions(connection: sa.Connection) -> None:
    for name, query in VIEWS.items():
        # OR REPLACE keeps the readers' grants, and refuses to take a column away from them unannounced.
        # A view reads with the rights of whoever asks it, so that it shows nobody another organisation's rows.
        connection.execute(sa.text(f"CREATE OR REPLACE VIEW {name} WITH (security_invoker = true) AS {query}"))
        connection.execute(sa.text(f"COMMENT ON VIEW {name} IS '{COMMENTS[name]}'"))
    _execute(FUNCTIONS, connection)


def _execute(statements: Iterable[str], connection: sa.Connection) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


def alembic_config(connection: sa.Connection | None) -> Config:
    """Alembic's configuration without a file: where the migrations are, and the connection to run them on."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
