import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.watching.trends import (
    LISTINGS_PER_PRODUCT,
    NEW_SELLERS,
    PRODUCTS,
    SHARE_WITHOUT_PRICE,
    HistoryRule,
    compare,
)


@pytest.mark.parametrize(
    ("rule", "figure", "earlier", "is_usual"),
    [
        (PRODUCTS, 100, [100, 100, 100], True),
        (PRODUCTS, 49, [100, 100, 100], False),
        (PRODUCTS, 50, [100, 100, 100], True),
        (PRODUCTS, 201, [100, 100, 100], False),
        (PRODUCTS, 0, [8, 8, 8], True),  # within the slack
        (PRODUCTS, 1, [100, 100], True),  # too early to say
        (SHARE_WITHOUT_PRICE, 0.0, [0.2, 0.2, 0.2], True),
        (SHARE_WITHOUT_PRICE, 0.09, [0.0, 0.0, 0.0], True),
        (SHARE_WITHOUT_PRICE, 0.5, [0.2, 0.2, 0.2], False),
        (LISTINGS_PER_PRODUCT, 31, [10, 10, 10], False),
        (LISTINGS_PER_PRODUCT, 3, [10, 10, 10], False),
        (LISTINGS_PER_PRODUCT, 8, [10, 10, 10], True),
        (NEW_SELLERS, 0, [40, 40, 40], True),  # the more is known, the fewer are new
        (NEW_SELLERS, 301, [40, 60, 50], False),
    ],
)
def test_figures_are_compared_with_the_median(
    rule: HistoryRule, figure: float, earlier: list[float], is_usual: bool
) -> None:
    comparison = compare(rule, figure, earlier)
    assert comparison.is_usual is is_usual
    assert rule.what in comparison.sentence


@given(st.floats(0, 1e9), st.lists(st.floats(0, 1e9), max_size=12))
def test_a_figure_equal_to_the_median_is_always_usual(figure: float, earlier: list[float]) -> None:
    comparison = compare(PRODUCTS, figure, earlier)
    if comparison.median is not None:
        assert compare(PRODUCTS, comparison.median, earlier).is_usual
