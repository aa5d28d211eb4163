"""The output tables as pandas DataFrames: any SELECT, and the questions that a team usually asks.

>>> from collection_pipeline import query
>>> query.sql("SELECT count(*) FROM sellers WHERE status = 'active'")
>>> query.ask("new_sellers")
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pandas as pd
import psycopg

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings import Settings
from collection_pipeline.tables.locating import application_database
from collection_pipeline.tables.store import open_store

QUESTIONS: dict[str, str] = {
    "new_sellers": """\
SELECT s.display_name, s.product_count, s.feedback_percent, s.feedback_score
FROM sellers s
WHERE s.first_collection_id = (SELECT collection_id FROM collections
                               WHERE completed_at IS NOT NULL ORDER BY completed_at DESC LIMIT 1)
ORDER BY s.product_count DESC, s.display_name""",
    "sellers_by_best_sellers": """\
SELECT display_name, count(DISTINCT asin) AS best_sellers, count(DISTINCT category) AS categories
FROM category_sellers
GROUP BY seller_key, display_name
ORDER BY best_sellers DESC, display_name
LIMIT 20""",
    "sellers_of_a_category": """\
SELECT display_name, count(DISTINCT asin) AS best_sellers, min(position) AS best_position
FROM category_sellers
WHERE category = 'kitchen-coffee-machines'
GROUP BY seller_key, display_name
ORDER BY best_sellers DESC, best_position""",
    "price_spread": """\
SELECT p.asin, left(p.title, 40) AS title, p.price AS amazon, min(l.price) AS ebay_min,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY l.price)::numeric(12, 2) AS ebay_median,
       max(l.price) AS ebay_max, count(DISTINCT l.seller_key) AS sellers
FROM amazon_products p
JOIN ebay_listings l ON l.org_id = p.org_id AND l.asin = p.asin AND l.gone_at IS NULL
GROUP BY p.asin, p.title, p.price
ORDER BY sellers DESC, p.asin
LIMIT 20""",
    "count_over_time": """\
SELECT taken_at, seller_count, new_sellers, cause, collection_id
FROM seller_count_snapshots
ORDER BY taken_at""",
}
"""The five questions of the README, by name."""


def ask(question: str, *, environment: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The answer to one of QUESTIONS. Raises PipelineError for a question that is not there."""
    if question not in QUESTIONS:
        raise PipelineError(f"There is no question {question!r}. There are: {', '.join(QUESTIONS)}.")
    return sql(QUESTIONS[question], environment=environment)


def sql(query: str, *, environment: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The rows of one SELECT on the output tables, read-only. Raises PipelineError where the query does not run.

    Settings come from `environment`, which is the process's own unless given. The embedded database is started if it
    does not run, and stopped when the process ends.
    """
    settings = Settings.from_mapping(os.environ if environment is None else environment)
    with application_database(settings) as url, open_store(url):
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address) as connection:
            connection.read_only = True
            try:
                # Prepared, so that the server takes exactly one statement: none can end the read-only transaction.
                cursor = connection.execute(query.encode(), prepare=True)
                columns = [column.name for column in cursor.description or ()]
                return pd.DataFrame(cursor.fetchall() if columns else [], columns=columns)
            except psycopg.Error as error:
                raise PipelineError(f"The query did not run: {str(error).strip()}") from None
