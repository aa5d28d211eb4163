from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from collection_pipeline.core.collecting.collections import CollectionStatus
from collection_pipeline.core.watching.alerts import (
    Alert,
    AlertCause,
    Budget,
    CheckResult,
    EndedCollection,
    FailedRun,
    cap_of,
    lines,
    of_budget,
    of_check,
    of_ending,
    of_run,
    quota_of,
)

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ENDED = EndedCollection(
    7, NOW, "monthly-1", "default", 2, CollectionStatus.COMPLETED_WITH_ERRORS, 1234, 56, Decimal(120), Decimal(500)
)


def test_a_collection_that_ended_is_told_with_its_figures_and_its_runs() -> None:
    [alert] = of_ending(ENDED, 0.5)
    assert alert.text == (
        "The collection monthly-1 ended: completed with errors. 1,234 sellers on the list, 56 of them new; "
        "it cost 120 of 500."
    )
    assert (alert.event, alert.path) == ("monthly-1:2", "/runs?q%5B0%5D=tag%3Acollection_id%3Dmonthly-1")


@pytest.mark.parametrize(
    ("counts", "new_sellers", "subjects"),
    [
        ((), (), []),
        ((3000, 3000), (5, 5), []),  # too few to compare with
        ((1200, 1180, 1170), (50, 60, 55), []),
        ((3000, 2990, 2980), (50, 60, 55), ["default: sellers on the list"]),
        ((600, 500, 550), (), ["default: sellers on the list"]),
        ((1200, 1200, 1200), (5, 8, 4), ["default: new sellers"]),
        ((1200, 1200, 1200), (300, 290, 280), ["default: new sellers"]),
        ((1200, 1200, 1200), (46, 46, 46), []),
        ((3000, 1200, 1200), (), []),  # the median does not mind one that was off
    ],
)
def test_an_unusual_count_is_told(counts: tuple[int, ...], new_sellers: tuple[int, ...], subjects: list[str]) -> None:
    ended = EndedCollection(
        7, NOW, "c", "default", 1, CollectionStatus.COMPLETED, 1234, 56, Decimal(0), None, counts, new_sellers
    )
    told = of_ending(ended, 0.5)
    assert [alert.subject for alert in told if alert.cause is AlertCause.UNUSUAL_COUNT] == subjects


def test_failed_runs_of_one_collection_are_one_subject() -> None:
    runs = [FailedRun(n, NOW, f"r{n}", "category_collect", "c1", f"cat-{n}", "No quota.") for n in range(3)]
    assert len({of_run(run).event for run in runs}) == 3
    assert {of_run(run).subject for run in runs} == {"c1"}
    assert of_run(runs[0]).text == "The run of category_collect for cat-0 (collection c1) failed. No quota."
    assert of_run(FailedRun(1, NOW, "r", "sellers_count")).subject == "sellers_count"


def test_only_checks_that_did_not_pass_are_told() -> None:
    assert of_check(CheckResult(1, NOW, "r", "ebay_sellers", "keys", True)) is None
    failed = of_check(CheckResult(1, NOW, "r", "ebay_sellers", "keys", False, partition="toys"))
    warned = of_check(CheckResult(2, NOW, "r", "ebay_sellers", "keys", False, is_error=False))
    assert failed is not None
    assert warned is not None
    assert failed.text == "The check keys of ebay_sellers for toys failed."
    assert warned.text == "The check keys of ebay_sellers warns."
    assert failed.subject == warned.subject


@pytest.mark.parametrize(
    ("spent", "limit", "is_told"),
    [(89, 100, False), (90, 100, True), (100, 100, True), (5000, None, False), (0, 0, False), (4499, 5000, False)],
)
def test_a_budget_nearly_gone_is_told(spent: int, limit: int | None, is_told: bool) -> None:
    budget = Budget("s", "e", "it", Decimal(spent), None if limit is None else Decimal(limit), "/")
    assert (of_budget(budget, 0.9, NOW) is not None) is is_told


def test_a_raised_cap_and_a_new_day_are_told_again() -> None:
    assert cap_of("c", Decimal(9), Decimal(10)).event == cap_of("c", Decimal(9), Decimal("10.0000")).event
    assert cap_of("c", Decimal(9), Decimal(10)).event != cap_of("c", Decimal(9), Decimal(20)).event
    monday, tuesday = (quota_of("ebay", NOW.date() + timedelta(days=day), 100, 5000) for day in range(2))
    assert monday.event != tuesday.event
    assert monday.spent == 4900
    assert of_budget(quota_of("oxylabs", NOW.date(), None, None), 0.9, NOW) is None


def test_a_message_spells_out_the_newest_and_counts_the_rest() -> None:
    alerts = [
        Alert(AlertCause.RUN_FAILED, "c", str(n), f"no. {n}", f"/runs/{n}", NOW + timedelta(minutes=n))
        for n in range(8)
    ]
    told = lines(alerts, "http://d", "http://pages")
    assert told[0] == ("no. 7", "http://d/runs/7")
    assert [text for text, _ in told] == ["no. 7", "no. 6", "no. 5", "no. 4", "no. 3", "And 3 more of this kind."]


def test_a_collection_that_ended_leads_to_its_new_sellers() -> None:
    ended = Alert(AlertCause.COLLECTION_ENDED, "weekly", "weekly:1", "It ended.", "/runs", NOW)
    assert lines([ended], "http://d") == [("It ended.", "http://d/runs")]
    [(text, _)] = lines([ended], "http://d", "http://pages")
    assert text == "It ended. Who is new: http://pages/answer/sellers?new_in=weekly&sort=first_seen"
