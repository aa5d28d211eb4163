"""Contradictions that the labelled pairs are too few to teach, and how much each lowers the odds.

The labelled pairs come from two shops, where nearly every offer is a whole product. Marketplaces also have
multiples, accessories "for" a product, parts and imitations. These rules are few, never raise a match, and name
themselves in its reasons.
"""

from __future__ import annotations

from collection_pipeline.core.matching.reading import Reading
from collection_pipeline.core.matching.vocabulary import ACCESSORIES, COMPATIBLE, PARTIAL

OTHER_PACK = "other pack"
MADE_FOR = "made for it"
ACCESSORY = "accessory"
COMPATIBLE_WITH = "compatible with it"
PART = "part of it"

LOG_ODDS = {OTHER_PACK: -3.0, MADE_FOR: -3.0, ACCESSORY: -0.5, COMPATIBLE_WITH: -2.0, PART: -3.0}
"""What each contradiction adds to the logarithm of the odds; -3 divides the odds by 20."""

_LEAST_MADE_FOR = 0.4
"""Share of the common weight that must be only a purpose. Below, "for" says who or what the product itself is for."""


def contradictions(one: Reading, other: Reading) -> list[str]:
    """The contradictions between two readings, as keys of `LOG_ODDS`. The order makes no difference."""
    found = []
    if packs_differ(one, other):
        found.append(OTHER_PACK)
    if accessory_of(one, other) or accessory_of(other, one):
        found.append(MADE_FOR)
    elif _says_one(ACCESSORIES, one, other):
        found.append(ACCESSORY)
    if _says_one(COMPATIBLE, one, other):
        found.append(COMPATIBLE_WITH)
    if _says_one(PARTIAL, one, other):
        found.append(PART)
    return found


def packs_differ(one: Reading, other: Reading) -> bool:
    """Whether the titles name different packs, or only one names a pack of several."""
    if not one.packs and not other.packs:
        return bool(one.counts and other.counts) and one.counts.isdisjoint(other.counts)
    packs, others = one.packs | one.counts, other.packs | other.counts
    if not packs.isdisjoint(others):
        return False
    if one.packs and other.packs:
        return True
    several, plain = (one.packs, other) if one.packs else (other.packs, one)
    return max(several) > 1 and plain.numbers.isdisjoint(map(str, several))


def accessory_of(one: Reading, other: Reading) -> bool:
    """Whether the first is made for the second: they share mostly what is after its "for", and it is another thing."""
    purposes = one.made_for - other.made_for
    if purposes.isdisjoint(other.words) or not ACCESSORIES.isdisjoint(one.words.keys() & other.words.keys()):
        return False
    common = [(word, weight) for word, weight in one.words.items() if word in other.words]
    total = sum(weight for _, weight in common)
    purpose = sum(weight for word, weight in common if word in purposes)
    other_kind = _says_one(ACCESSORIES, one, other) or other.brand in purposes
    return other_kind and purpose >= _LEAST_MADE_FOR * total


def _says_one(vocabulary: frozenset[str], one: Reading, other: Reading) -> bool:
    """Whether exactly one of the titles has words of a vocabulary."""
    return vocabulary.isdisjoint(one.words) != vocabulary.isdisjoint(other.words)
