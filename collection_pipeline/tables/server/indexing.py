"""Indexes that are built beside whoever collects: on a large table one takes minutes, in which nobody has to wait."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import sqlalchemy as sa
from psycopg.errors import DuplicateTable, UniqueViolation
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, DropIndex

from collection_pipeline.tables.schema.tables import metadata

logger = logging.getLogger(__name__)

_BY_ANOTHER = (DuplicateTable, UniqueViolation)
"""What Postgres says where another process has begun to build the same index."""

# One that its builder left half-built is of no use to anybody. Nobody works on it any more.
_ABANDONED = sa.text("""
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE NOT i.indisvalid AND c.relname = ANY (:names)
      AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
""")


def build_indexes(engine: sa.Engine) -> None:
    """Builds the indexes that are declared as concurrent and are not there yet; builds abandoned ones anew."""
    declared = {index.name: index for index in _concurrent()}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in connection.scalars(_ABANDONED, {"names": list(declared)}).all():
            connection.execute(DropIndex(declared[name]))
        for index in declared.values():
            try:
                connection.execute(CreateIndex(index, if_not_exists=True))
            except DBAPIError as error:
                if not isinstance(error.orig, _BY_ANOTHER):
                    raise
                logger.info("Another process builds the index %s.", index.name)


def _concurrent() -> Iterator[sa.Index]:
    for table in metadata.sorted_tables:
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            if index.dialect_kwargs.get("postgresql_concurrently"):
                yield index
