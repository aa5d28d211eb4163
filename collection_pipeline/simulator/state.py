"""One running simulator: its world, its limits, its faults, its statistics, and its clock."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from collection_pipeline.simulator.config import RUNTIME_FIELDS, SimulatorConfig
from collection_pipeline.simulator.faults import Fault, FaultBoard
from collection_pipeline.simulator.limits import Quota, Tokens, Window
from collection_pipeline.simulator.stats import Stats
from collection_pipeline.simulator.world.draws import unit
from collection_pipeline.simulator.world.listings import Listings
from collection_pipeline.simulator.world.products import Products
from collection_pipeline.simulator.world.world import World


class Simulator:
    """Everything the endpoints share. Two simulators in one process share nothing."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.world = World(config)
        self.faults = FaultBoard(config.seed, config.faults)
        self.stats = Stats()
        self._answers = 0
        self.reset()

    def reset(self) -> None:
        """Forgets statistics, quotas, windows, tokens; the world, the configuration and the faults stay."""
        self.stats = Stats(self.stats.in_flight)
        self.faults.struck.clear()
        self.faults.set(self.faults.faults)
        self.tokens = Tokens()
        self.quota = Quota()
        self.ebay_window = Window()
        self.oxylabs_window = Window()
        self.render_window = Window()

    @property
    def products(self) -> Products:
        """What Amazon shows today."""
        return self.world.products

    @property
    def listings(self) -> Listings:
        """What is on eBay today."""
        return self.world.listings

    def configure(self, changes: dict[str, Any]) -> None:
        """Changes how it behaves, and which day it is; not which world. Raises ValueError."""
        fixed = changes.keys() - RUNTIME_FIELDS
        if fixed:
            names = ", ".join(sorted(fixed))
            raise ValueError(
                f"{names} cannot be changed while it runs; these can: {', '.join(sorted(RUNTIME_FIELDS))}."
            )
        for name in ("oxylabs_credentials", "ebay_credentials"):
            if isinstance(changes.get(name), list):
                changes[name] = tuple(changes[name])
        config = replace(self.config, **changes)
        if config.day != self.config.day:
            self.world = World(config)
        self.config = config

    def now(self) -> datetime:
        """The simulator's time, which can be put ahead to turn a day or expire a token."""
        return datetime.now(UTC) + timedelta(seconds=self.config.clock_offset_s)

    async def delay(self, seconds: float, fault: Fault | None) -> None:
        """Waits as long as this answer takes: its latency, slightly different each time, and a slow fault's delay."""
        self._answers += 1
        spread = self.config.latency_jitter * (2 * unit(self.config.seed, "latency", self._answers) - 1)
        seconds *= 1 + spread
        if fault is not None and fault.name.endswith(".slow"):
            seconds += fault.seconds
        if seconds > 0:
            await asyncio.sleep(seconds)

    @staticmethod
    def monotonic() -> float:
        """Seconds for windows and rates, which no change of the clock turns back."""
        return time.monotonic()
