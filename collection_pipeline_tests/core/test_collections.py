from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from collection_pipeline.core.collections import (
    CategoryStatus,
    CategoryUnit,
    CollectionPlan,
    CollectionStatus,
    RunFact,
    RunState,
    Settlement,
    backfill_of_collection,
    collection_of_run,
    conclusion,
    is_over,
    new_collection_id,
    settlements,
    to_start,
)
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import BandRule

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLAN = CollectionPlan("c1", ("books", "toys"), BandRule())

PLANNED = CategoryUnit("books", CategoryStatus.PLANNED)
RUNNING = CategoryUnit("books", CategoryStatus.RUNNING)
DONE = CategoryUnit("books", CategoryStatus.DONE)
FAILED = CategoryUnit("books", CategoryStatus.FAILED)


def run(state: RunState, *, minutes: int = 0, category: str = "books", message: str | None = None) -> RunFact:
    return RunFact(f"run-{minutes}", category, state, NOON + timedelta(minutes=minutes), message)


def test_plans_that_collect_the_same_have_one_fingerprint() -> None:
    same = [
        replace(PLAN, collection_id="c2"),
        replace(PLAN, categories=("toys", "books")),
        replace(PLAN, band=BandRule(Decimal("80.0"), Decimal("120.00"))),
        replace(PLAN, preset="all"),
    ]
    assert {plan.fingerprint for plan in same} == {PLAN.fingerprint}


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, categories=("books",)),
        replace(PLAN, org_id="acme"),
        replace(PLAN, band=BandRule(Decimal(70), Decimal(120))),
    ],
)
def test_plans_that_collect_something_else_have_another(other: CollectionPlan) -> None:
    assert other.fingerprint != PLAN.fingerprint


@pytest.mark.parametrize("name", ["", "-x", "a b", "ü", "x" * 101, "a/b", "a:b"])
def test_a_name_that_cannot_be_a_tag_or_a_path_is_refused(name: str) -> None:
    with pytest.raises(PipelineError, match="cannot name a collection"):
        replace(PLAN, collection_id=name)


def test_a_plan_of_nothing_is_refused() -> None:
    with pytest.raises(PipelineError, match="nothing to collect"):
        replace(PLAN, categories=())


def test_an_id_says_what_was_collected_and_when() -> None:
    assert new_collection_id("Home & Kitchen", NOON) == "home-kitchen-20261123-120000"


def test_runs_started_by_hand_belong_together_where_people_think_they_do() -> None:
    assert collection_of_run("abcdefghij", None, None) == "run-abcdefgh"
    assert collection_of_run("another", "abcdefghij", None) == "run-abcdefgh"
    assert collection_of_run("abcdefghij", None, "bulk") == "backfill-bulk"
    assert backfill_of_collection("backfill-bulk") == "bulk"
    assert backfill_of_collection("run-abcdefgh") is None


@pytest.mark.parametrize(
    ("unit", "runs", "expected"),
    [
        (RUNNING, [], None),
        (RUNNING, [run(RunState.ACTIVE)], None),
        (RUNNING, [run(RunState.SUCCEEDED)], (CategoryStatus.DONE, None)),
        (RUNNING, [run(RunState.FAILED, message="killed")], (CategoryStatus.FAILED, "run_failed")),
        (RUNNING, [run(RunState.CANCELED)], (CategoryStatus.FAILED, "run_canceled")),
        # died before its first step could say anything
        (PLANNED, [run(RunState.FAILED)], (CategoryStatus.FAILED, "run_failed")),
        # the newest run counts, in whatever order they are listed
        (RUNNING, [run(RunState.ACTIVE, minutes=5), run(RunState.FAILED)], None),
        (RUNNING, [run(RunState.SUCCEEDED, minutes=5), run(RunState.FAILED)], (CategoryStatus.DONE, None)),
        # what the run said itself, with its precise reason, is not overwritten
        (FAILED, [run(RunState.FAILED)], None),
        (DONE, [run(RunState.FAILED)], None),
        (RUNNING, [run(RunState.FAILED, category="toys")], None),
    ],
)
def test_a_category_ends_as_its_newest_run_did(
    unit: CategoryUnit, runs: list[RunFact], expected: tuple[CategoryStatus, str | None] | None
) -> None:
    found = [(one.status, one.reason) for one in settlements([unit], runs)]
    assert found == ([expected] if expected else [])


def test_a_settlement_says_which_run_and_why() -> None:
    [settled] = settlements([RUNNING], [run(RunState.FAILED, message="The process was killed.")])
    assert settled == Settlement("books", CategoryStatus.FAILED, "run-0", "run_failed", "The process was killed.")


def test_only_planned_categories_without_a_run_are_started() -> None:
    toys = CategoryUnit("toys", CategoryStatus.PLANNED)
    assert to_start([PLANNED, toys, DONE], [run(RunState.ACTIVE)]) == [toys]


@pytest.mark.parametrize(
    ("units", "runs", "more", "over"),
    [
        ([DONE, FAILED], [], False, True),
        ([DONE, PLANNED], [], False, False),
        ([DONE, RUNNING], [], False, False),
        ([DONE], [run(RunState.ACTIVE)], False, False),
        ([DONE], [run(RunState.SUCCEEDED)], True, False),
        ([], [], False, False),
    ],
)
def test_a_collection_is_over_when_nothing_of_it_is_left(
    units: list[CategoryUnit], runs: list[RunFact], more: bool, over: bool
) -> None:
    assert is_over(units, runs, more_runs_to_come=more) is over


@pytest.mark.parametrize(
    ("units", "failed_searches", "status"),
    [
        ([DONE, DONE], 0, CollectionStatus.COMPLETED),
        ([DONE, DONE], 1, CollectionStatus.COMPLETED_WITH_ERRORS),
        ([DONE, FAILED], 0, CollectionStatus.COMPLETED_WITH_ERRORS),
        ([FAILED, FAILED], 0, CollectionStatus.FAILED),
    ],
)
def test_a_collection_with_any_failure_is_not_plainly_completed(
    units: list[CategoryUnit], failed_searches: int, status: CollectionStatus
) -> None:
    assert conclusion(units, failed_searches=failed_searches) is status
