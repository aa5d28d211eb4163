"""Models as JSON."""

import math

import pytest

from collection_pipeline.core.matching.comparing import Comparison
from collection_pipeline.core.matching.trees import read_model


def test_a_tree_goes_one_way_up_to_its_limit_and_the_other_above_it() -> None:
    log_odds = read_model('{"constant": 0.5, "trees": [["price_gap", 0.4, 1, ["overlap", 0.5, 2, 3]], 0.25]}')
    none = dict.fromkeys(Comparison._fields, 0.0)
    by_price = [
        log_odds(Comparison(**{**none, "price_gap": gap, "overlap": overlap}))  # type: ignore[arg-type]
        for gap, overlap in ((0.4, 1.0), (0.5, 0.5), (0.5, 0.6))
    ]
    assert all(math.isclose(a, b) for a, b in zip(by_price, (1.75, 2.75, 3.75), strict=True))


def test_a_tree_about_an_unknown_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="moon"):
        read_model('{"constant": 0, "trees": [["moon", 1, 2, 3]]}')
