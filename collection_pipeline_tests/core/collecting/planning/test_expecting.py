from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.planning.candidates import Candidate
from collection_pipeline.core.collecting.planning.expecting import ASSUMED, learn
from collection_pipeline_tests.core.collecting.planning.made_up import candidate, past


def _expected(one: Candidate, *others: Candidate) -> float:
    return learn([one, *others]).of(one).mean


def test_without_any_past_all_products_promise_the_same() -> None:
    high, low = candidate("A", "mugs", 1), candidate("B", "lamps", 90)
    assert _expected(high, low) == _expected(low, high) == ASSUMED.first


def test_a_product_whose_sellers_change_promises_more_than_one_whose_sellers_stay() -> None:
    assert _expected(candidate("A", past=past(arrived=20))) > 2 * _expected(candidate("A", past=past(arrived=0)))


def test_the_longer_a_product_rests_the_more_it_promises() -> None:
    rests = [_expected(candidate("A", past=past(last_days_ago=days, arrived=5))) for days in (0, 7, 30, 300)]
    assert rests == sorted(rests)
    assert rests[0] < 1


def test_a_product_never_searched_is_taken_to_be_like_its_category() -> None:
    rich = [candidate(f"R{n}", "rich", past=past(searches=1, found=40)) for n in range(20)]
    poor = [candidate(f"P{n}", "poor", past=past(searches=1, found=1)) for n in range(20)]
    new = candidate("N", "rich"), candidate("N", "poor")
    rates = learn([*rich, *poor])
    assert rates.of(new[0]).mean > 4 * rates.of(new[1]).mean


def test_ranks_that_brought_more_promise_more() -> None:
    top = [candidate(f"T{n}", rank=5, past=past(searches=1, found=30)) for n in range(20)]
    rest = [candidate(f"R{n}", rank=50, past=past(searches=1, found=3)) for n in range(20)]
    rates = learn([*top, *rest])
    assert rates.of(candidate("N", rank=6)).mean > 2 * rates.of(candidate("N", rank=60)).mean


def test_where_new_arrivals_are_known_already_little_is_expected() -> None:
    several = [candidate(f"A{n}", past=past(arrived=20)) for n in range(10)]
    known = [replace(each, past=replace(past(arrived=20), later_new=0.0)) for each in several]
    assert learn(known).of(known[0]).mean < 0.5 * learn(several).of(several[0]).mean


@given(
    st.lists(
        st.builds(
            past,
            searches=st.integers(1, 50),
            last_days_ago=st.floats(0, 4000),
            found=st.floats(0, 10_000),
            arrived=st.integers(0, 100_000),
        ),
        max_size=8,
    )
)
def test_whatever_the_past_expectations_are_numbers_of_sellers(pasts: list[object]) -> None:
    candidates = [candidate(f"A{n}", past=each) for n, each in enumerate(pasts)] + [candidate("N")]  # type: ignore[arg-type]
    rates = learn(candidates)
    for each in candidates:
        expected = rates.of(each)
        assert 0 <= expected.low <= expected.mean <= expected.high < 1e9
