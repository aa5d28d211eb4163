"""Rows of Postgres as pandas DataFrames whose columns keep their types, also where values are missing.

bigint, integer and smallint are Int64, boolean is boolean, text is string, timestamptz is datetime64[us, UTC], date is
datetime64[us], and a value that is missing is NA or NaT. A numeric is Float64, so that describe(), quantile() and
`* 1.08` work, or on request an Arrow decimal, which has every digit. Everything else is an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.server.querying import ColumnType

if TYPE_CHECKING:
    import pandas as pd

Numerics = Literal["float", "decimal"]

_DTYPES = {
    **dict.fromkeys(("int2", "int4", "int8"), "Int64"),
    **dict.fromkeys(("float4", "float8", "numeric"), "Float64"),
    **dict.fromkeys(("text", "varchar", "bpchar", "name"), "string"),
    "bool": "boolean",
    "date": "datetime64[us]",
    "timestamp": "datetime64[us]",
    "timestamptz": "datetime64[us, UTC]",
    "interval": "timedelta64[us]",
}
_LARGEST_PRECISION = 38
"""The most digits of Arrow's 128-bit decimals."""


def frame(
    names: Sequence[str], types: Sequence[ColumnType], rows: Iterable[tuple[Any, ...]], numerics: Numerics
) -> pd.DataFrame:
    """The rows as a DataFrame. Raises PipelineError for numerics that Arrow's decimals do not hold."""
    import pandas as pd

    columns: list[list[Any]] = [[] for _ in names]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    series = {number: _series(names[number], types[number], values, numerics) for number, values in enumerate(columns)}
    made = pd.DataFrame(series)
    made.columns = pd.Index(names, dtype=object)  # two may have one name
    return made


def _series(name: str, column: ColumnType, values: list[Any], numerics: Numerics) -> pd.Series[Any]:
    import pandas as pd

    if column.name == "numeric" and numerics == "decimal":
        return _decimals(name, column, values)
    dtype = _DTYPES.get(column.name, "object")
    if column.name == "numeric":
        values = [None if value is None else float(value) for value in values]
    if column.name == "timestamptz":
        values = [None if value is None else value.astimezone(UTC) for value in values]
    made: pd.Series[Any] = pd.Series(values, dtype=dtype)
    return made


def _decimals(name: str, column: ColumnType, values: list[Decimal | None]) -> pd.Series[Any]:
    import pandas as pd
    import pyarrow as pa  # type: ignore[import-untyped]

    kind = None
    if column.precision is not None and column.scale is not None and column.precision <= _LARGEST_PRECISION:
        kind = pa.decimal128(column.precision, column.scale)
    elif all(value is None for value in values):
        kind = pa.decimal128(_LARGEST_PRECISION, 0)
    try:
        array = pa.array(values, type=kind)
    except pa.ArrowException as error:
        raise PipelineError(
            f"Arrow's decimals do not hold the values of {name} ({error}). Round them in the query, or ask for floats "
            '(numerics="float").'
        ) from None
    return pd.Series(array, dtype=pd.ArrowDtype(array.type))
