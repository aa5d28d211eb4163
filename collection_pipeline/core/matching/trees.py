"""The learnt part of the score: gradient-boosted decision trees, kept as readable JSON.

`model.json` holds a list of trees. A tree is a number, which it adds to the log-odds, or
`[feature, at_most, then, else]`: where the feature of the comparison is at most that, `then` decides, else `else`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

from collection_pipeline.core.matching.comparing import Comparison

LogOdds: TypeAlias = Callable[[Comparison], float]
"""What a model makes of a pair: the logarithm of the odds that its offers are the same product."""


@cache
def shipped_model() -> LogOdds:
    """The model of this package."""
    return read_model(resources.files(__package__).joinpath("model.json").read_text(encoding="utf-8"))


def read_model(text: str) -> LogOdds:
    """Reads a model as `model.json` has it. Raises ValueError for a feature that no comparison has."""
    content = json.loads(text)
    terms = [repr(float(content["constant"])), *map(_expression, content["trees"])]
    # One Python expression, because walking the trees would take a fifth of the 50 microseconds that a pair has.
    # Nothing but the names of features and numbers gets into it.
    summed = eval(f"lambda {', '.join(Comparison._fields)}: {' + '.join(terms)}", {"__builtins__": {}})
    return lambda comparison: float(summed(*comparison))


def _expression(node: Any) -> str:
    """A tree as a Python expression."""
    if not isinstance(node, list):
        return repr(float(node))
    feature, at_most, then, otherwise = node
    if feature not in Comparison._fields:
        raise ValueError(f"a tree asks for {feature!r}, which a comparison does not have; train the model anew")
    return f"({_expression(then)} if {feature} <= {float(at_most)!r} else {_expression(otherwise)})"
