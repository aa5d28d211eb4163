"""The output tables as pandas DataFrames: any SELECT, whole views, and the questions that a team usually asks.

>>> from collection_pipeline import query
>>> query.sql("SELECT count(*) FROM sellers WHERE status = 'active'")
>>> query.ask("new_sellers")
>>> query.view("seller_overview")
>>> for frame in query.chunks("SELECT * FROM ebay_listings"): ...
"""

from collection_pipeline.query.reading import QUESTIONS, ROWS, TIMEOUT_S, Result, ask, chunks, open_query, sql, sql_of
from collection_pipeline.query.views import READABLE, view

__all__ = [
    "QUESTIONS",
    "READABLE",
    "ROWS",
    "TIMEOUT_S",
    "Result",
    "ask",
    "chunks",
    "open_query",
    "sql",
    "sql_of",
    "view",
]
