from __future__ import annotations

from collections.abc import Iterator

import pytest

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import running
from collection_pipeline_tests.simulator.asking import Asking


@pytest.fixture(scope="session")
def ebay_and_amazon() -> Iterator[Asking]:
    """One small simulator for all tests of this folder; starting costs more than answering."""
    with running(SimulatorConfig(products_per_page=8, pages=2, listings_per_product=40, sellers=60)) as simulator:
        yield Asking(simulator)


@pytest.fixture
def ask(ebay_and_amazon: Asking) -> Iterator[Asking]:
    """The same simulator, as new: nothing counted, no fault, the first configuration."""
    state = ebay_and_amazon.simulator.simulator
    config = state.config
    yield ebay_and_amazon
    ebay_and_amazon.simulator.configure(day=config.day)
    state.config = config
    ebay_and_amazon.simulator.set_faults()
    ebay_and_amazon.simulator.reset()
