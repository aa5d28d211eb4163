"""How rare a word is in product titles, from 0 (in every title) to 1 (not known).

The figures come with the package (`words.json`: in how many of a number of titles a word occurs), so that a pair gets
the same match whatever else is compared. `benchmarks.matching_training` makes the file.
"""

from __future__ import annotations

import json
import math
from functools import cache, lru_cache
from importlib import resources


@cache
def _rarities() -> dict[str, float]:
    counted = json.loads(resources.files(__package__).joinpath("words.json").read_text(encoding="utf-8"))
    longest = math.log(counted["titles"])
    return {word: 1 - math.log(titles) / longest for word, titles in counted["words"].items()}


@lru_cache(maxsize=16_384)
def rarity(word: str) -> float:
    """How rare a word is. Words with too few titles to be listed count as seen once."""
    return _rarities().get(word, 1.0)


def forget_rarities() -> None:
    """Reads the file anew the next time; for who has just written it."""
    _rarities.cache_clear()
    rarity.cache_clear()
