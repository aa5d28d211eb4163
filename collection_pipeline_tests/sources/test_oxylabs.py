import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.products import ASIN, BestSellerPage, ranked
from collection_pipeline.core.collecting.usage import Call
from collection_pipeline.core.errors import EmptyPage, Malformed, SourceError, UnknownNode
from collection_pipeline.core.money import Money
from collection_pipeline.simulator.server import RunningSimulator
from collection_pipeline.sources.oxylabs.best_sellers import best_seller_page
from collection_pipeline.sources.oxylabs.jobs import OxylabsAccount
from collection_pipeline_tests.conftest import WIRE
from collection_pipeline_tests.sources.asking import NODE, Ledger, best_sellers


def reply(*rows: dict[str, Any], **content: Any) -> dict[str, Any]:
    """A reply as Realtime gives it, with these rows."""
    inside = {"query": NODE, "page": 1, "pages": 2, "url": "https://www.amazon.com/x", "parse_status_code": 12000}
    result = {"content": {**inside, "results": list(rows), **content}, "status_code": 200, "type": "parsed", "page": 1}
    return {"results": [result], "job": {"status": "done"}}


ROW = {"pos": 1, "asin": "B082R2TMRV", "title": "Case", "price": 0, "price_str": "", "currency": "USD", "rating": 4.6}


def read(body: dict[str, Any], page: int = 1) -> BestSellerPage:
    return best_seller_page(body, NODE, page, "Best sellers", "https://realtime.example/v1/queries")


def test_two_pages_are_the_nodes_list(simulator: RunningSimulator) -> None:
    ledger = Ledger()
    pages = [best_sellers(simulator, page=number, ledger=ledger) for number in (1, 2)]
    assert pages[0].pages == 2
    [category] = simulator.truth(NODE)["categories"]
    expected = [(row["position"], row["asin"], row["price"]) for row in category["products"]]
    found = [(one.position, one.asin, f"{one.price.amount}" if one.price else None) for one in ranked(pages)]
    assert found == expected
    assert ledger.calls == {Call("oxylabs", "best_sellers"): 2}
    assert all(one.url == f"https://www.amazon.com/dp/{one.asin}" for page in pages for one in page.products)


@pytest.mark.parametrize("pages", [None, 0, "", "many", -1])
def test_a_page_that_does_not_say_how_many_there_are_is_malformed(pages: object) -> None:
    with pytest.raises(Malformed, match="how many pages"):
        read(reply(ROW, pages=pages))
    assert read(reply(ROW, pages="2")).pages == 2


def test_an_unknown_node_is_an_error_of_its_own_kind(simulator: RunningSimulator) -> None:
    with pytest.raises(UnknownNode, match=r"99900001.*catalogue check"):
        best_sellers(simulator, node="99900001")


def test_an_empty_later_page_is_an_error_of_its_own_kind() -> None:
    with pytest.raises(EmptyPage, match="2 pages were promised"):
        read(reply(page=2), page=2)


@pytest.mark.parametrize(
    ("row", "price", "rating", "count"),
    [
        ({"price": 0, "price_str": "", "rating": 0, "ratings_count": 0}, None, None, None),
        ({"price": None, "rating": None, "ratings_count": None}, None, None, None),
        ({"price": "", "rating": "", "ratings_count": ""}, None, None, None),
        ({"price": Decimal("19.99"), "rating": Decimal("4.6"), "ratings_count": 12}, "19.99", "4.6", 12),
        ({"price": "19.99", "rating": 5, "ratings_count": 1}, "19.99", "5.0", 1),
        ({"price": 150}, "150.00", "4.6", None),
        ({"price": 0, "price_str": "$1,299.00"}, "1299.00", "4.6", None),
        ({"rating": Decimal("5.1"), "ratings_count": -1}, None, None, None),
    ],
)
def test_what_was_not_seen_is_none_and_never_zero(
    row: dict[str, Any], price: str | None, rating: str | None, count: int | None
) -> None:
    [product] = read(reply({**ROW, "rating": Decimal("4.6"), **row})).products
    assert product.price == (Money(Decimal(price), "USD") if price else None)
    assert product.rating == (Decimal(rating) if rating else None)
    assert product.ratings_count == count


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**ROW, "asin": "b082r2tmrv"}, "no ASIN"),
        ({**ROW, "asin": None}, "no ASIN"),
        ({**ROW, "title": " "}, "has no title"),
        ({**ROW, "pos": 0}, "has no position"),
        ({**ROW, "pos": "1"}, "has no position"),
    ],
)
def test_a_row_that_is_no_product_is_left_out_with_a_reason(row: dict[str, Any], reason: str) -> None:
    good = {**ROW, "asin": "B000000002"}
    page = read(reply(row, good))
    assert [product.asin for product in page.products] == ["B000000002"]
    assert page.bad_rows[0].endswith(reason)
    with pytest.raises(Malformed, match=reason):
        read(reply(row))


def test_the_vendors_own_sample_is_read() -> None:
    sample = WIRE / "oxylabs_amazon_bestsellers_sample.json"
    if not sample.exists():
        pytest.skip("the vendors' samples are not here")
    body = json.loads(sample.read_text(), parse_float=Decimal)
    page = best_seller_page(body, "2407760011", 1, "Sample", "https://realtime.example")
    assert (len(page.products), page.pages, page.bad_rows) == (38, 2, ())
    assert {product.price for product in page.products} == {None}
    assert {product.ratings_count for product in page.products} == {None}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys((*ROW, "ratings_count"), JSON) | {"asin": st.just("B082R2TMRV") | JSON}
)


@given(
    st.dictionaries(st.text(), JSON, max_size=4)
    | st.builds(lambda rows, more: reply(*rows, **more), st.lists(FIELDS, max_size=3), st.just({}))
    | st.builds(lambda inside: {"results": [inside], "job": {"status": "done"}}, st.dictionaries(st.text(), JSON))
    | st.builds(lambda content: reply(ROW, **content), st.fixed_dictionaries({}, optional={"pages": JSON, "url": JSON}))
)
def test_any_json_is_valid_products_or_a_classified_error(body: dict[str, Any]) -> None:
    try:
        page = read(body)
    except SourceError:
        return
    for product in page.products:
        assert ASIN.fullmatch(product.asin)
        assert product.asin in str(body)
        assert product.title.strip()
        assert product.price is None or product.price.amount > 0


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in repr(OxylabsAccount("https://x.example", "user", "hunter2"))
