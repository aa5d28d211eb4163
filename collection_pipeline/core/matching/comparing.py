"""Two readings side by side: what they share and where they contradict, as named numbers.

Every number is the same whichever reading comes first. The model weighs them, and `explaining` puts them into words.
"""

from __future__ import annotations

from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from collection_pipeline.core.matching.reading import Reading
from collection_pipeline.core.matching.vocabulary import BUNDLES, COLOURS

UNKNOWN_PRICE_GAP = 0.4
"""What a missing price counts as: e**0.4 is 1.5, the ratio of prices of a usual pair of similar products."""

_SHORTEST_COMPOUND = 4
"""Letters from which a word may also be found in the other title without spaces; shorter ones occur everywhere."""

_alike = Levenshtein.normalized_similarity


class Comparison(NamedTuple):
    """What the model sees of a pair. Shares and similarities are from 0 to 1, weights are sums of rarities."""

    overlap: float
    """Weight of the shared words ÷ weight of all words."""
    covered_most: float
    """Share of one title's weight that the other has; the better covered title."""
    covered_least: float
    """The same of the worse covered title."""
    models_shared: int
    model_length: int
    """Characters of the longest model number that both have."""
    models_contradict: int
    """Model numbers that each of the two has and the other lacks; the smaller number."""
    models_extra: int
    """The larger number."""
    models_alike: float
    """Similarity of the most similar contradicting model numbers."""
    brands: float
    """1 if the first words are the same, 0.5 if one occurs in the other title, else 0."""
    sizes_contradict: int
    """Units in which both have a size and none is the same."""
    numbers_shared: int
    numbers_contradict: int
    """Numbers that each has and the other lacks; the smaller number."""
    numbers_extra: int
    """The larger number."""
    colours: int
    """1 if a colour is shared, -1 if they contradict, 0 if a title names none."""
    colours_extra: bool
    """Whether only one title names a colour."""
    price_gap: float
    """Absolute difference of the natural logarithms of the prices."""
    title_ratio: float
    """Similarity of the words in alphabetical order."""
    names_missing: float
    """Weight of the words without digits, colours aside, that the other title lacks; the smaller of the two."""
    rarest_missing: float
    """Rarity of the rarest word that the other title lacks; the less rare of the two."""
    bundles_differ: bool
    """Whether only one title says "bundle", "kit" or the like."""
    words_least: int
    """Words of the shorter title."""


def compare(one: Reading, other: Reading) -> Comparison:
    """Compares two readings. The order makes no difference."""
    missing_one, names_one, rarest_one, models_one = _missing(one, other)
    missing_other, names_other, rarest_other, models_other = _missing(other, one)
    covered_one = 1 - missing_one / one.weight if one.weight else 0.0
    covered_other = 1 - missing_other / other.weight if other.weight else 0.0
    weight = one.weight + other.weight
    shared_models = one.models.difference(models_one) | other.models.difference(models_other)
    numbers_one = len(one.numbers - other.numbers - other.sized) if one.numbers else 0
    numbers_other = len(other.numbers - one.numbers - one.sized) if other.numbers else 0
    return Comparison(
        overlap=1 - (missing_one + missing_other) / weight if weight else 0.0,
        covered_most=max(covered_one, covered_other),
        covered_least=min(covered_one, covered_other),
        models_shared=len(shared_models),
        model_length=max(map(len, shared_models)) if shared_models else 0,
        models_contradict=min(len(models_one), len(models_other)),
        models_extra=max(len(models_one), len(models_other)),
        models_alike=max([_alike(a, b) for a in models_one for b in models_other])
        if models_one and models_other
        else 0.0,
        brands=_brands(one, other),
        sizes_contradict=len(contradicting_units(one, other)),
        numbers_shared=len(one.numbers & other.numbers),
        numbers_contradict=min(numbers_one, numbers_other),
        numbers_extra=max(numbers_one, numbers_other),
        colours=_colours(one, other),
        colours_extra=bool(one.colours) != bool(other.colours),
        price_gap=_price_gap(one, other),
        title_ratio=fuzz.ratio(one.text, other.text) / 100,
        names_missing=min(names_one, names_other),
        rarest_missing=min(rarest_one, rarest_other),
        bundles_differ=BUNDLES.isdisjoint(one.words) != BUNDLES.isdisjoint(other.words),
        words_least=min(len(one.words), len(other.words)),
    )


def missing_words(reading: Reading, other: Reading) -> list[str]:
    """The words that the other title lacks, also as part of a compound ("boombox", "boom box")."""
    there, squashed = other.words, other.squashed
    return [
        word for word in reading.words if word not in there and (len(word) < _SHORTEST_COMPOUND or word not in squashed)
    ]


def contradicting_units(one: Reading, other: Reading) -> list[str]:
    """The units in which both titles have a size and none is the same."""
    theirs = other.sizes
    return [unit for unit, sizes in one.sizes.items() if unit in theirs and sizes.isdisjoint(theirs[unit])]


def _missing(reading: Reading, other: Reading) -> tuple[float, float, float, list[str]]:
    """What the other title lacks: weight, weight of words without digits and colours, highest rarity, model numbers."""
    words, models = reading.words, reading.models
    weight = names = rarest = 0.0
    missing_models: list[str] = []
    for word in missing_words(reading, other):
        rarity = words[word]
        weight += rarity
        if rarity > rarest:
            rarest = rarity
        if word in models:
            missing_models.append(word)
        elif word.isalpha() and word not in COLOURS:
            names += rarity
    return weight, names, rarest, missing_models


def _brands(one: Reading, other: Reading) -> float:
    if one.brand == other.brand:
        return 1.0
    return 0.5 if one.brand in other.words or other.brand in one.words else 0.0


def _colours(one: Reading, other: Reading) -> int:
    if not one.colours or not other.colours:
        return 0
    return -1 if one.colours.isdisjoint(other.colours) else 1


def _price_gap(one: Reading, other: Reading) -> float:
    if one.log_price is None or other.log_price is None:
        return UNKNOWN_PRICE_GAP
    return abs(one.log_price - other.log_price)
