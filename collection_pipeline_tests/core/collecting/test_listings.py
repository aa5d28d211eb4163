from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.listings import (
    QUERY_CHARS,
    Listing,
    ListingQuery,
    ListingRule,
    SellerFacts,
    broken_rule,
    distinct,
    query_text,
)
from collection_pipeline.core.money import BandRule, Money

QUERY = ListingQuery("coffee machine", BandRule().band(Money(Decimal(100), "USD")))
GOOD = Listing(
    listing_id="1",
    title="Coffee Machine",
    url="https://example.com/itm/1",
    price=Money(Decimal("200.00"), "USD"),
    condition_id="1000",
    is_fixed_price=True,
    is_delivery_free=True,
    country="US",
    seller=SellerFacts("deal_hunter", 10, Decimal("99.4")),
)


def test_a_listing_that_obeys_every_rule_is_evidence() -> None:
    assert broken_rule(GOOD, QUERY) is None


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (replace(GOOD, seller=None), "no_seller"),
        (replace(GOOD, seller=SellerFacts(" \u200b ", None, None)), "no_seller"),
        (replace(GOOD, price=None), "no_price"),
        (replace(GOOD, price=Money(Decimal("179.99"), "USD")), "price_band"),
        (replace(GOOD, price=Money(Decimal("220.01"), "USD")), "price_band"),
        (replace(GOOD, price=Money(Decimal("200.00"), "CAD")), "price_band"),
        (replace(GOOD, condition_id="3000"), "condition"),
        (replace(GOOD, condition_id=None), "condition"),
        (replace(GOOD, is_fixed_price=False), "buying_option"),
        (replace(GOOD, is_delivery_free=False), "delivery"),
        (replace(GOOD, is_delivery_free=None), "delivery"),
        (replace(GOOD, country="GB"), "location"),
        (replace(GOOD, country=None), "location"),
    ],
)
def test_what_an_item_does_not_say_it_does_not_obey(wrong: Listing, rule: ListingRule) -> None:
    assert broken_rule(wrong, QUERY) == rule


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Acme K-Cup Maker (2-Pack), Black", "Acme K-Cup Maker 2-Pack Black"),
        ('27" Monitor *NEW* [Sealed]', "27 Monitor NEW Sealed"),
        ("Salt & Pepper - Set – 5 pcs", "Salt Pepper Set 5 pcs"),
        ("-exclude me", "exclude me"),
        ("Levi's Men's 'Original' Fit", "Levi's Men's Original Fit"),
        ("Coffee ☕ Machine 🎁", "Coffee Machine"),
        ("<b>Bold</b> Mixer", "b Bold /b Mixer"),
        ("コーヒー メーカー", "コーヒー メーカー"),
        ("(*) – ☕", ""),
        ("", ""),
    ],
)
def test_a_title_becomes_a_query_without_operators(title: str, query: str) -> None:
    assert query_text(title) == query


@given(st.text(max_size=300))
def test_no_query_is_too_long_or_has_an_operator(title: str) -> None:
    query = query_text(title)
    assert len(query) <= QUERY_CHARS
    assert not set(query) & set('()[]{},*"|')
    assert not any(word.startswith("-") for word in query.split())


def test_a_long_title_is_cut_between_words() -> None:
    title = "word " * 40
    assert query_text(title) == " ".join(["word"] * 20)


def test_overlapping_pages_give_each_listing_once() -> None:
    assert distinct([GOOD, replace(GOOD, listing_id="2"), replace(GOOD, title="again")]) == [
        GOOD,
        replace(GOOD, listing_id="2"),
    ]
