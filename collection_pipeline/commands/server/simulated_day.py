"""Which day it is on the simulated marketplace that `up` starts."""

from __future__ import annotations

from collection_pipeline.core.collecting.collections import CollectionStatus
from collection_pipeline.tables.store import Store

DAYS_BETWEEN_COLLECTIONS = 7
"""A week changes enough of the marketplace that the next collection has something to find."""

LAST_DAY = 3650
"""The last day that the simulator knows."""


def simulated_day(store: Store) -> int:
    """The day: a week later for each collection that the database has completed, so that nothing has to be kept for it.

    A collection that was interrupted goes on on the day on which it began.
    """
    over = (CollectionStatus.COMPLETED, CollectionStatus.COMPLETED_WITH_ERRORS)
    return min(
        LAST_DAY,
        DAYS_BETWEEN_COLLECTIONS * sum(collection.status in over for collection in store.collections.all()),
    )
