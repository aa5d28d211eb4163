"""One day of a simulated marketplace: its best sellers and its listings. The same seed and day are the same world."""

from __future__ import annotations

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.world.listings import Listings
from collection_pipeline.simulator.world.products import Products


class World:
    """What Amazon and eBay show on the day of a configuration."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.products = Products(config)
        self.listings = Listings(config, self.products)
