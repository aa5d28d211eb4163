"""Alembic's entry point. It is always called by tables/server/migrating.py, which brings the connection."""

from alembic import context

from collection_pipeline.tables.schema.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
