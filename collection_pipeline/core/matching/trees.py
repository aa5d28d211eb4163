"""The learnt part of the score: gradient-boosted decision trees, kept as readable JSON.

`model.json` holds a list of trees. A tree is a number, which it adds to the log-odds, or
`[feature, at_most, then, else]`: where the feature of the comparison is at most that, `then` decides, else `else`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

from collection_pipeline.core.matching.comparing import Comparison

Tree: TypeAlias = "float | tuple[int, float, Tree, Tree]"


@dataclass(frozen=True, slots=True)
class Model:
    """Trees whose sum, with a constant, is the logarithm of the odds that two offers are the same product."""

    constant: float
    trees: tuple[Tree, ...]

    def log_odds(self, comparison: Comparison) -> float:
        """What the trees say of a pair."""
        total = self.constant
        for tree in self.trees:
            while isinstance(tree, tuple):
                feature, at_most, then, otherwise = tree
                tree = then if comparison[feature] <= at_most else otherwise
            total += tree
        return total


@cache
def shipped_model() -> Model:
    """The model of this package."""
    return read_model(resources.files(__package__).joinpath("model.json").read_text(encoding="utf-8"))


def read_model(text: str) -> Model:
    """Reads a model as `model.json` has it. Raises ValueError for a feature that no comparison has."""
    content = json.loads(text)
    return Model(constant=content["constant"], trees=tuple(_tree(tree) for tree in content["trees"]))


def _tree(node: Any) -> Tree:
    if not isinstance(node, list):
        return float(node)
    feature, at_most, then, otherwise = node
    if feature not in Comparison._fields:
        raise ValueError(f"a tree asks for {feature!r}, which a comparison does not have; train the model anew")
    return Comparison._fields.index(feature), float(at_most), _tree(then), _tree(otherwise)
