from collections.abc import Iterator

import pytest

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import RunningSimulator, running


@pytest.fixture(scope="package")
def marketplaces() -> Iterator[RunningSimulator]:
    with running(SimulatorConfig(products_per_page=10, listings_per_product=40, sellers=50)) as started:
        yield started


@pytest.fixture
def simulator(marketplaces: RunningSimulator) -> Iterator[RunningSimulator]:
    """The marketplaces as new, without any fault."""
    marketplaces.set_faults()
    marketplaces.reset()
    yield marketplaces
    marketplaces.set_faults()
