from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import LARGEST, BandRule, Money, parse_amount


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        (0, None),
        ("", None),
        (None, None),
        ("0.00", None),
        (-5, None),
        (True, None),
        ("free", None),
        ([1], None),
        (float("nan"), None),
        (float("inf"), None),
        (10**12, None),
        (150, Decimal("150.00")),  # whole dollars, not cents
        ("150", Decimal("150.00")),
        (19.99, Decimal("19.99")),
        ("19.99", Decimal("19.99")),
        ("$19.99", Decimal("19.99")),
        ("$1,299.00", Decimal("1299.00")),
        ("1,299", Decimal("1299.00")),
        ("$10.00 to $20.00", Decimal("10.00")),
        ("$10.00 - $20.00", Decimal("10.00")),
        ("US $5.25", Decimal("5.25")),
        (Decimal("19.989999"), Decimal("19.99")),
        (Decimal("0.001"), None),
    ],
)
def test_an_amount_is_read_exactly_or_not_at_all(seen: object, meant: Decimal | None) -> None:
    assert parse_amount(seen) == meant


@given(st.one_of(st.text(), st.floats(), st.integers(), st.decimals(), st.none(), st.booleans()))
def test_whatever_a_vendor_sends_becomes_a_positive_amount_in_cents_or_none(value: object) -> None:
    amount = parse_amount(value)
    assert amount is None or (0 < amount <= LARGEST and amount == amount.quantize(Decimal("0.01")))


def test_the_default_band_is_1_8_to_2_2_times_the_price() -> None:
    band = BandRule().band(Money(Decimal("100.00"), "USD"))
    assert (band.low, band.high, band.currency) == (Decimal("180.00"), Decimal("220.00"), "USD")


def test_a_bands_edges_are_included_and_rounded_inwards() -> None:
    band = BandRule().band(Money(Decimal("33.33"), "USD"))  # 59.994 to 73.326
    assert (band.low, band.high) == (Decimal("60.00"), Decimal("73.32"))
    assert Money(Decimal("60.00"), "USD") in band
    assert Money(Decimal("73.32"), "USD") in band
    assert Money(Decimal("59.99"), "USD") not in band
    assert Money(Decimal("73.33"), "USD") not in band
    assert Money(Decimal("65.00"), "CAD") not in band


@given(
    price=st.decimals(min_value="0.01", max_value=LARGEST, places=2),
    low=st.integers(-99, 300),
    width=st.integers(0, 300),
    cents=st.integers(-3, 3),
)
def test_every_price_in_a_band_obeys_the_exact_rule_and_no_other_does(
    price: Decimal, low: int, width: int, cents: int
) -> None:
    rule = BandRule(Decimal(low), Decimal(low + width))
    band = rule.band(Money(price, "USD"))
    for edge in (band.low, band.high):
        candidate = edge + cents * Decimal("0.01")
        exact = price * (100 + low) <= candidate * 100 <= price * (100 + low + width)
        assert (Money(candidate, "USD") in band) == exact


@pytest.mark.parametrize(("low", "high", "said"), [(120, 80, "upside down"), (-100, 20, "leaves no price")])
def test_an_impossible_band_is_refused_in_words(low: int, high: int, said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        BandRule(Decimal(low), Decimal(high))
