from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from collection_pipeline.core.collecting.collections import (
    BY_HAND,
    CategoryStatus,
    CollectionPlan,
    CollectionStatus,
    Pause,
    Settlement,
)
from collection_pipeline.core.collecting.searches import PlannedSearch
from collection_pipeline.core.errors import PipelineError, Stopped, UnknownNode
from collection_pipeline.core.money import BandRule
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import BAND, ORG, collect, finish, listing, rows, start

PLAN = CollectionPlan("c1", ("books", "toys"), BAND)


def test_the_same_plan_started_twice_is_one_collection(store: Store) -> None:
    first, was_first_new = store.collections.start(PLAN)
    second, was_second_new = store.collections.start(replace(PLAN, collection_id="c2"))
    assert (was_first_new, was_second_new) == (True, False)
    assert second == first
    assert rows(store, "SELECT count(*) FROM collection_categories") == [(2,)]


def test_the_same_name_started_twice_is_one_collection_even_after_it_has_ended(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {"B000000001": []})
    finish(store, "c1")
    store.snapshots.of_collection("c1")
    ended, is_new = store.collections.start(CollectionPlan("c1", ("books",), BAND))
    assert (ended.status, is_new) == (CollectionStatus.COMPLETED, False)


def test_many_who_start_the_same_at_once_start_one(store: Store) -> None:
    plans = [replace(PLAN, collection_id=f"c{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(store.collections.start, plans))
    assert sum(is_new for _, is_new in started) == 1
    assert len({collection.collection_id for collection, _ in started}) == 1


def test_a_name_taken_by_another_collection_is_refused(store: Store) -> None:
    store.collections.start(PLAN)
    with pytest.raises(PipelineError, match="already a collection 'c1', of other categories"):
        store.collections.start(replace(PLAN, categories=("books",)))


def test_a_run_started_by_hand_gets_a_collection_whose_band_is_stored(store: Store) -> None:
    store.control.enter("run-12345678", "books", "12345678-9", org_id="acme")
    store.collections.agree_on_band("run-12345678", BAND)
    collection = store.collections.get("run-12345678")
    assert (collection.org_id, collection.status, collection.band) == ("acme", CollectionStatus.RUNNING, BAND)
    [unit] = store.collections.units("run-12345678")
    assert (unit.category, unit.status, unit.run_id) == ("books", CategoryStatus.RUNNING, "12345678-9")


def test_all_runs_of_a_collection_search_in_one_band(store: Store) -> None:
    store.collections.start(PLAN)
    store.collections.agree_on_band("c1", BandRule(Decimal("80.0"), Decimal("120.0")))
    with pytest.raises(PipelineError, match="this run asks for"):
        store.collections.agree_on_band("c1", BandRule(Decimal(70), Decimal(120)))


def test_a_failed_category_keeps_its_reason_and_loses_it_when_it_is_tried_again(store: Store) -> None:
    start(store, "c1", "books")
    store.control.enter("c1", "books", "run-1", org_id=ORG)
    store.control.category_failed("c1", "books", "run-1", UnknownNode("Node 1 is unknown.", stage="product_extraction"))
    [failure] = store.collections.failures("c1")
    assert (failure.unit, failure.reason, failure.error_stage) == ("category", "unknown_node", "product_extraction")
    assert failure.error_message == "Node 1 is unknown."
    store.control.enter("c1", "books", "run-2", org_id=ORG)
    assert store.collections.failures("c1") == []


def test_searches_that_no_run_got_round_to_are_failures_so_that_outcomes_add_up(store: Store) -> None:
    start(store, "c1", "books")
    store.control.enter("c1", "books", "run-1", org_id=ORG)
    store.searches.add("c1", "books", [PlannedSearch(f"B{number:09}", "Title", None) for number in range(1200)])
    assert finish(store, "c1") is True
    progress = store.collections.progress("c1")
    assert progress.searches_total == progress.searches_failed == progress.searches_ended == 1200
    assert {failure.reason for failure in store.collections.failures("c1")} == {"not_searched"}


def test_only_one_of_many_begins_the_finishing(store: Store) -> None:
    start(store, "c1", "books")
    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(finish, [store] * 8, ["c1"] * 8))
    assert begun.count(True) == 1


def test_a_collection_that_ended_is_open_again_when_a_run_enters_it(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann")]})
    finish(store, "c1")
    store.snapshots.of_collection("c1")
    store.control.enter("c1", "books", "run-2", org_id=ORG)
    collection = store.collections.get("c1")
    assert (collection.status, collection.completed_at) == (CollectionStatus.RUNNING, None)


def test_progress_is_true_at_every_moment(store: Store) -> None:
    start(store, "c1", "books", "toys")
    assert store.collections.progress("c1").categories_listed == 0
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann"), listing("2", "bob")], "B000000002": []})
    progress = store.collections.progress("c1")
    assert (progress.categories_total, progress.categories_listed) == (2, 1)
    assert (progress.products_found, progress.searches_total, progress.searches_done) == (2, 2, 2)
    assert (progress.listings_found, progress.sellers_found, progress.new_sellers) == (2, 2, 2)


def test_a_collection_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(PipelineError, match="no collection 'nope'"):
        store.collections.progress("nope")


def test_a_collection_with_a_category_that_is_not_done_is_not_closed(store: Store) -> None:
    start(store, "c1", "books")
    assert store.control.begin_finishing("c1") is False
    store.control.enter("c1", "books", "run-1", org_id=ORG)
    assert store.control.begin_finishing("c1") is False
    assert store.collections.get("c1").status is CollectionStatus.RUNNING


def test_of_two_runs_of_a_category_the_last_one_has_it_and_the_others_failure_does_not_count(store: Store) -> None:
    start(store, "c1", "books")
    store.control.enter("c1", "books", "run-1", org_id=ORG)
    store.control.require_wanted("c1", "books", "run-1")
    store.control.enter("c1", "books", "run-2", org_id=ORG)
    with pytest.raises(Stopped, match="taken over"):
        store.control.require_wanted("c1", "books", "run-1")
    store.control.category_failed("c1", "books", "run-1", UnknownNode("late"))
    assert store.collections.failures("c1") == []
    store.control.require_wanted("c1", "books", "run-2")


def test_a_run_of_an_earlier_attempt_does_not_begin(store: Store) -> None:
    start(store, "c1", "books")
    store.control.pause("c1", Pause(BY_HAND, "Somebody paused it."))
    store.control.resume("c1")
    with pytest.raises(Stopped):
        store.control.enter("c1", "books", "run-1", org_id=ORG, attempt=1)
    assert store.control.enter("c1", "books", "run-2", org_id=ORG, attempt=2).attempt == 2


@pytest.mark.parametrize(("counts", "last"), [(True, 3), (False, 4)])
def test_an_attempt_that_does_not_count_is_given_back(store: Store, counts: bool, last: int) -> None:
    start(store, "c1", "books")
    store.control.settle("c1", [Settlement("books", 1, CategoryStatus.PLANNED, counts=counts)])
    [unit] = store.collections.units("c1")
    assert (unit.status, unit.attempt, unit.last_attempt) == (CategoryStatus.PLANNED, 2, last)


def test_a_settlement_that_comes_late_settles_nothing(store: Store) -> None:
    start(store, "c1", "books")
    late = Settlement("books", 1, CategoryStatus.FAILED, "run_died")
    store.control.pause("c1", Pause(BY_HAND, "Somebody paused it."))
    store.control.resume("c1")
    store.control.settle("c1", [late])
    assert [unit.status for unit in store.collections.units("c1")] == [CategoryStatus.PLANNED]


def test_a_category_ended_when_its_run_did_but_never_before_it_began(store: Store) -> None:
    start(store, "c1", "books", "toys")
    for category, ended_at in (("books", datetime(2031, 5, 1, tzinfo=UTC)), ("toys", datetime(2001, 5, 1, tzinfo=UTC))):
        store.control.enter("c1", category, f"run-{category}", org_id=ORG)
        store.control.settle("c1", [Settlement(category, 1, CategoryStatus.DONE, ended_at=ended_at)])
    query = "SELECT ended_at::date::text, ended_at = started_at FROM collection_categories ORDER BY category"
    assert rows(store, query)[0] == ("2031-05-01", False)
    assert rows(store, query)[1][1] is True


def test_only_what_is_missing_is_resumed_and_only_once(store: Store) -> None:
    start(store, "c1", "books", "toys")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann")]})
    store.control.settle("c1", [Settlement("books", 1, CategoryStatus.DONE)])
    store.control.settle("c1", [Settlement("toys", 1, CategoryStatus.FAILED, "run_died")])
    store.control.begin_finishing("c1")
    store.snapshots.of_collection("c1")
    assert store.collections.get("c1").status is CollectionStatus.COMPLETED_WITH_ERRORS
    assert (store.control.resume("c1"), store.control.resume("c1")) == (1, 0)
    assert [(unit.category, unit.status, unit.attempt) for unit in store.collections.units("c1")] == [
        ("books", CategoryStatus.DONE, 1),
        ("toys", CategoryStatus.PLANNED, 2),
    ]
    assert store.collections.get("c1").status is CollectionStatus.RUNNING


def test_where_nothing_is_missing_nothing_is_resumed(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann")]})
    finish(store, "c1")
    store.snapshots.of_collection("c1")
    assert store.control.resume("c1") == 0
    assert store.collections.get("c1").status is CollectionStatus.COMPLETED


def test_progress_knows_failures_by_kind_cost_rate_and_time_left(store: Store) -> None:
    start(store, "c1", "books", "toys")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann")], "B000000002": []})
    store.control.category_failed("c1", "books", "run-1", UnknownNode("no"))
    [(failures, rate, left)] = rows(
        store, "SELECT failures, searches_per_minute > 0, time_left > '0' FROM collection_progress"
    )
    assert (failures, rate, left) == ({"unknown_node": 1}, True, True)
