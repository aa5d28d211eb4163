from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.retention import RULES, due, with_days

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_rule_with_days_of_ones_own_is_otherwise_the_same_and_the_rest_stays() -> None:
    chosen = with_days({"activity_events": 7})
    assert chosen == (replace(RULES[0], days=7), *RULES[1:])


def test_what_is_kept_for_ever_is_never_due() -> None:
    rules = with_days({"activity_events": None, "ebay_listings": 3})
    due_now = {purge.rule.table: purge.older_than for purge in due(rules, NOW)}
    assert "activity_events" not in due_now
    assert due_now["ebay_listings"] == NOW - timedelta(days=3)


def test_a_table_without_a_rule_is_refused_and_those_with_one_are_named() -> None:
    with pytest.raises(PipelineError, match=r"no retention of sellers; there is of .*activity_events"):
        with_days({"sellers": 1})
