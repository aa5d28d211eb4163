"""What is old enough goes, what is not stays, and it is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.retention import RULES, due, with_days
from collection_pipeline.tables.schema.tables import metadata
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import collect, listing, rows, start

NOW = datetime.now(UTC)


def test_every_rule_is_about_a_column_that_there_is() -> None:
    for rule in RULES:
        assert rule.column in metadata.tables[rule.table].columns
        assert rule.reason.endswith(".")


def test_gone_listings_go_after_their_time_and_current_ones_stay(store: Store) -> None:
    start(store, "c1", "home")
    collect(store, "c1", "home", {"B000000001": [listing("1", "alpha"), listing("2", "beta")]})
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ebay_listings SET gone_at = now() - interval '31 days' WHERE listing_id = '1'"
        )
    rules = with_days({})
    assert store.purges.count(due(rules, NOW))["ebay_listings"] == 1
    assert len(rows(store, "SELECT * FROM ebay_listings")) == 2, "counting removes nothing"
    assert store.purges.run(due(rules, NOW))["ebay_listings"] == 1
    assert rows(store, "SELECT listing_id FROM ebay_listings") == [("2",)]
    assert rows(store, "SELECT table_name, removed FROM purges") == [("ebay_listings", 1)]
    assert store.purges.run(due(rules, NOW)) == dict.fromkeys((rule.table for rule in RULES), 0)
    assert len(rows(store, "SELECT * FROM purges")) == 1


def test_a_table_can_be_kept_for_ever_or_for_another_time() -> None:
    rules = with_days({"activity_events": None, "ebay_listings": 1})
    purges = {purge.rule.table: purge.older_than for purge in due(rules, NOW)}
    assert "activity_events" not in purges
    assert purges["ebay_listings"] == NOW - timedelta(days=1)
    with pytest.raises(PipelineError, match="no retention of sellers"):
        with_days({"sellers": 1})
