"""Bringing a database's schema up to the code's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.schema.functions import FUNCTIONS
from collection_pipeline.tables.schema.version import MIGRATIONS
from collection_pipeline.tables.schema.views import COMMENTS, VIEWS
from collection_pipeline.tables.server.access import access_statements
from collection_pipeline.tables.server.event_partitions import make_event_weeks, prepared_partitioning
from collection_pipeline.tables.server.filling import fill_figures

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

_RAISED = "P0001"
"""SQLSTATE of what our own statements raise."""


def migrate(engine: sa.Engine) -> None:
    """Applies every migration that the database does not have yet; brings views, functions and rights up to date.

    What is there but not counted yet is counted after that, while others work.

    Raises PipelineError where a role is missing that the migrating one may not create.
    """
    try:
        with prepared_partitioning(engine):
            _migrate(engine)
        fill_figures(engine)
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
    with engine.begin() as connection:
        for statement in _TAKE_TURN:
            connection.exec_driver_sql(statement)
        command.upgrade(alembic_config(connection), "head")
        for name, query in VIEWS.items():
            # OR REPLACE keeps the readers' grants, and refuses to take a column away from them unannounced.
            # A view reads with the rights of whoever asks it, so that it shows nobody another organisation's rows.
            connection.execute(sa.text(f"CREATE OR REPLACE VIEW {name} WITH (security_invoker = true) AS {query}"))
            connection.execute(sa.text(f"COMMENT ON VIEW {name} IS '{COMMENTS[name]}'"))
        for statement in (*FUNCTIONS, *access_statements()):
            connection.exec_driver_sql(statement)
        make_event_weeks(connection)


def alembic_config(connection: sa.Connection | None) -> Config:
    """Alembic's configuration without a file: where the migrations are, and the connection to run them on."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
