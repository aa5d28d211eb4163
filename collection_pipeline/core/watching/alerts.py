"""Alerts: what is worth telling people who are not looking, and the wording.

Pure: facts in, alerts out. `orchestration/watching/alerting.py` reads the facts, `sources/webhook.py` sends, and
`tables/watching/alerts.py` sees to it that each alert is sent once, and one kind at most once an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from urllib.parse import quote

from collection_pipeline.core.collecting.collections import OPEN_STATUSES, CollectionStatus, Settlement
from collection_pipeline.core.collecting.usage import Source
from collection_pipeline.core.watching.answer_links import new_sellers_address
from collection_pipeline.core.watching.trends import compare, off_by

QUIET = timedelta(hours=1)
"""Between two messages of one cause about one subject. What happens meanwhile is told by the second one."""

WORTH_TELLING = timedelta(days=7)
"""What could not be sent for so long stays in the table, and is not sent any more."""

LINES = 5
"""Alerts that one message spells out; it says how many more there are."""

_LEAST_DIFFERENCE = 10
"""Sellers by which a count may always be off its median: short lists jump about."""


class AlertCause(StrEnum):
    """Why an alert is raised."""

    COLLECTION_ENDED = "collection_ended"
    RUN_FAILED = "run_failed"
    CHECK_FAILED = "check_failed"
    BUDGET_NEARLY_GONE = "budget_nearly_gone"
    UNUSUAL_COUNT = "unusual_count"
    STARTED_TOO_OFTEN = "started_too_often"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something worth telling people. `path` is its page in the Dagster UI, without the address of that."""

    cause: AlertCause
    subject: str
    """What it is about: alerts of one cause and subject share a message, and that comes at most once an hour."""
    event: str
    """What exactly happened: noticed twice, it is reported once."""
    text: str
    path: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run that failed, as Dagster's event log tells it. `reason` is a sentence of ours, where the run gave one.

    `subject` is what somebody started: a job, or the assets where it was these.
    """

    id: int
    at: datetime
    run_id: str
    subject: str
    collection_id: str | None = None
    category: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One evaluation of an asset check, as Dagster's event log tells it."""

    id: int
    at: datetime
    run_id: str
    asset: str
    check: str
    has_passed: bool
    is_error: bool = True
    partition: str | None = None


@dataclass(frozen=True, slots=True)
class EndedCollection:
    """A collection that ended, with its snapshot and the counts before that, newest first.

    `earlier_new_sellers` are those of its preset only: a hundred categories bring more new sellers than one.
    """

    id: int
    at: datetime
    collection_id: str
    org_id: str
    ending: int
    status: CollectionStatus
    seller_count: int
    new_sellers: int
    cost: Decimal
    cost_cap: Decimal | None = None
    earlier_counts: Sequence[int] = ()
    earlier_new_sellers: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """Something that can run out: a collection's cap, or a source's calls for one day."""

    subject: str
    event: str
    what: str
    spent: Decimal
    limit: Decimal | None
    path: str


def of_run(run: FailedRun) -> Alert:
    """A failed run. All of a collection's are one subject: a marketplace that is down fails a hundred."""
    where = f" for {run.category}" if run.category else ""
    of = f" (collection {run.collection_id})" if run.collection_id else ""
    text = f"The run of {run.subject}{where}{of} failed. {run.reason or ''}".rstrip()
    about = run.collection_id or run.subject
    return Alert(AlertCause.RUN_FAILED, about, run.run_id, text, f"/runs/{run.run_id}", run.at)


def of_check(result: CheckResult) -> Alert | None:
    """A check that did not pass."""
    if result.has_passed:
        return None
    where = f" for {result.partition}" if result.partition else ""
    text = f"The check {result.check} of {result.asset}{where} {'failed' if result.is_error else 'warns'}."
    subject = f"{result.asset}:{result.check}"
    path = f"/assets/{quote(result.asset)}?view=checks&checkDetail={quote(result.check)}"
    return Alert(AlertCause.CHECK_FAILED, subject, str(result.id), text, path, result.at)


def of_restarts(collection_id: str, stopped: Settlement, now: datetime) -> Alert:
    """A category that was started again and again."""
    event = f"{collection_id}:{stopped.category}:{stopped.attempt}"
    path = collection_path(collection_id)
    return Alert(AlertCause.STARTED_TOO_OFTEN, collection_id, event, stopped.message or "", path, now)


