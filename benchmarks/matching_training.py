"""Learns the two files of the matching package from labelled pairs: how rare words are, and the trees.

    python -m benchmarks.matching_training FILE…

Needs `pip install -e '.[benchmarks]'`. The features may only push in the direction that their
meaning allows (`DIRECTIONS`), so that what is peculiar to the labelled shops is not learnt.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

import collection_pipeline.core.matching as package
from benchmarks.matching import LabelledPair, read_pairs
from collection_pipeline.core.matching.comparing import Comparison, compare
from collection_pipeline.core.matching.rarity import forget_rarities
from collection_pipeline.core.matching.reading import Offer, read

FOLDER = Path(package.__file__).parent
LEAST_TITLES = 5
"""A word in fewer titles is as rare as one never seen; the file stays small."""

TREES = 40
SEEDS = range(3)
"""The mean of three models is steadier than one: 0.005 of F1 in cross-validation."""

SHIFT = math.log(0.65 / 0.35)
"""In cross-validation F1 is highest at 0.35; this moves it to 0.5, as if more of the pairs were the same product."""

DIRECTIONS = {
    **dict.fromkeys(("overlap", "covered_most", "covered_least", "models_shared", "model_length"), 1),
    **dict.fromkeys(("brands", "colours", "title_ratio"), 1),
    **dict.fromkeys(("models_contradict", "sizes_contradict", "numbers_contradict", "price_gap"), -1),
    **dict.fromkeys(("names_missing", "rarest_missing", "bundles_differ"), -1),
}
"""1 where more of a feature may only raise the match, -1 where it may only lower it. The rest is free."""

PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.15,
    "max_depth": 4,
    "num_leaves": 16,
    "min_data_in_leaf": 20,
    "lambda_l2": 5,
    "monotone_constraints": [DIRECTIONS.get(feature, 0) for feature in Comparison._fields],
    "monotone_constraints_method": "advanced",
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "num_threads": 1,
    "verbose": -1,
}


def count_words(pairs: list[LabelledPair]) -> dict[str, Any]:
    """In how many different titles each word occurs."""
    titles = {offer.title for pair in pairs for offer in (pair.one, pair.other)}
    counted = Counter(word for title in titles for word in read(Offer(title)).words)
    frequent = {word: count for word, count in sorted(counted.items()) if count >= LEAST_TITLES}
    return {"titles": len(titles), "words": frequent}


def learn(pairs: list[LabelledPair]) -> dict[str, Any]:
    """The trees for some pairs, in the form of `model.json`."""
    features = np.array([compare(read(pair.one), read(pair.other)) for pair in pairs], dtype=float)
    labels = np.array([pair.is_same for pair in pairs], dtype=float)
    trees = []
    for seed in SEEDS:
        booster = lightgbm.train({**PARAMETERS, "seed": seed}, lightgbm.Dataset(features, labels), TREES)
        trees += [_tree(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    return {"constant": round(SHIFT, 4), "trees": trees}


def _tree(node: dict[str, Any]) -> Any:
    if "leaf_value" in node:
        return round(node["leaf_value"] / len(SEEDS), 4)
    feature = Comparison._fields[node["split_feature"]]
    return [feature, float(f"{node['threshold']:.5g}"), _tree(node["left_child"]), _tree(node["right_child"])]


def as_text(model: dict[str, Any]) -> str:
    """A model as JSON, one tree a line."""
    trees = ",\n".join(json.dumps(tree) for tree in model["trees"])
    return f'{{"constant": {model["constant"]}, "trees": [\n{trees}\n]}}\n'


def main() -> None:
    parser = argparse.ArgumentParser(description="Learns the files of collection_pipeline/core/matching.")
    parser.add_argument("files", nargs="+", type=Path, help="labelled pairs to learn from")
    pairs = [pair for file in parser.parse_args().files for pair in read_pairs(file)]
    (FOLDER / "words.json").write_text(json.dumps(count_words(pairs), indent=0) + "\n", encoding="utf-8")
    forget_rarities()
    (FOLDER / "model.json").write_text(as_text(learn(pairs)), encoding="utf-8")


if __name__ == "__main__":
    main()
