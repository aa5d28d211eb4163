"""What one run works on: one category of one collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from collection_pipeline.core.activity import Activity, Emit, Phase


@dataclass(frozen=True, slots=True)
class CategoryWork:
    """One category of one organisation's collection, and the run that works on it."""

    org_id: str
    collection_id: str
    category: str
    run_id: str

    def activity(self, phase: Phase, emit: Emit, clock: Callable[[], datetime]) -> Activity:
        """The events of this run's workers in a phase; `clock` gives their time, in UTC."""
        return Activity(emit, clock, self.run_id, self.collection_id, self.category, phase)
