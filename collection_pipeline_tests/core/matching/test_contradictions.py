import pytest

from collection_pipeline.core.matching.contradictions import (
    COMPATIBLE_WITH,
    LOG_ODDS,
    MADE_FOR,
    OTHER_PACK,
    contradictions,
)
from collection_pipeline.core.matching.reading import Offer, read


def found(one: str, other: str) -> list[str]:
    return contradictions(read(Offer(one, None)), read(Offer(other, None)))


@pytest.mark.parametrize(
    ("one", "other", "contradiction"),
    [
        ("Brita Water Filter 2 Pack", "Brita Water Filter 6 Pack", OTHER_PACK),
        ("Brita Water Filter", "Brita Water Filter, 6 Pack", OTHER_PACK),
        ("Apple iPhone 13", "Leather case for Apple iPhone 13", MADE_FOR),
        ("Keurig Coffee Pods", "Coffee Pods compatible with Keurig", COMPATIBLE_WITH),
    ],
)
def test_what_makes_it_another_offer_is_found_whichever_comes_first(one: str, other: str, contradiction: str) -> None:
    assert contradiction in found(one, other)
    assert contradiction in found(other, one)
    assert LOG_ODDS[contradiction] < 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Brita Water Filter 2 Pack", "Brita Water Filters (2-Pack)"),
        ("Keurig K-Classic Coffee Maker", "Keurig K-Classic Coffee Maker, Black"),
    ],
)
def test_the_same_offer_contradicts_nothing(one: str, other: str) -> None:
    assert found(one, other) == []
