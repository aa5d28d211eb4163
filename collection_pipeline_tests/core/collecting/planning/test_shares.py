from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.planning.plan import plan
from collection_pipeline.core.collecting.planning.shares import PRODUCTS_OF_A_LIST, shares, unknown_lists
from collection_pipeline_tests.core.collecting.planning.made_up import candidate, past

PRODUCTS = [candidate(f"{category}{rank}", category, rank) for category in "ab" for rank in range(1, 6)]


def test_each_category_gets_what_is_planned_for_it() -> None:
    made = plan(PRODUCTS, budget=5)
    first, second = shares("ab", PRODUCTS, made, 5)
    assert (first.budget, first.searches, first.calls, first.left_out) == (3, 3, 3, {"over_budget": 2})
    assert (second.budget, second.searches, second.calls, second.left_out) == (2, 2, 2, {"over_budget": 3})
    assert first.expected.mean + second.expected.mean == pytest.approx(made.expected.mean)


def test_without_a_budget_there_is_no_limit() -> None:
    assert [each.budget for each in shares("ab", PRODUCTS, plan(PRODUCTS), None)] == [None, None]


@given(st.integers(1, 40), st.sampled_from(["a", "ab", "abc"]))
def test_the_shares_add_up_to_the_budget(budget: int, categories: str) -> None:
    products = [each for each in PRODUCTS if each.category in categories]
    made = shares(categories, products, plan(products, budget=budget), budget)
    assert sum(each.budget or 0 for each in made) == budget
    assert all((each.budget or 0) >= each.calls for each in made)


def test_a_category_never_collected_takes_part_with_a_list_of_unknown_products() -> None:
    resting = candidate("A", "a", past=past(empty=3, last_days_ago=1))
    candidates = [resting, *unknown_lists(["new"])]
    a, new = shares(["a", "new"], candidates, plan(candidates), None)
    assert (a.searches, a.left_out) == (0, {"resting": 1})
    assert new.searches == PRODUCTS_OF_A_LIST


def test_ten_thousand_unknown_categories_are_planned_with_fewer_stand_ins_each() -> None:
    names = [f"c{number}" for number in range(10_000)]
    assert sum(1 for _ in unknown_lists(names)) == 100_000
    assert list(unknown_lists([])) == []
