from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.tariff import (
    BROWSE,
    CategoryCalls,
    Price,
    Tariff,
    read_budget,
    read_price,
)
from collection_pipeline.core.collecting.usage import Call
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import Money

PAGES = Call("oxylabs", "search_page")
RESULT = Price(Decimal("0.0028"), "USD")
TARIFF = Tariff(prices={"oxylabs": RESULT, "ebay": Price(Decimal("0.001"), "USD")})
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


def test_a_budget_is_calls_or_money_in_whole_cents() -> None:
    assert (read_budget(" 4000 "), read_budget("25 USD")) == (4000, Money(Decimal(25), "USD"))
    for text in ("0", "-1", "1.5", "0.005 USD", "a lot", ""):
        with pytest.raises(PipelineError, match="an amount such as 25 USD"):
            read_budget(text)


def test_searches_of_result_pages_are_for_who_delivers_them() -> None:
    calls = CategoryCalls(best_sellers=2, searches=10)
    assert BROWSE.by_source(calls) == {"oxylabs": 2, "ebay": 10}
    assert Tariff(PAGES).by_source(calls) == {"oxylabs": 12}
    assert BROWSE.units(calls) == Tariff(PAGES).units(calls) == 12


def test_money_is_rounded_up_to_a_cent_and_unknown_where_there_is_no_price() -> None:
    assert TARIFF.money(CategoryCalls(24, 1)) == Money(Decimal("0.07"), "USD")
    assert Tariff(prices={"ebay": RESULT}).money(CategoryCalls(0, 10)) == Money(Decimal("0.03"), "USD")
    assert BROWSE.money(CategoryCalls(24, 1)) is None


@given(amounts, amounts, st.decimals(Decimal("0.01"), Decimal(1_000), places=2), st.integers(0, 200))
def test_a_budget_in_money_is_never_exceeded(listed: Decimal, search: Decimal, budget: Decimal, lists: int) -> None:
    tariff = Tariff(prices={"oxylabs": Price(listed, "USD"), "ebay": Price(search, "USD")})
    try:
        searches = tariff.searches_within(Money(budget, "USD"), lists=lists)
    except PipelineError:
        assert lists * listed + search > budget
        return
    assert searches >= 1
    assert lists * listed + searches * search <= budget < lists * listed + (searches + 1) * search


def test_a_budget_without_a_price_says_which_setting_to_set() -> None:
    five = Money(Decimal(5), "USD")
    with pytest.raises(PipelineError, match="COLLECTION_EBAY_PRICE"):
        Tariff(prices={"oxylabs": RESULT}).searches_within(five, lists=0)
    with pytest.raises(PipelineError, match="COLLECTION_OXYLABS_PRICE"):
        Tariff(prices={"ebay": RESULT}).searches_within(five, lists=2)
    assert Tariff(PAGES, {"oxylabs": RESULT}).searches_within(five, lists=2) == 1783
    with pytest.raises(PipelineError, match="in EUR"):
        TARIFF.searches_within(Money(Decimal(5), "EUR"), lists=0)
