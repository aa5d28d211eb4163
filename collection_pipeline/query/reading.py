"""Reading: one SELECT, or one of the questions, as a DataFrame, as DataFrames in turn, or as rows."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.suggesting import did_you_mean
from collection_pipeline.query.frames import Numerics, frame
from collection_pipeline.query.questions import BY_NAME, question_of
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.stores import open_store
from collection_pipeline.tables.server.locating import reading_database
from collection_pipeline.tables.server.querying import Answer, answer

if TYPE_CHECKING:
    import pandas as pd

QUESTIONS: Mapping[str, str] = {name: question.example for name, question in BY_NAME.items()}
"""The five questions of docs/answers.md, by name, with an example for what has to be given."""

ROWS = 1_000_000
"""The most rows that a query gives unless more are asked for."""

TIMEOUT_S = 60.0
"""The longest that the database works on a query unless more is allowed."""


def ask(
    question: str,
    *,
    numerics: Numerics = "float",
    environment: Mapping[str, str] | None = None,
    **parameters: object,
) -> pd.DataFrame:
    """The answer to one of QUESTIONS. Raises PipelineError for a question or a parameter that is not there.

    >>> query.ask("sellers_of_a_category", category="kitchen-coffee-machines")
    """
    values = {name: str(value) for name, value in parameters.items()}
    return sql(sql_of(question, values, environment=environment), numerics=numerics, environment=environment)


def sql_of(question: str, parameters: Mapping[str, str], *, environment: Mapping[str, str] | None = None) -> str:
    """The SELECT that answers one of QUESTIONS.

    Raises PipelineError for a question or a parameter that is not there, and for a value that the tables do not know.
    """
    asked = question_of(question)
    select = asked.sql(parameters)
    for name, value in parameters.items():
        known = asked.parameters[name].known
        if known is not None:
            _require_known(name, value, known, environment)
    return select


def _require_known(name: str, value: str, known: str, environment: Mapping[str, str] | None) -> None:
    with open_query(known, limit=0, timeout_s=TIMEOUT_S, environment=environment) as result:
        names = {row[0] for batch in result.batches for row in batch}
    if value not in names:
        raise PipelineError(f"There is no {name} {value!r}.{did_you_mean(value, sorted(names))}")


def sql(
    query: str,
    *,
    numerics: Numerics = "float",
    limit: int = ROWS,
    timeout_s: float = TIMEOUT_S,
    environment: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """The rows of one SELECT on the output tables. Raises PipelineError where the query does not run.

    Columns have the types that frames.py lists; `numerics="decimal"` makes exact Arrow decimals of numerics. At most
    `limit` rows, with a warning if there are more, and at most `timeout_s` seconds of the database's time; 0 is without
    limit. Settings come from `environment`, which is the process's own unless given. The embedded database is started
    if it does not run, and stopped when the process ends.
    """
    with open_query(query, limit=limit, timeout_s=timeout_s, environment=environment) as result:
        made = frame(result.columns, result.types, chain.from_iterable(result.batches), numerics)
        _warn_if_cut_off(result, limit)
        return made


def chunks(
    query: str,
    *,
    rows: int = 100_000,
    numerics: Numerics = "float",
    limit: int = 0,
    timeout_s: float = TIMEOUT_S,
    environment: Mapping[str, str] | None = None,
) -> Iterator[pd.DataFrame]:
    """The same as DataFrames of at most `rows` rows, of which one is in memory at a time.

    All have the same columns and types, except for Arrow decimals of numerics that declare no digits: their digits are
    those of the chunk. An empty answer is one empty DataFrame.
    """
    if rows < 1:
        raise PipelineError(f"rows is {rows}; a chunk has at least one row.")
    with open_query(query, limit=limit, timeout_s=timeout_s, environment=environment) as result:
        left = chain.from_iterable(result.batches)
        chunk = list(islice(left, rows))
        yield frame(result.columns, result.types, chunk, numerics)
        while len(chunk) == rows and (chunk := list(islice(left, rows))):
            yield frame(result.columns, result.types, chunk, numerics)
        _warn_if_cut_off(result, limit)


def _warn_if_cut_off(result: Result, limit: int) -> None:
    if result.is_cut_off:
        warnings.warn(
            f"These are the first {limit:,} rows; there are more. Raise limit, or ask for less.", stacklevel=3
        )


@contextmanager
def open_query(
    query: str, *, limit: int, timeout_s: float, environment: Mapping[str, str] | None = None
) -> Iterator[Result]:
    """The same with the rows as they come, some at a time, so that any number of them takes little memory."""
    settings = Settings.from_mapping(os.environ if environment is None else environment)
    with (
        reading_database(settings) as url,
        open_store(settings, url),
        answer(url, query, timeout_s=timeout_s) as answered,
    ):
        yield Result(answered, limit)


class Result:
    """The first rows of an answer."""

    def __init__(self, answered: Answer, limit: int) -> None:
        self.columns, self.types = answered.columns, answered.types
        self.is_cut_off = False
        """Whether there are more rows than the limit allows; known once they were read."""
        self._answered, self._limit = answered, limit

    @property
    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        """The rows, some at a time. Can be read once."""
        left = self._limit
        for batch in self._answered.batches:
            if self._limit and len(batch) > left:
                self.is_cut_off = True
                yield batch[:left]
                return
            left -= len(batch)
            yield batch
