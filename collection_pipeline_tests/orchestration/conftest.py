"""A real Dagster instance on Postgres, and real marketplaces over HTTP: the simulator."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster_postgres import DagsterPostgresStorage

from collection_pipeline.core.catalogue import Catalogue, Category
from collection_pipeline.core.collecting.collections import CategoryUnit
from collection_pipeline.core.collecting.retrying import RetryPolicy
from collection_pipeline.definitions import build_defs
from collection_pipeline.orchestration.instance.pooled_storage import shared_engine
from collection_pipeline.orchestration.run_tags import COLLECTION_TAG
from collection_pipeline.settings.pipeline import simulated_accounts
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import RunningSimulator, running
from collection_pipeline.tables.server.embedded import create_database
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.conftest import REPOSITORY, copied, dropped

NODES = {"home-coffee": "1001", "home-knives": "1002", "toys-kites": "1003", "nowhere": "99900001"}
CATALOGUE = Catalogue(
    {
        key: Category(key, key.title(), node, key.split("-")[0], key.split("-")[0].title())
        for key, node in NODES.items()
    },
    {},
)
SMALL = SimulatorConfig(products_per_page=12, pages=2, listings_per_product=12, sellers=60, overlap=0.3)


HASTY = RetryPolicy(first_backoff_s=0.01)
"""Nobody has to be spared here; what is waited for a rate limit stays, because tests look at it."""

DEFINITIONS = build_defs({}, {"retry": HASTY})


@pytest.fixture
def simulator(request: pytest.FixtureRequest) -> Iterator[RunningSimulator]:
    """Marketplaces of the size that a test asks for by indirect parametrization, else SMALL ones."""
    with running(getattr(request, "param", SMALL)) as started:
        yield started


@dataclass
class Pipeline:
    """The definitions, run in this process on a real instance."""

    instance: dg.DagsterInstance
    store: Store
    simulator: RunningSimulator
    definitions: dg.Definitions = DEFINITIONS

    def run(
        self,
        category: str | None,
        *,
        collection_id: str | None = "c1",
        job: str = "category_collect",
        config: Mapping[str, Any] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """One run of a job, failed or not."""
        tags = {COLLECTION_TAG: collection_id} if collection_id else {}
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=category,
            tags=tags,
            run_config=config,
            raise_on_error=False,
        )

    def truth(self, *categories: str) -> dict[str, Any]:
        """What a perfect collection of these categories would find."""
        return self.simulator.truth(*(NODES[category] for category in categories))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query on the output tables."""
        with self.store.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    def units(self) -> list[CategoryUnit]:
        """The categories of the collection c1."""
        return self.store.collections.units("c1")

    def sellers(self) -> set[str]:
        """The keys on the seller list."""
        return {str(key) for (key,) in self.rows("SELECT seller_key FROM sellers WHERE status = 'active'")}


@pytest.fixture(scope="session")
def dagster_template(server: sa.URL) -> str:
    """A database with Dagster's tables, to copy from: making them takes a second."""
    url = create_database(server, "dagster_template").set(drivername="postgresql+psycopg2")
    storage = DagsterPostgresStorage(url.render_as_string(hide_password=False), should_autocreate_tables=True)
    del storage
    return "dagster_template"


@pytest.fixture
def way() -> Callable[[sa.URL], sa.URL]:
    """The address by which the pipeline reaches a database: the server's own, unless a test puts something between."""
    return lambda url: url


@pytest.fixture
def pipeline(
    server: sa.URL,
    way: Callable[[sa.URL], sa.URL],
    collector: str,
    dagster_template: str,
    database: sa.URL,
    store: Store,
    simulator: RunningSimulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pipeline]:
    """The pipeline on a database, a Dagster instance and marketplaces of the test's own."""
    copy = copied(server, dagster_template, f"dagster_{database.database}")
    dagster = way(copy).set(drivername="postgresql+psycopg2")
    under_its_login = way(database.set(username=collector))
    monkeypatch.setenv("COLLECTION_DATABASE_URL", under_its_login.render_as_string(hide_password=False))
    monkeypatch.setenv("COLLECTION_DAGSTER_DATABASE_URL", dagster.render_as_string(hide_password=False))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    for name, value in simulated_accounts(simulator.url).items():
        monkeypatch.setenv(name, value)
    shutil.copyfile(REPOSITORY / "dagster.yaml", tmp_path / "dagster.yaml")
    store.catalogue.load(CATALOGUE)
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions("category", list(NODES))
        yield Pipeline(instance, store, simulator)
    shared_engine(dagster.render_as_string(hide_password=False)).dispose()
    dropped(server, str(dagster.database))
