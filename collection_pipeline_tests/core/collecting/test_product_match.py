"""Each listing gets its match with the product it was found for, whatever it costs."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.product_match import ProductMatcher, matched
from collection_pipeline.core.money import Money
from collection_pipeline_tests.tables.examples import listing

PRODUCT = "Braun Coffee Maker KF8 12 Cup, Black"
SAME = replace(listing("1", "anna"), title="Braun KF8 Coffee Maker 12 Cup Black NEW")
TWO = replace(SAME, title="Braun KF8 Coffee Maker 12 Cup Black, Pack of 2")
LID = replace(SAME, title="Replacement Lid for Braun KF8 Coffee Maker")


def test_the_same_product_is_told_from_a_pack_of_two_and_from_a_part() -> None:
    same, two, lid = matched(PRODUCT, [SAME, TWO, LID])
    assert same.match is not None
    assert two.match is not None
    assert lid.match is not None
    assert same.match.probability > Decimal("0.5") > two.match.probability
    assert lid.match.probability < Decimal("0.5")
    assert "same model KF8" in same.match.reasons
    assert "pack of 2 against 1" in two.match.reasons.split("; ")


def test_nothing_but_the_match_is_changed_of_a_listing() -> None:
    assert [replace(one, match=None) for one in matched(PRODUCT, [SAME, TWO, LID])] == [SAME, TWO, LID]
    assert matched(PRODUCT, []) == []


def test_a_price_inside_the_band_says_nothing_about_the_product() -> None:
    cheap, dear = (replace(SAME, price=Money(Decimal(price), "USD")) for price in ("180.00", "220.00"))
    assert len({one.match for one in matched(PRODUCT, [cheap, dear])}) == 1


@given(product=st.text(max_size=120), title=st.text(max_size=120))
def test_whatever_titles_say_a_match_is_a_thousandth_from_0_to_1_with_a_reason(product: str, title: str) -> None:
    match = ProductMatcher(product)(title)
    assert 0 <= match.probability <= 1
    assert match.probability.as_tuple().exponent == -3
    assert match.reasons
    assert ProductMatcher(product)(title) == match
