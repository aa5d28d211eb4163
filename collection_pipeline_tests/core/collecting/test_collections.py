from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.collections import (
    REST,
    CategoryStatus,
    CategoryUnit,
    CollectionPlan,
    CollectionStatus,
    RunFact,
    RunState,
    backfill_of_collection,
    collection_of_run,
    final_status,
    is_over,
    new_collection_id,
    outdated,
    pause_for,
    settlements,
    silent,
    snapshot_is_due,
    storms,
    to_start,
)
from collection_pipeline.core.collecting.restarts import MOST_STARTS, RUN_ATTEMPTS, WITHIN
from collection_pipeline.core.errors import (
    BudgetSpent,
    FailuresInARow,
    PipelineError,
    QuotaExhausted,
    Rejected,
    SourceError,
    Unauthorised,
)
from collection_pipeline.core.money import BandRule

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLAN = CollectionPlan("c1", ("books", "toys"), BandRule())

PLANNED = CategoryUnit("books", CategoryStatus.PLANNED)
RUNNING = CategoryUnit("books", CategoryStatus.RUNNING)
DONE = CategoryUnit("books", CategoryStatus.DONE)
FAILED = CategoryUnit("books", CategoryStatus.FAILED)


def run(state: RunState, *, minutes: int = 0, category: str = "books", started: int | None = None) -> RunFact:
    return RunFact(
        f"run-{minutes}",
        category,
        state,
        NOON + timedelta(minutes=minutes),
        started_at=None if started is None else NOON + timedelta(minutes=started),
    )


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
    assert new_collection_id("starter", NOON, "Acme") == "acme-starter-20261123-120000"


def test_runs_started_by_hand_belong_together_where_people_think_they_do() -> None:
    assert collection_of_run("abcdefghij", None, None) == "run-abcdefgh"
    assert collection_of_run("another", "abcdefghij", None) == "run-abcdefgh"
    assert collection_of_run("abcdefghij", None, "bulk") == "backfill-bulk"
    assert backfill_of_collection("backfill-bulk") == "bulk"
    assert backfill_of_collection("run-abcdefgh") is None


ENTERED = CategoryUnit("books", CategoryStatus.RUNNING, run_id="run-0")
LAST = replace(ENTERED, attempt=RUN_ATTEMPTS)
IS_RUNNING, IS_PAUSED, IS_CANCELLING = CollectionStatus.RUNNING, CollectionStatus.PAUSED, CollectionStatus.CANCELLING
AGAIN = (CategoryStatus.PLANNED, None)


@pytest.mark.parametrize(
    ("collection", "unit", "runs", "expected"),
    [
        (IS_RUNNING, ENTERED, [run(RunState.ACTIVE)], None),
        (IS_RUNNING, ENTERED, [run(RunState.SUCCEEDED)], (CategoryStatus.DONE, None)),
        # a run that died starts again by itself, but not for ever
        (IS_RUNNING, ENTERED, [run(RunState.FAILED)], AGAIN),
        (IS_RUNNING, ENTERED, [], AGAIN),
        (IS_RUNNING, LAST, [run(RunState.FAILED)], (CategoryStatus.FAILED, "run_died")),
        # one that somebody terminated does not
        (IS_RUNNING, ENTERED, [run(RunState.CANCELED)], (CategoryStatus.FAILED, "run_canceled")),
        # one that was told to stop does, also after its last attempt
        (IS_RUNNING, ENTERED, [run(RunState.INTERRUPTED)], AGAIN),
        (IS_RUNNING, LAST, [run(RunState.INTERRUPTED)], AGAIN),
        (IS_RUNNING, PLANNED, [run(RunState.INTERRUPTED)], AGAIN),
        (IS_CANCELLING, ENTERED, [run(RunState.INTERRUPTED)], (CategoryStatus.CANCELLED, "cancelled")),
        # died before its first step could say anything
        (IS_RUNNING, PLANNED, [run(RunState.FAILED)], AGAIN),
        (IS_RUNNING, PLANNED, [], None),
        # only the run that entered the category counts, and of one not entered the newest of its attempt
        (IS_RUNNING, ENTERED, [run(RunState.ACTIVE), run(RunState.FAILED, minutes=5)], None),
        (IS_RUNNING, PLANNED, [run(RunState.ACTIVE, minutes=5), run(RunState.FAILED)], None),
        (IS_RUNNING, replace(PLANNED, attempt=2), [run(RunState.FAILED)], None),
        (IS_RUNNING, PLANNED, [run(RunState.FAILED, category="toys")], None),
        # what the run said itself, with its precise reason, is not overwritten
        (IS_RUNNING, FAILED, [run(RunState.FAILED)], None),
        (IS_RUNNING, DONE, [run(RunState.FAILED)], None),
        # a paused collection's categories are to be started again, a cancelled one's are not
        (IS_PAUSED, ENTERED, [run(RunState.CANCELED)], AGAIN),
        (IS_PAUSED, ENTERED, [run(RunState.FAILED)], AGAIN),
        (IS_PAUSED, PLANNED, [run(RunState.CANCELED)], AGAIN),
        (IS_PAUSED, ENTERED, [run(RunState.SUCCEEDED)], (CategoryStatus.DONE, None)),
        (IS_CANCELLING, ENTERED, [run(RunState.ACTIVE)], None),
        (IS_CANCELLING, ENTERED, [run(RunState.CANCELED)], (CategoryStatus.CANCELLED, "cancelled")),
        (IS_CANCELLING, PLANNED, [], (CategoryStatus.CANCELLED, "cancelled")),
        (IS_CANCELLING, ENTERED, [run(RunState.SUCCEEDED)], (CategoryStatus.DONE, None)),
    ],
)
def test_a_category_ends_as_its_run_and_its_collection_did(
    collection: CollectionStatus,
    unit: CategoryUnit,
    runs: list[RunFact],
    expected: tuple[CategoryStatus, str | None] | None,
) -> None:
    settled = settlements(collection, [unit], runs)
    assert [(one.status, one.reason) for one in settled] == ([expected] if expected else [])
    assert all(one.attempt == unit.attempt for one in settled)


