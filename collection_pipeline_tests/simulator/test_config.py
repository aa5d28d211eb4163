from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.faults import Fault


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("day", -1),
        ("day", 1.5),
        ("share_lookalikes", 2),
        ("products_per_page", 0),
        ("products_per_page", 2.5),
        ("pages", 0),
        ("overlap", 1.1),
        ("share_without_price", -0.1),
        ("amazon_latency_s", -1),
        ("oxylabs_rate_per_s", 0),
        ("ebay_daily_quota", True),
        ("sellers", "many"),
        ("page_two", "sideways"),
        ("ebay_window", "open"),
        ("seller_ids", 1),
        ("ebay_credentials", ("id", "")),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_the_field(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name} .*\.$"):
        SimulatorConfig(**{name: value})


def test_the_representation_hides_credentials() -> None:
    assert "hush" not in repr(SimulatorConfig(ebay_credentials=("id", "hush")))


def test_the_default_is_valid_and_frozen() -> None:
    config = SimulatorConfig()
    with pytest.raises(AttributeError):
        config.seed = 2  # type: ignore[misc]
    assert all(hasattr(config, each.name) for each in fields(config))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": "ebay.sulks"}, "There is no fault 'ebay.sulks'"),
        ({"name": "ebay.slow", "share": 2}, "share is 2"),
        ({"name": "ebay.slow", "nth": 0}, "nth is 0"),
        ({"name": "ebay.slow", "every": 2, "nth": 2}, "only one of"),
        ({"name": "ebay.slow", "seconds": -1}, "seconds is -1"),
    ],
)
def test_a_wrong_fault_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        Fault(**values)
