"""What two titles share and where they contradict."""

from decimal import Decimal

import pytest

from collection_pipeline.core.matching.comparing import UNKNOWN_PRICE_GAP, Comparison, compare
from collection_pipeline.core.matching.reading import Offer, read


def comparison(one: str, other: str) -> Comparison:
    return compare(read(Offer(one)), read(Offer(other)))


def test_a_compound_is_found_in_two_words() -> None:
    assert comparison("ilive boombox", "ilive boom box").covered_most == pytest.approx(1)


def test_model_numbers_are_shared_or_contradict() -> None:
    assert comparison("sony wh-1000xm5", "sony WH1000XM5").models_shared == 1
    assert comparison("sony wh-1000xm5", "sony WH1000XM4").models_contradict == 1


def test_a_size_without_its_unit_is_no_contradiction() -> None:
    assert comparison("lg 32 class tv 720", "lg 32-inch tv 720").numbers_contradict == 0


def test_colours_of_one_family_are_the_same() -> None:
    assert comparison("mug navy", "mug blue").colours == 1
    assert comparison("mug navy", "mug red").colours == -1


def test_an_unknown_price_is_neither_near_nor_far() -> None:
    known = read(Offer("mug", Decimal(10)))
    assert compare(known, read(Offer("mug"))).price_gap == UNKNOWN_PRICE_GAP
    assert compare(known, read(Offer("mug", Decimal(10)))).price_gap == 0