@pytest.mark.parametrize(("state", "counts"), [(RunState.FAILED, True), (RunState.INTERRUPTED, False)])
def test_a_run_that_was_told_to_stop_is_none_of_its_categorys_attempts(state: RunState, counts: bool) -> None:
    assert [one.counts for one in settlements(IS_RUNNING, [ENTERED], [run(state)])] == [counts]


def test_a_category_ended_when_its_run_did_and_not_when_that_was_noticed() -> None:
    ended = replace(run(RunState.SUCCEEDED, started=0), ended_at=NOON + timedelta(minutes=3))
    assert settlements(IS_RUNNING, [ENTERED], [ended])[0].ended_at == NOON + timedelta(minutes=3)


def test_a_settlement_says_why() -> None:
    [settled] = settlements(IS_RUNNING, [LAST], [run(RunState.FAILED)])
    assert settled.message == "Its run died 3 times; Dagster has the log of the last one, run-0. Resume to try again."


@pytest.mark.parametrize(
    ("unit", "one", "is_silent"),
    [
        (ENTERED, run(RunState.ACTIVE, started=0), False),
        (ENTERED, run(RunState.ACTIVE, started=-3), True),
        (replace(ENTERED, seen_at=NOON - timedelta(seconds=90)), run(RunState.ACTIVE, started=-3), False),
        (replace(ENTERED, seen_at=NOON - timedelta(minutes=3)), run(RunState.ACTIVE, started=-9), True),
        (PLANNED, run(RunState.ACTIVE, started=-3), True),
        # it still waits in the queue, or is over
        (PLANNED, run(RunState.ACTIVE), False),
        (ENTERED, run(RunState.FAILED, started=-3), False),
        # died between its last step and its end: the collection waits for it all the same
        (FAILED, run(RunState.ACTIVE, started=-3), True),
    ],
)
def test_a_run_of_which_nothing_is_heard_is_dead(unit: CategoryUnit, one: RunFact, is_silent: bool) -> None:
    assert silent([unit], [one], NOON) == ([one] if is_silent else [])


@pytest.mark.parametrize(
    ("attempts", "is_due"),
    [
        ([], True),
        ([run(RunState.ACTIVE)], False),
        ([run(RunState.ACTIVE, started=-1)], False),
        ([run(RunState.FAILED)], False),
        ([run(RunState.FAILED, minutes=-1)], True),
        ([run(RunState.FAILED, minutes=-1)] * 6, False),
        ([run(RunState.FAILED, minutes=-10)] * 60, True),
    ],
)
def test_a_snapshot_is_tried_for_ever_but_ever_less_often(attempts: list[RunFact], is_due: bool) -> None:
    assert snapshot_is_due(attempts, NOON) is is_due


def test_only_planned_categories_whose_attempt_has_no_run_are_started() -> None:
    toys = CategoryUnit("toys", CategoryStatus.PLANNED)
    again = replace(PLANNED, attempt=2)
    assert to_start([PLANNED, toys, DONE], [run(RunState.ACTIVE)], at_most=5) == [toys]
    assert to_start([again], [run(RunState.FAILED)], at_most=5) == [again]


