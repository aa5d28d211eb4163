from __future__ import annotations

import sqlalchemy as sa

from collection_pipeline.commands.server.simulated_day import LAST_DAY, simulated_day
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.tables.schema.tables import collections
from collection_pipeline.tables.store import Store
from collection_pipeline_tests import past


def test_the_marketplace_is_a_week_older_for_each_completed_collection_and_for_no_other(store: Store) -> None:
    assert simulated_day(store) == 0
    statuses = {"past-1": "running", "past-2": "cancelled", "past-3": "completed_with_errors"}
    with store.engine.begin() as connection:
        connection.execute(sa.text(past.COLLECTIONS))
        for collection_id, status in statuses.items():
            changed = collections.c.collection_id == collection_id
            connection.execute(collections.update().where(changed).values(status=status))
    assert simulated_day(store) == 4 * 7


def test_the_simulator_knows_the_last_day() -> None:
    assert SimulatorConfig(day=LAST_DAY).day == LAST_DAY
