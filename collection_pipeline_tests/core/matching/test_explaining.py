from decimal import Decimal

from collection_pipeline.core.matching.explaining import explain
from collection_pipeline.core.matching.reading import Offer, read


def said(one: str, other: str, one_price: str | None = None, other_price: str | None = None) -> str:
    prices = [None if price is None else Decimal(price) for price in (one_price, other_price)]
    return "; ".join(explain(read(Offer(one, prices[0])), read(Offer(other, prices[1]))))


def test_a_shared_model_and_another_pack_are_named() -> None:
    words = said("Krups KF8 Coffee Filter", "Krups KF8 Coffee Filter 2 Pack").lower()
    assert "kf8" in words
    assert "pack" in words


def test_prices_that_are_far_apart_are_named_and_missing_ones_are_not() -> None:
    assert said("A lamp", "A lamp", "10", "90") != said("A lamp", "A lamp", "10", "11")
    assert "None" not in said("A lamp", "A lamp", None, "90")