def test_one_attempt_at_a_category_is_alive_at_a_time() -> None:
    again = replace(PLANNED, attempt=2)
    assert to_start([again], [run(RunState.ACTIVE, started=0)], at_most=5) == []
    assert outdated([again], [run(RunState.ACTIVE, started=0)]) == []
    waiting = run(RunState.ACTIVE)
    assert outdated([again], [waiting, run(RunState.FAILED)]) == [waiting]
    assert outdated([PLANNED], [waiting]) == []


def test_only_so_many_runs_wait_in_the_queue_and_those_at_work_do_not_count() -> None:
    toys, tools = replace(PLANNED, category="toys"), replace(PLANNED, category="tools")
    waiting, at_work = run(RunState.ACTIVE), run(RunState.ACTIVE, started=0)
    assert to_start([PLANNED, toys, tools], [waiting], at_most=2) == [toys]
    assert to_start([PLANNED, toys, tools], [waiting], at_most=1) == []
    assert to_start([PLANNED, toys, tools], [at_work], at_most=2) == [toys, tools]


def test_what_was_begun_goes_on_before_more_is_begun_however_many_wait() -> None:
    toys, tools = replace(PLANNED, category="toys"), replace(PLANNED, category="tools", attempt=2)
    waiting = [replace(run(RunState.ACTIVE), category=f"c{number}") for number in range(5)]
    assert to_start([toys, tools], [], at_most=5) == [tools, toys]
    assert to_start([toys, tools], waiting, at_most=5) == [tools]
    resumed = [replace(PLANNED, category=f"r{number}", attempt=2) for number in range(9)]
    assert to_start(resumed, [replace(one, attempt=2) for one in waiting[:3]], at_most=5) == resumed[:2]


def test_a_resumed_category_may_die_as_often_as_a_new_one() -> None:
    resumed = replace(ENTERED, attempt=5, last_attempt=6)
    died = [replace(run(RunState.FAILED), attempt=5)]
    assert settlements(IS_RUNNING, [resumed], died)[0].status is CategoryStatus.PLANNED
    last = replace(resumed, attempt=6)
    assert settlements(IS_RUNNING, [last], [replace(died[0], attempt=6)])[0].reason == "run_died"
    # nor does a run that nobody knows any more start it for ever
    assert settlements(IS_RUNNING, [last], [])[0].reason == "run_died"


@given(st.lists(st.integers(0, 3_600), max_size=60))
def test_however_starts_come_a_category_is_never_started_more_often_than_the_guard_allows(seconds: list[int]) -> None:
    asked = [NOON + timedelta(seconds=second) for second in sorted(seconds)]
    made: list[datetime] = []
    for now in asked:
        if not storms([replace(PLANNED, starts=tuple(made[-MOST_STARTS:]))], now):
            made.append(now)
    assert all(sum(start <= one < start + WITHIN for one in made) <= MOST_STARTS for start in made)
    assert len(made) == len(asked) or len(asked) > MOST_STARTS


@pytest.mark.parametrize(
    ("error", "reason", "until"),
    [
        (QuotaExhausted("gone", resets_at=NOON + timedelta(hours=20)), "quota_exhausted", NOON + timedelta(hours=20)),
        (QuotaExhausted("gone"), "quota_exhausted", NOON + REST),
        (FailuresInARow("five"), "failures_in_a_row", NOON + REST),
        (Unauthorised("no"), "unauthorised", None),
        (Rejected("no"), "rejected", None),
        (BudgetSpent("spent"), "budget_spent", None),
    ],
)
def test_a_pause_ends_by_itself_where_time_helps_and_waits_for_a_person_where_not(
    error: SourceError, reason: str, until: datetime | None
) -> None:
    pause = pause_for(error, NOON)
    assert (pause.reason, pause.until, pause.message) == (reason, until, str(error))


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
        ([DONE, CategoryUnit("toys", CategoryStatus.CANCELLED)], 0, CollectionStatus.CANCELLED),
    ],
)
def test_a_collection_with_any_failure_is_not_plainly_completed(
    units: list[CategoryUnit], failed_searches: int, status: CollectionStatus
) -> None:
    assert final_status(units, failed_searches=failed_searches) is status


def test_a_collection_in_which_nothing_could_be_searched_is_not_plainly_completed() -> None:
    assert final_status([DONE], failed_searches=0, nothing_searched=True) is CollectionStatus.COMPLETED_WITH_ERRORS
