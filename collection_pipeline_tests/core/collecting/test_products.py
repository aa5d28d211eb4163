from decimal import Decimal

import pytest

from collection_pipeline.core.collecting.products import BestSellerPage, Product, ranked, require_plausible
from collection_pipeline.core.errors import Implausible
from collection_pipeline.core.money import Money


def product(asin: str, position: int, price: str | None = "10.00") -> Product:
    money = Money(Decimal(price), "USD") if price else None
    return Product(asin.ljust(10, "0"), position, f"Product {asin}", money, None, None, "https://example.com")


def page(number: int, *products: Product) -> BestSellerPage:
    return BestSellerPage(products, page=number, pages=2, url="https://example.com")


def positions(*pages: BestSellerPage) -> list[tuple[str, int]]:
    return [(one.asin.rstrip("0"), one.position) for one in ranked(pages)]


def test_positions_are_kept_as_given_gaps_included() -> None:
    assert positions(page(1, product("A", 1), product("B", 4)), page(2, product("C", 51))) == [
        ("A", 1),
        ("B", 4),
        ("C", 51),
    ]


def test_a_second_page_that_starts_again_at_1_follows_the_first() -> None:
    assert positions(page(1, product("A", 1), product("B", 50)), page(2, product("C", 1), product("D", 2))) == [
        ("A", 1),
        ("B", 50),
        ("C", 51),
        ("D", 52),
    ]


def test_of_a_repeated_asin_the_best_position_stays_with_whichever_price_was_seen() -> None:
    [only] = ranked([page(1, product("A", 3, price=None)), page(2, product("A", 51, price="9.99"))])
    assert (only.position, only.price) == (3, Money(Decimal("9.99"), "USD"))


@pytest.mark.parametrize(("new", "known", "is_believed"), [(25, 50, True), (24, 50, False), (1, 0, True), (1, 2, True)])
def test_a_list_that_shrank_by_more_than_half_is_not_believed(new: int, known: int, is_believed: bool) -> None:
    products = [product(f"A{number}", number) for number in range(new)]
    if is_believed:
        require_plausible(products, known=known, category="books")
    else:
        with pytest.raises(Implausible, match="only 24 products came back where 50 are known"):
            require_plausible(products, known=known, category="books")
