"""How long the questions of docs/answers.md take at 1,000,000 listings, relative to counting the listings.

Run by hand: .venv/bin/python -m benchmarks.queries
"""

from __future__ import annotations

import shutil
import tempfile
import timeit
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from collection_pipeline.query import QUESTIONS
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded
from collection_pipeline.tables.server.migrating import migrate
from collection_pipeline_tests.tables.filling import fill


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="benchmark_"))
    engine = create_engine(create_database(start_embedded(home), "large"))
    try:
        migrate(engine)
        fill(engine, sellers=100_000, listings=1_000_000, categories=100)
        yardstick = best(engine, "SELECT count(*) FROM ebay_listings")
        print(f"{'count of all listings':<28} {yardstick * 1000:8.0f} ms")
        for name, question in QUESTIONS.items():
            seconds = best(engine, question.replace("kitchen-coffee-machines", "category-7"))
            print(f"{name:<28} {seconds * 1000:8.0f} ms  {seconds / yardstick:6.2f} times as long")
    finally:
        engine.dispose()
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


def best(engine: sa.Engine, query: str) -> float:
    def ask() -> None:
        with engine.connect() as connection:
            connection.execute(sa.text(query)).all()

    return min(timeit.repeat(partial(ask), number=1, repeat=3))


if __name__ == "__main__":
    main()
