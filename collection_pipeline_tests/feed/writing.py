"""A writer with connections of its own, as every run has: also `python -m … URL WRITER BATCHES` in its own process."""

from __future__ import annotations

import sys

import sqlalchemy as sa

from collection_pipeline.tables.store import open_store
from collection_pipeline_tests.feed.serving import append


def write_much(database: sa.URL, writer: int, batches: int) -> None:
    """Batches of five events each. The numbers start at 1000 times the writer's."""
    with open_store(database) as store:
        for batch in range(batches):
            first = writer * 1_000 + batch * 5
            append(store, range(first, first + 5), run_id=f"run-{writer}", worker_id=writer)


if __name__ == "__main__":
    write_much(sa.make_url(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
