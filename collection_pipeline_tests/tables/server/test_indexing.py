"""Indexes that are built beside whoever collects."""

from __future__ import annotations

import sqlalchemy as sa

from collection_pipeline.tables.server.indexing import build_indexes
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import rows

_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = CAST('ix_sellers_by_name' AS regclass)"


def test_an_index_that_was_left_half_built_is_built_anew(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_sellers_by_name'::regclass")
        )
        connection.execute(sa.text("DROP INDEX ix_sellers_words"))
    assert rows(store, _VALID) == [(False,)]
    build_indexes(store.engine)
    assert rows(store, _VALID) == [(True,)]
    assert rows(store, "SELECT to_regclass('ix_sellers_words') IS NOT NULL") == [(True,)]
