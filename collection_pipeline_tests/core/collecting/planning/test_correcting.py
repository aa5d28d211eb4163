from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.planning.correcting import DOUBT, MOST, Correction, Outcome, correction
from collection_pipeline.core.collecting.planning.expecting import ASSUMED, FirstSearches
from collection_pipeline.core.collecting.planning.plan import plan
from collection_pipeline_tests.core.collecting.planning.made_up import candidate, past

outcomes = st.lists(st.builds(Outcome, expected=st.floats(0, 1e6), came=st.integers(0, 1_000_000)), max_size=30)


@given(outcomes)
def test_a_correction_stays_within_bounds_and_doubts_less_the_more_has_been_seen(seen: list[Outcome]) -> None:
    found = correction(seen)
    assert 1 / MOST <= found.factor <= MOST
    assert found.doubt == DOUBT[min(len(seen), len(DOUBT) - 1)]
    assert correction([*seen, Outcome(10, 10)]).doubt <= found.doubt


def test_the_first_collection_teaches_nothing_of_plans_with_a_past() -> None:
    assert correction([Outcome(7_200, 1_971)]).factor == 1


def test_plans_that_promise_too_much_are_corrected_until_they_do_not() -> None:
    """What is learnt always says 1,000, and 400 come: each plan is corrected by those before it."""
    seen = [Outcome(1_000, 400)]
    for _ in range(10):
        seen.append(Outcome(1_000 * correction(seen).factor, 400))
    assert 1_000 * correction(seen).factor == pytest.approx(400, rel=0.05)


def test_few_expected_sellers_teach_little() -> None:
    few, many = ([Outcome(1, 1), Outcome(expected, 0)] for expected in (2, 2_000))
    assert correction(few).factor > 0.8
    assert correction(many).factor == 1 / MOST


def test_a_plan_is_scaled_by_what_earlier_ones_were_wrong_by() -> None:
    known = [candidate("A", past=past(arrived=5))]
    plain, halved = plan(known), plan(known, correction=Correction(0.5, 2.0))
    assert halved.expected.mean == pytest.approx(plain.expected.mean / 2)
    assert halved.expected.low <= halved.expected.mean / 2
    assert halved.expected.high >= halved.expected.mean * 2


def test_first_searches_overlap_where_nothing_has_been_learnt() -> None:
    one, many = (plan([candidate(f"A{n}") for n in range(count)]).expected.mean for count in (1, 1_000))
    assert one == ASSUMED.first
    assert many == pytest.approx(ASSUMED.first * 1_000**0.9)


def test_what_was_learnt_has_overlapped_already() -> None:
    known = [candidate(f"K{n}", past=past(searches=1, found=8)) for n in range(1_000)]
    alone = plan([*known, candidate("N")]).expected.mean - plan(known).expected.mean
    many = plan([*known, *(candidate(f"N{n}") for n in range(100))]).expected.mean - plan(known).expected.mean
    assert many == pytest.approx(100 * alone, rel=0.01)


def test_what_first_searches_bring_follows_the_newest_ones() -> None:
    known = [candidate(f"K{n}", past=past(searches=1, found=8)) for n in range(100)]
    new = [candidate("N")]

    def promised(lately: FirstSearches) -> float:
        return plan([*known, *new], lately=lately).expected.mean - plan(known, lately=lately).expected.mean

    as_ever, filled, more = (promised(FirstSearches(300, brought)) for brought in (1_200.0, 12.0, 9_000.0))
    assert filled < as_ever / 20
    assert more == pytest.approx(as_ever, rel=0.05)  # a list does not empty: one lucky category promises nothing


@given(st.integers(0, 300), st.integers(0, 300))
def test_more_searches_never_promise_less(one: int, more: int) -> None:
    fewer, all_of_them = (plan([candidate(f"A{n}") for n in range(count)]) for count in (one, one + more))
    assert 0 <= fewer.expected.mean <= all_of_them.expected.mean
    assert fewer.expected.low <= fewer.expected.mean <= fewer.expected.high
