from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.planning.candidates import Candidate, Past
from collection_pipeline.core.collecting.planning.plan import SHARE_OF_EXPLORATION, plan
from collection_pipeline_tests.core.collecting.planning.made_up import candidate, past

PASTS = st.one_of(
    st.none(),
    st.builds(
        past,
        searches=st.integers(1, 12),
        last_days_ago=st.floats(0, 400),
        found=st.floats(0, 200),
        arrived=st.integers(0, 300),
        empty=st.integers(0, 6),
    ).map(lambda each: replace(each, calls=1 + int(each.found) % 3)),
)
PRODUCTS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.integers(1, 100), PASTS, st.integers(0, 30)), max_size=40
).map(
    lambda rows: [
        candidate(f"B{number}", category, rank, past=each, query=f"title {title}")
        for number, (category, rank, each, title) in enumerate(rows)
    ]
)
BUDGETS = st.integers(0, 60)


def _order(*candidates: Candidate, budget: int | None = None) -> list[str]:
    return [choice.candidate.asin for choice in plan(candidates, budget=budget).choices]


@given(PRODUCTS, BUDGETS)
def test_never_over_budget(products: list[Candidate], budget: int) -> None:
    assert plan(products, budget=budget).calls <= budget


@given(PRODUCTS, BUDGETS)
def test_no_category_is_starved_that_has_something_to_search(products: list[Candidate], budget: int) -> None:
    due = plan(products).choices
    best: dict[str, int] = {}
    for choice in due:
        best.setdefault(choice.candidate.category, choice.candidate.calls)
    if budget >= sum(best.values()):
        searched = {choice.candidate.category for choice in plan(products, budget=budget).choices}
        assert searched == best.keys()


@given(PRODUCTS, st.one_of(st.none(), BUDGETS), st.randoms(use_true_random=False))
def test_the_same_past_gives_the_same_plan(
    products: list[Candidate], budget: int | None, chance: random.Random
) -> None:
    shuffled = chance.sample(products, len(products))
    assert plan(shuffled, budget=budget) == plan(products, budget=budget)


@given(PRODUCTS, BUDGETS)
def test_every_product_is_searched_or_left_out_for_a_reason(products: list[Candidate], budget: int) -> None:
    made = plan(products, budget=budget)
    chosen = [choice.candidate.asin for choice in made.choices]
    assert sorted([*chosen, *made.left_out]) == sorted(each.asin for each in products)


@given(PRODUCTS, BUDGETS)
def test_a_budget_is_used_up_while_there_is_something_that_fits(products: list[Candidate], budget: int) -> None:
    made = plan(products, budget=budget)
    left = budget - made.calls
    over = {asin for asin, reason in made.left_out.items() if reason == "over_budget"}
    assert all(each.calls > left for each in products if each.asin in over)


def test_without_a_past_the_best_of_every_category_come_first() -> None:
    products = [candidate(f"{category}{rank}", category, rank) for category in "abc" for rank in (1, 2, 3)]
    assert _order(*products) == ["a1", "b1", "c1", "a2", "b2", "c2", "a3", "b3", "c3"]
    assert _order(*products, budget=4) == ["a1", "b1", "c1", "a2"]


def test_what_promises_most_per_call_comes_first() -> None:
    lively, quiet = past(arrived=30), past(arrived=0)
    products = [
        candidate("quiet", rank=1, past=quiet),
        candidate("lively", rank=9, past=lively),
        candidate("dear", rank=5, past=replace(lively, calls=5)),
    ]
    assert _order(*products)[0] == "lively"
    assert _order(*products, budget=1) == ["lively"]


def test_a_quiet_category_gets_its_part_of_a_budget_beside_lively_ones() -> None:
    lively = [candidate(f"L{n}", "lively", n, past(arrived=200, found=200)) for n in range(1, 41)]
    quiet = [candidate(f"Q{n}", "quiet", n, past(found=1)) for n in range(1, 41)]
    chosen = Counter(asin[0] for asin in _order(*lively, *quiet, budget=24))
    assert chosen == {"Q": 3, "L": 21}
    assert set(_order(*lively, *quiet, budget=2)) == {"L1", "Q1"}


def test_a_fair_share_explores_what_was_never_searched() -> None:
    lively = replace(past(arrived=200, found=200), first_new=0.0)
    known = [candidate(f"K{n}", past=lively, rank=n) for n in range(1, 101)]
    new = [candidate(f"N{n}", rank=n) for n in range(101, 201)]
    chosen = Counter(asin[0] for asin in _order(*known, *new, budget=50))
    assert chosen == {"N": SHARE_OF_EXPLORATION * 50, "K": 50 - SHARE_OF_EXPLORATION * 50}


def test_a_product_of_several_categories_is_planned_where_it_stands_highest() -> None:
    made = plan([candidate("A", "mugs", 7), candidate("A", "lamps", 2), candidate("B", "mugs", 1)])
    assert [(each.candidate.asin, each.candidate.category) for each in made.choices] == [("B", "mugs"), ("A", "lamps")]


def test_a_plan_says_what_it_comes_to() -> None:
    resting: Past = past(empty=3, last_days_ago=1)
    made = plan([candidate("A"), candidate("B", rank=2), candidate("C", past=resting)], budget=1)
    assert made.reasons == {"over_budget": 1, "resting": 1}
    assert str(made).startswith("1 searches with 1 calls, expecting ")
    assert str(made).endswith("left out: 1 over budget, 1 resting")
    assert plan([]).expected.mean == 0
