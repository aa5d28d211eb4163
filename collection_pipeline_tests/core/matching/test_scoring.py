"""What every score promises, whatever the titles."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.matching import Matcher, Offer, score
from collection_pipeline.core.matching.comparing import Comparison
from collection_pipeline.core.matching.contradictions import LOG_ODDS, contradictions
from collection_pipeline.core.matching.rarity import rarity
from collection_pipeline.core.matching.reading import read
from collection_pipeline.core.matching.trees import read_model

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


@given(st.text(max_size=20))
def test_rarity_is_a_share(word: str) -> None:
    assert 0 <= rarity(word) <= 1


def test_a_word_of_many_titles_is_less_rare_than_a_model_number() -> None:
    assert rarity("black") < rarity("panasonic") < rarity("wh1000xm5")


def test_a_tree_goes_one_way_up_to_its_limit_and_the_other_above_it() -> None:
    model = read_model('{"constant": 0.5, "trees": [["price_gap", 0.4, 1, ["overlap", 0.5, 2, 3]], 0.25]}')
    none = dict.fromkeys(Comparison._fields, 0.0)
    by_price = [
        model.log_odds(Comparison(**{**none, "price_gap": gap, "overlap": overlap}))  # type: ignore[arg-type]
        for gap, overlap in ((0.4, 1.0), (0.5, 0.5), (0.5, 0.6))
    ]
    assert all(math.isclose(a, b) for a, b in zip(by_price, (1.75, 2.75, 3.75), strict=True))


def test_a_tree_about_an_unknown_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="moon"):
        read_model('{"constant": 0, "trees": [["moon", 1, 2, 3]]}')
