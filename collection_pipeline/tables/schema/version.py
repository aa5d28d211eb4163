"""Whether a database has the schema of this code. Read at every start, so without Alembic, which takes longer to import
than most commands take altogether.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError

MIGRATIONS = Path(__file__).parents[1] / "migrations"

_VERSION = sa.text("SELECT version_num FROM alembic_version")
_IS_THERE = sa.text("SELECT to_regclass('alembic_version') IS NOT NULL")


def require_current_schema(engine: sa.Engine) -> None:
    """Raises PipelineError unless the database's schema is the code's."""
    found, known = schema_version(engine), revisions()
    if found == known[-1]:
        return
    if found is not None and found not in known:
        raise PipelineError(
            f"The database's schema ({found}) is newer than this code ({known[-1]}). Update collection_pipeline."
        )
    raise PipelineError(
        f"The database's schema ({found or 'none yet'}) is older than this code needs ({known[-1]}). "
        "Run `collection-pipeline database migrate`."
    )


def schema_version(engine: sa.Engine) -> str | None:
    """The revision of a database's schema, or None where there is no schema yet."""
    with engine.connect() as connection:
        version: str | None = connection.scalar(_VERSION) if connection.scalar(_IS_THERE) else None
    return version


def revisions() -> list[str]:
    """The revisions of this code, oldest first: what the names of the migrations' files begin with."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
