"""Whole tables and views as DataFrames: what has few values is a category, which saves memory and groups at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.suggesting import did_you_mean
from collection_pipeline.query.frames import Numerics
from collection_pipeline.query.reading import ROWS, TIMEOUT_S, sql
from collection_pipeline.tables.schema.tables import metadata
from collection_pipeline.tables.schema.views import VIEWS
from collection_pipeline.tables.server.access import HIDDEN

if TYPE_CHECKING:
    import pandas as pd

READABLE = tuple(sorted({*VIEWS, *metadata.tables} - set(HIDDEN)))
"""What can be asked for. A login may be refused some of it."""

CATEGORIES = frozenset(
    {
        *("org_id", "marketplace", "category", "department", "preset", "collection_id", "source", "phase"),
        *("first_collection_id", "last_collection_id", "status", "action", "cause", "reason", "paused_reason"),
        *("error_type", "error_stage", "currency", "condition_id", "country", "unit"),
    }
)
"""Columns with few different values, whatever table or view they are in."""


def view(
    name: str,
    *,
    numerics: Numerics = "float",
    limit: int = ROWS,
    timeout_s: float = TIMEOUT_S,
    environment: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """A whole view or table, such as `seller_overview`, with the types of `sql` and categories where values are few.

    Raises PipelineError for a name that there is not; the rest is as for `sql`.
    """
    if name not in READABLE:
        raise PipelineError(f"There is no view or table {name!r}.{did_you_mean(name, READABLE)}")
    query = f'SELECT * FROM "{name}"'  # noqa: S608 - one of READABLE
    made = sql(query, numerics=numerics, limit=limit, timeout_s=timeout_s, environment=environment)
    return made.astype({column: "category" for column in made.columns if column in CATEGORIES})
