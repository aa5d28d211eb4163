"""Pages of long lists: the next one begins after the last row of this one, so the last costs what the first does.

    SELECT … WHERE (a.sort, a.key) > (:after_0, :after_1) ORDER BY a.sort, a.key LIMIT :limit

A place in a list is the sort columns of its last row, as an opaque word that goes back and forth. Every statement reads
under rules of its own: by an index or not at all, planned for its very values, and for a few seconds at most.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from psycopg.errors import QueryCanceled
from sqlalchemy.exc import DataError, OperationalError

from collection_pipeline.core.errors import PipelineError, TookTooLong

RowT = TypeVar("RowT")

PAGE_LIMIT_S = 5
"""Seconds that a statement for a page may take: filters that no index serves are refused, not waited for."""

# A plan for any values would not know that one category has five sellers and another 50,000. Compiling takes longer
# than these statements do.
_RULES = sa.text("""
    SELECT set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true),
           set_config('jit', 'off', true), set_config('statement_timeout', :limit, true)
""")


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a list is sorted by, as an SQL expression; `kind` is its type in SQL."""

    expression: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: by columns that together tell all of its rows apart, all of them in one direction.

    The last row's values are read from columns named `place_0`, `place_1`, … beside the row's own.
    """

    columns: tuple[Column, ...]
    is_descending: bool = False

    @property
    def places(self) -> str:
        """What the statement selects for the place of each row."""
        return ", ".join(f"{column.expression} AS place_{n}" for n, column in enumerate(self.columns))

    @property
    def clause(self) -> str:
        """What goes after ORDER BY."""
        return self._clause(column.expression for column in self.columns)

    @property
    def outer_clause(self) -> str:
        """The same outside the statement that selects `places`."""
        return self._clause(f"place_{n}" for n in range(len(self.columns)))

    def _clause(self, expressions: Iterator[str]) -> str:
        return ", ".join(f"{one} DESC" if self.is_descending else one for one in expressions)

    def after(self, place: str | None) -> tuple[str, dict[str, str]]:
        """The condition for rows after a place, and its values. Raises PipelineError for what is no place."""
        if place is None:
            return "true", {}
        values = _read_place(place, len(self.columns))
        left = ", ".join(column.expression for column in self.columns)
        right = ", ".join(f"CAST(:after_{n} AS {column.kind})" for n, column in enumerate(self.columns))
        condition = f"({left}) {'<' if self.is_descending else '>'} ({right})"
        return condition, {f"after_{n}": value for n, value in enumerate(values)}


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT]):
    """Some rows of a list. `next` is the place where the next page begins; None on the last one."""

    rows: Sequence[RowT]
    next: str | None


class PageReader:
    """Reads pages and single rows as frozen objects. Changes nothing."""

    def __init__(self, engine: sa.Engine, limit_s: int = PAGE_LIMIT_S) -> None:
        self._engine, self._limit_s = engine, limit_s

    def rows(self, kind: type[RowT], query: str, **values: Any) -> list[RowT]:
        """All rows of a query. Raises TookTooLong."""
        with self._reading() as connection:
            return [_made(kind, row) for row in connection.execute(sa.text(query), values).mappings()]

    def one(self, kind: type[RowT], query: str, **values: Any) -> RowT | None:
        """The first row of a query, if there is one. Raises TookTooLong."""
        return next(iter(self.rows(kind, query, **values)), None)

    def page(self, kind: type[RowT], query: str, limit: int, **values: Any) -> Page[RowT]:
        """The first `limit` rows of a query with `:limit` and the places of an Order. Raises TookTooLong."""
        with self._reading() as connection:
            found = connection.execute(sa.text(query), {**values, "limit": limit + 1}).mappings().all()
        shown = found[:limit]
        place = _written_place(shown[-1]) if len(found) > limit else None
        return Page([_made(kind, row) for row in shown], place)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._engine.connect() as connection:
            connection.execute(_RULES, {"limit": f"{self._limit_s}s"})
            try:
                yield connection
            except OperationalError as error:
                if not isinstance(error.orig, QueryCanceled):
                    raise
                raise TookTooLong(
                    f"This takes longer than {self._limit_s} s and was stopped. Narrow it: choose a category or a "
                    "collection, or leave a filter out."
                ) from None
            except DataError:
                raise PipelineError(
                    "A value of this request cannot be compared with the list's; start at its first page."
                ) from None


def _made(kind: type[RowT], row: sa.RowMapping) -> RowT:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # every kind is a dataclass
    return kind(**{name: row[name] for name in names})


def _written_place(row: sa.RowMapping) -> str:
    values = [_text(value) for name, value in row.items() if name.startswith("place_")]
    return base64.urlsafe_b64encode(json.dumps(values, ensure_ascii=False).encode()).decode().rstrip("=")


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _read_place(place: str, columns: int) -> list[str]:
    try:
        values = json.loads(base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)))
    except ValueError:
        values = None
    is_place = isinstance(values, list) and len(values) == columns and all(isinstance(one, str) for one in values)
    if not is_place or any("\0" in one for one in values or ()):
        raise PipelineError("`after` is no place in this list, or was one of another sort. Start at its first page.")
    return list(values or ())
