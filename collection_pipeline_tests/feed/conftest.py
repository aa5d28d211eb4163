from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from collection_pipeline.tables.store import Store, open_store
from collection_pipeline_tests.conftest import copied
from collection_pipeline_tests.feed.serving import serving
from collection_pipeline_tests.tables.examples import start


@pytest.fixture
def url(store: Store) -> Iterator[str]:
    """A server on the test's database, which has one running collection `c`."""
    start(store, "c", "books")
    with serving(store) as address:
        yield address


@dataclass(frozen=True)
class Shared:
    """A server, the database it is on, and the stores of it."""

    url: str
    database: sa.URL
    store: Store


@pytest.fixture(scope="package")
def shared(server: sa.URL, collector: str) -> Iterator[Shared]:
    """One for all tests that can do with an old one; to start and stop costs more than most of them."""
    database = copied(server, "template", "feed_shared")
    with open_store(database) as store, open_store(database.set(username=collector)) as served:
        start(store, "c", "books")
        with serving(served) as url:
            yield Shared(url, database, store)
