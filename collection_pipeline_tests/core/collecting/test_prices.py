from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.prices import FREE, Price, Prices, read_price
from collection_pipeline.core.errors import PipelineError

RESULT = Price(Decimal("0.0028"), "USD")
PRICES = Prices({"oxylabs": RESULT, "ebay": Price(Decimal("0.001"), "USD")})
amounts = st.decimals(Decimal("0.0001"), Decimal(10), places=4)


@pytest.mark.parametrize("text", ["0.0028 USD", "5USD", " 25 EUR "])
def test_an_amount_with_its_currency_is_read(text: str) -> None:
    price = read_price(text)
    assert price is not None
    assert price.currency in ("USD", "EUR")


@pytest.mark.parametrize(
    "text", ["", "5", "USD", "5 usd", "-1 USD", "1e3 USD", "NaN USD", "5 USD and more", "1,000 USD"]
)
def test_anything_else_is_no_amount(text: str) -> None:
    assert read_price(text) is None


def test_costs_are_rounded_up_to_a_cent_and_unknown_where_there_is_no_price() -> None:
    assert PRICES.cost({"oxylabs": 24, "ebay": 1}) == Price(Decimal("0.07"), "USD")
    assert Prices({"oxylabs": RESULT}).cost({"ebay": 1_000}) is None
    assert FREE.cost({"oxylabs": 1}) is None


@given(amounts, amounts, st.decimals(Decimal("0.01"), Decimal(1_000), places=2), st.integers(0, 200))
def test_a_budget_in_money_is_never_exceeded(listed: Decimal, search: Decimal, budget: Decimal, lists: int) -> None:
    prices = Prices({"oxylabs": Price(listed, "USD"), "ebay": Price(search, "USD")})
    try:
        searches = prices.searches_within(Price(budget, "USD"), "ebay", lists=lists)
    except PipelineError:
        assert lists * listed + search > budget
        return
    assert searches >= 1
    assert lists * listed + searches * search <= budget < lists * listed + (searches + 1) * search


def test_a_budget_without_a_price_says_which_setting_to_set() -> None:
    with pytest.raises(PipelineError, match="COLLECTION_EBAY_PRICE"):
        Prices({"oxylabs": RESULT}).searches_within(Price(Decimal(5), "USD"), "ebay", lists=0)
    with pytest.raises(PipelineError, match="COLLECTION_OXYLABS_PRICE"):
        Prices({"ebay": RESULT}).searches_within(Price(Decimal(5), "USD"), "ebay", lists=2)
    with pytest.raises(PipelineError, match="in EUR"):
        PRICES.searches_within(Price(Decimal(5), "EUR"), "ebay", lists=0)