def of_ending(ended: EndedCollection, unusual_share: float) -> list[Alert]:
    """A collection that ended, and counts of it that are off the usual ones."""
    cap = "" if ended.cost_cap is None else f" of {ended.cost_cap:,.0f}"
    goes_on = " It has been resumed since." if ended.status in OPEN_STATUSES else ""
    how = "" if goes_on else f": {ended.status.replace('_', ' ')}"
    text = (
        f"The collection {ended.collection_id} ended{how}. {ended.seller_count:,} sellers on the list, "
        f"{ended.new_sellers:,} of them new; it cost {ended.cost:,.0f}{cap}.{goes_on}"
    )
    event = f"{ended.collection_id}:{ended.ending}"
    told = Alert(
        AlertCause.COLLECTION_ENDED, ended.collection_id, event, text, collection_path(ended.collection_id), ended.at
    )
    figures = (
        ("sellers on the list", ended.seller_count, ended.earlier_counts),
        ("new sellers", ended.new_sellers, ended.earlier_new_sellers),
    )
    counts = [_of_count(ended, *figure, unusual_share) for figure in figures]
    return [told, *(alert for alert in counts if alert is not None)]


def _of_count(ended: EndedCollection, what: str, figure: int, earlier: Sequence[int], share: float) -> Alert | None:
    comparison = compare(off_by(what, share, _LEAST_DIFFERENCE), figure, earlier)
    if comparison.is_usual:
        return None
    text = f"An unusual count after the collection {ended.collection_id}. {comparison.sentence}"
    event = f"{ended.collection_id}:{ended.ending}:{what}"
    return Alert(
        AlertCause.UNUSUAL_COUNT, f"{ended.org_id}: {what}", event, text, "/assets/seller_count_snapshot", ended.at
    )


def of_budget(budget: Budget, share: float, now: datetime) -> Alert | None:
    """An alert for a budget that is nearly spent; None while there is enough left."""
    if not budget.limit or budget.spent < Decimal(str(share)) * budget.limit:
        return None
    percent = int(100 * budget.spent / budget.limit)
    text = f"{percent} % of {budget.what} is spent: {budget.spent:,.0f} of {budget.limit:,.0f}."
    return Alert(AlertCause.BUDGET_NEARLY_GONE, budget.subject, budget.event, text, budget.path, now)


def cap_of(collection_id: str, cost: Decimal, cost_cap: Decimal | None) -> Budget:
    """A collection's cost cap. A higher one is another budget."""
    what = f"the cost cap of the collection {collection_id}"
    path = collection_path(collection_id)
    event = f"{collection_id}:{'none' if cost_cap is None else cost_cap.normalize()}"
    return Budget(collection_id, event, what, cost, cost_cap, path)


def quota_of(source: Source, day: date, left: int | None, quota: int | None) -> Budget:
    """What a source allows on one of its days."""
    spent, limit = Decimal((quota or 0) - (left or 0)), None if quota is None else Decimal(quota)
    return Budget(source, f"{source}:{day}", f"what {source} allows on {day}", spent, limit, "/overview/activity")


def collection_path(collection_id: str) -> str:
    """The page of a collection's runs in the Dagster UI."""
    return f"/runs?{quote('q[0]')}={quote(f'tag:collection_id={collection_id}', safe='')}"


def lines(alerts: Sequence[Alert], dagster_url: str, page_url: str | None = None) -> list[tuple[str, str]]:
    """The lines of the message that tells some alerts, each a text and the address of its page; newest first."""
    newest = sorted(alerts, key=lambda alert: alert.at, reverse=True)
    told = [(_told(alert, page_url), f"{dagster_url}{alert.path}") for alert in newest[:LINES]]
    if len(newest) > LINES:
        told.append((f"And {len(newest) - LINES} more of this kind.", f"{dagster_url}/runs"))
    return told


def _told(alert: Alert, page_url: str | None) -> str:
    """The text, and where the new sellers are shown, if the answer page has an address (COLLECTION_FEED_URL)."""
    if page_url is None or alert.cause is not AlertCause.COLLECTION_ENDED:
        return alert.text
    return f"{alert.text} Who is new: {new_sellers_address(page_url, alert.subject)}"
