"""The output tables as pandas DataFrames: any SELECT, and the questions that a team usually asks.

>>> from collection_pipeline import query
>>> query.sql("SELECT count(*) FROM sellers WHERE status = 'active'")
>>> query.ask("new_sellers")
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.stores import open_store
from collection_pipeline.tables.server.locating import reading_database
from collection_pipeline.tables.server.querying import Answer, answer

if TYPE_CHECKING:
    import pandas as pd

QUESTIONS: dict[str, str] = {
    "new_sellers": """\
SELECT s.display_name, s.product_count, s.feedback_percent, s.feedback_score
FROM sellers s
WHERE s.first_collection_id = (SELECT collection_id FROM collections
                               WHERE completed_at IS NOT NULL ORDER BY completed_at DESC LIMIT 1)
ORDER BY s.product_count DESC, s.display_name""",
    "sellers_by_best_sellers": """\
SELECT s.display_name, f.best_sellers, f.categories
FROM seller_figures f
JOIN sellers s USING (org_id, marketplace, seller_key)
WHERE s.status = 'active' AND f.best_sellers > 0
ORDER BY f.best_sellers DESC, f.seller_key
LIMIT 20""",
    "sellers_of_a_category": """\
SELECT display_name, count(DISTINCT asin) AS best_sellers, min(position) AS best_position
FROM category_sellers
WHERE category = 'kitchen-coffee-machines'
GROUP BY seller_key, display_name
ORDER BY best_sellers DESC, best_position""",
    "price_spread": """\
SELECT p.asin, left(p.title, 40) AS title, p.price AS amazon, f.price_low AS ebay_min,
       f.price_median AS ebay_median, f.price_high AS ebay_max, f.sellers
FROM product_figures f
CROSS JOIN LATERAL (SELECT DISTINCT a.asin, a.title, a.price FROM amazon_products a
                    WHERE a.org_id = f.org_id AND a.asin = f.asin) p
WHERE f.categories <> '{}' AND f.sellers > 0
ORDER BY f.sellers DESC, f.asin
LIMIT 20""",
    "count_over_time": """\
SELECT taken_at, seller_count, new_sellers, cause, collection_id
FROM seller_count_snapshots
ORDER BY taken_at""",
}
"""The five questions of docs/answers.md, by name."""


ROWS = 1_000_000
"""The most rows that a query gives unless more are asked for."""

TIMEOUT_S = 60.0
"""The longest that the database works on a query unless more is allowed."""


def ask(question: str, *, environment: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The answer to one of QUESTIONS. Raises PipelineError for a question that is not there."""
    return sql(sql_of(question), environment=environment)


def sql_of(question: str) -> str:
    """The SELECT that answers one of QUESTIONS. Raises PipelineError for a question that is not there."""
    if question not in QUESTIONS:
        raise PipelineError(f"There is no question {question!r}. There are: {', '.join(QUESTIONS)}.")
    return QUESTIONS[question]


def sql(
    query: str, *, limit: int = ROWS, timeout_s: float = TIMEOUT_S, environment: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """The rows of one SELECT on the output tables. Raises PipelineError where the query does not run.

    At most `limit` rows, with a warning if there are more, and at most `timeout_s` seconds of the database's time; 0 is
    without limit. Settings come from `environment`, which is the process's own unless given. The embedded database is
    started if it does not run, and stopped when the process ends.
    """
    import pandas as pd  # a third of a second and 60 MB, which commands without a DataFrame need not pay

    with open_query(query, limit=limit, timeout_s=timeout_s, environment=environment) as result:
        rows = [row for batch in result.batches for row in batch]
        if result.is_cut_off:
            warnings.warn(
                f"These are the first {limit:,} rows; there are more. Raise limit, or ask for less.", stacklevel=2
            )
        return pd.DataFrame(rows, columns=pd.Index(result.columns, dtype=object))


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
        self.columns = answered.columns
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
