from decimal import Decimal

import pytest

from collection_pipeline.core.matching.comparing import UNKNOWN_PRICE_GAP, Comparison, compare, contradicting_units
from collection_pipeline.core.matching.reading import Offer, read


def compared(one: str, other: str, one_price: str | None = None, other_price: str | None = None) -> Comparison:
    prices = [None if price is None else Decimal(price) for price in (one_price, other_price)]
    return compare(read(Offer(one, prices[0])), read(Offer(other, prices[1])))


def test_the_same_title_covers_itself() -> None:
    same = compared("Keurig K-Classic Coffee Maker", "Keurig K-Classic Coffee Maker")
    assert (same.overlap, same.covered_most, same.covered_least, same.title_ratio) == (1, 1, 1, 1)
    assert (same.names_missing, same.brands, same.models_contradict) == (0, 1, 0)


def test_the_order_of_the_offers_makes_no_difference() -> None:
    one, other = "Sony WH-1000XM4 Headphones Black", "Sony WH-1000XM5 Wireless Headphones"
    assert compared(one, other, "200", "300") == compared(other, one, "300", "200")


def test_other_model_numbers_contradict_and_the_same_are_shared() -> None:
    assert compared("Sony WH1000XM4 headphones", "Sony WH1000XM5 headphones").models_contradict == 1
    assert compared("Sony WH1000XM4 headphones", "Headphones WH1000XM4").models_shared == 1


def test_a_unit_contradicts_only_where_both_have_it_and_differ() -> None:
    small, large, none = (read(Offer(title, None)) for title in ("Olive oil 500 ml", "Olive oil 750 ml", "Olive oil"))
    assert len(contradicting_units(small, large)) == 1
    assert contradicting_units(small, none) == contradicting_units(small, small) == []


@pytest.mark.parametrize(("one", "other"), [(None, "10"), ("10", None), (None, None)])
def test_a_missing_price_is_no_gap_and_no_agreement(one: str | None, other: str | None) -> None:
    assert compared("A thing", "A thing", one, other).price_gap == UNKNOWN_PRICE_GAP


def test_the_same_price_leaves_no_gap() -> None:
    assert compared("A thing", "A thing", "10", "10").price_gap == 0
    assert compared("A thing", "A thing", "10", "40").price_gap > compared("A thing", "A thing", "10", "12").price_gap
