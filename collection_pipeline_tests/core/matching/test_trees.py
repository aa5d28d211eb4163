import json

import pytest

from collection_pipeline.core.matching.comparing import compare
from collection_pipeline.core.matching.reading import Offer, read
from collection_pipeline.core.matching.trees import read_model, shipped_model

PAIR = compare(read(Offer("A red lamp", None)), read(Offer("A red lamp", None)))


def test_a_tree_decides_by_its_feature_and_adds_up() -> None:
    text = json.dumps({"constant": 0.5, "trees": [["overlap", 0.5, -1, 2], 0.25]})
    assert read_model(text)(PAIR) == 2.75
    assert read_model(text)(PAIR._replace(overlap=0.5)) == -0.25


@pytest.mark.parametrize("feature", ["no_such_feature", "__import__('os')", "overlap or exit()"])
def test_nothing_but_features_and_numbers_gets_into_a_model(feature: str) -> None:
    with pytest.raises(ValueError, match="train the model anew"):
        read_model(json.dumps({"constant": 0, "trees": [[feature, 0, 1, 2]]}))
    with pytest.raises((ValueError, TypeError)):
        read_model(json.dumps({"constant": 0, "trees": [["overlap", feature, 1, 2]]}))


def test_the_model_of_the_package_can_be_read() -> None:
    assert shipped_model()(PAIR) > shipped_model()(PAIR._replace(overlap=0.1, covered_most=0.1, covered_least=0.1))
