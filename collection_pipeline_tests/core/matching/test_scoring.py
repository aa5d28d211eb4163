"""What every score promises, whatever the titles."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.matching import Matcher, Offer, score
from collection_pipeline.core.matching.contradictions import LOG_ODDS, contradictions
from collection_pipeline.core.matching.reading import read

PIECES = """
    for with compatible 2 2x x3 pack of lot 12 count 10.25 inch 17-inch 1tb 6" dgs-1008p KF8 12345678 sony k-mini - .
    case black navy only fits replacement bundle 7-in-1 ½ ² ٣ coffee café
"""
TITLES = st.text(max_size=400) | st.lists(st.sampled_from(PIECES.split()), max_size=30).map(" ".join)
PRICES = (
    st.none() | st.decimals(allow_nan=True, allow_infinity=True) | st.decimals(min_value=0, max_value=1000, places=2)
)
OFFERS = st.builds(Offer, TITLES, PRICES)


@given(OFFERS, OFFERS)
def test_any_two_offers_have_a_match_from_0_to_1_and_a_reason_list(product: Offer, listing: Offer) -> None:
    found = score(product, listing)
    assert 0 <= found.probability <= 1
    assert all(reason and isinstance(reason, str) for reason in found.reasons)


@given(OFFERS, OFFERS)
def test_the_match_is_the_same_whichever_offer_is_the_product(one: Offer, other: Offer) -> None:
    assert score(one, other).probability == score(other, one).probability


@given(OFFERS, st.lists(OFFERS, max_size=4))
def test_a_prepared_product_scores_as_a_new_one_in_any_order(product: Offer, listings: list[Offer]) -> None:
    matcher = Matcher(product)
    backwards = [matcher.score(listing) for listing in reversed(listings)][::-1]
    assert backwards == [score(product, listing) for listing in listings]


@given(OFFERS, OFFERS)
def test_contradictions_only_ever_lower_a_match(one: Offer, other: Offer) -> None:
    assert all(LOG_ODDS[found] < 0 for found in contradictions(read(one), read(other)))


@given(TITLES, PRICES.filter(lambda price: price is None or not price.is_finite() or price <= 0))
def test_a_price_that_is_none_counts_as_unknown(title: str, price: Decimal | None) -> None:
    listing = Offer("Sony WH-1000XM5", Decimal(300))
    assert score(Offer(title, price), listing).probability == score(Offer(title), listing).probability


@pytest.mark.parametrize("title", ["", "   ", "--- !!!", "the new of"])
def test_a_title_that_says_nothing_never_matches(title: str) -> None:
    found = score(Offer(title), Offer(title))
    assert (found.probability, found.reasons) == (0, ("a title says nothing",))
