import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.watching.trends import (
    LISTINGS_PER_PRODUCT,
    MEDIAN_MATCH,
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
        (MEDIAN_MATCH, 0.41, [0.8, 0.8, 0.8], True),
        (MEDIAN_MATCH, 0.39, [0.8, 0.8, 0.8], False),
        (MEDIAN_MATCH, 1.0, [0.3, 0.3, 0.3], True),  # better is no reason to warn
        (MEDIAN_MATCH, 0.01, [0.05, 0.05, 0.05], True),  # always was a category of strange titles
    ],
)
def test_figures_are_compared_with_the_median(
    rule: HistoryRule, figure: float, earlier: list[float], is_usual: bool
) -> None:
    comparison = compare(rule, figure, earlier)
    assert comparison.is_usual is is_usual
    assert rule.what in comparison.sentence


def test_a_match_is_called_low_and_not_few() -> None:
    assert "unusually low" in compare(MEDIAN_MATCH, 0.1, [0.8, 0.8, 0.8]).sentence


@given(st.floats(0, 1e9), st.lists(st.floats(0, 1e9), max_size=12))
def test_a_figure_equal_to_the_median_is_always_usual(figure: float, earlier: list[float]) -> None:
    comparison = compare(PRODUCTS, figure, earlier)
    if comparison.median is not None:
        assert compare(PRODUCTS, comparison.median, earlier).is_usual
