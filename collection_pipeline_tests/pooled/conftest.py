from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from collection_pipeline_tests.orchestration.conftest import dagster_template, pipeline, simulator
from collection_pipeline_tests.pooled.pgbouncer import NO_PGBOUNCER, PGBOUNCER, Pooler, pgbouncer

__all__ = ["dagster_template", "pipeline", "simulator"]


@pytest.fixture(scope="package")
def pooler(server: sa.URL, collector: str) -> Iterator[Pooler]:
    """A PgBouncer with three sessions for each database and login."""
    if PGBOUNCER is None:
        assert "CI" not in os.environ, NO_PGBOUNCER
        pytest.skip(NO_PGBOUNCER)
    with pgbouncer(server, collector) as started:
        yield started


@pytest.fixture
def way(pooler: Pooler) -> Callable[[sa.URL], sa.URL]:
    """The pipeline reaches both of its databases through the pooler."""
    return pooler.through
