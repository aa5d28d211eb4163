"""Sensors that raise alerts, and the one that sends them.

Raising writes into the table `alerts`, sending empties it: a webhook that is down delays alerts and loses none. A
sensor that cannot reach something leaves its cursor where it was and says why it skips.

Dagster's own run_failure_sensor will not do: its cursor moves on also when the reaction fails.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg

from collection_pipeline.core.collecting.usage import vendor_day
from collection_pipeline.core.watching.alerts import (
    Alert,
    Budget,
    cap_of,
    lines,
    of_budget,
    of_check,
    of_ending,
    of_run,
    quota_of,
)
from collection_pipeline.core.watching.cursors import LogCursor, settled
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.sensing import sensor
from collection_pipeline.orchestration.sensor_store import SensorOutcome, with_store
from collection_pipeline.orchestration.watching.incidents import check_results, failed_runs
from collection_pipeline.settings.alerts import AlertSettings
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.sources.webhook import Delivery, Outcome, post, slack_text
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.alerts import AlertStore

MESSAGES = 5
"""Messages of one tick: Slack takes one a second, and a tick should be over within one."""


@dg.resource(description="Where alerts go, from the environment.")
def alert_settings(_context: dg.InitResourceContext) -> AlertSettings:
    """The alerts' settings. A wrong one fails the sensors that need it, never the loading of the definitions."""
    return AlertSettings.from_mapping(os.environ)


@sensor(every_s=5)
def notice_failures(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> SensorOutcome:
    """Notices runs that failed and checks that did not pass."""
    now = utc_now()
    mark = LogCursor.read(context.cursor, now)
    runs = settled(failed_runs(context.instance, mark), now)
    checks = settled(check_results(context.instance, mark), now)
    found = [of_run(run) for run in runs] + [alert for check in checks if (alert := of_check(check))]
    return with_store(settings, lambda store: _noticed(store, found, mark.after("runs", runs).after("checks", checks)))


@sensor(every_s=5)
def notice_collections(
    context: dg.SensorEvaluationContext,
    settings: dg.ResourceParam[Settings],
    alert_settings: dg.ResourceParam[AlertSettings],
) -> SensorOutcome:
    """Notices collections that ended, unusual counts, and budgets that are nearly gone."""
    now = utc_now()
    mark = LogCursor.read(context.cursor, now)

    def look(store: Store) -> dg.SensorResult:
        ended = settled(AlertStore(store.engine).ended(after=mark.of("snapshots"), since=mark.since), now)
        found = [alert for one in ended for alert in of_ending(one, alert_settings.unusual_share)]
        spent = [of_budget(budget, alert_settings.budget_share, now) for budget in _budgets(store, now)]
        return _noticed(store, found + [alert for alert in spent if alert], mark.after("snapshots", ended))

    return with_store(settings, look)


@sensor(every_s=5)
def send_alerts(
    context: dg.SensorEvaluationContext,
    settings: dg.ResourceParam[Settings],
    alert_settings: dg.ResourceParam[AlertSettings],
) -> SensorOutcome:
    """Sends alerts through the webhook. Its cursor is the time until which the webhook wants to be left alone."""
    now = utc_now()
    not_before = _moment(context.cursor)
    webhook = alert_settings.webhook

    def look(store: Store) -> dg.SensorResult:
        box = AlertStore(store.engine)
        if webhook is None:
            return _skip(f"{box.waiting(now)} alerts wait; set COLLECTION_ALERT_WEBHOOK to have them sent.", None)
        if not_before is not None and now < not_before:
            return _skip(f"The webhook wants to be left alone until {not_before:%H:%M:%S} UTC.", context.cursor)
        deliveries = list(_sent(box, webhook, alert_settings.dagster_url, settings.feed_url, now))
        return _skip(_told(deliveries, box.waiting(now)), _rest(deliveries, now))

    return with_store(settings, look)


def _sent(box: AlertStore, webhook: str, dagster_url: str, page_url: str | None, now: datetime) -> Iterator[Delivery]:
    """Sends what is due, until the webhook does not take one."""
    for _ in range(MESSAGES):
        message = box.claim(now)
        if message is None:
            return
        delivery = post(webhook, slack_text(lines(message.alerts, dagster_url, page_url)), now)
        if delivery.outcome is Outcome.TAKEN:
            box.sent(message, now)
        elif delivery.outcome is Outcome.NOT_TAKEN:
            box.put_back(message)
        yield delivery
        if delivery.outcome is not Outcome.TAKEN:
            return


def _told(deliveries: Sequence[Delivery], waiting: int) -> str:
    taken = sum(delivery.outcome is Outcome.TAKEN for delivery in deliveries)
    failed = [delivery.sentence for delivery in deliveries if delivery.outcome is not Outcome.TAKEN]
    return " ".join([f"Sent {taken} messages; {waiting} alerts wait.", *failed])


def _rest(deliveries: Sequence[Delivery], now: datetime) -> str | None:
    wait_s = max((delivery.wait_s for delivery in deliveries), default=0)
    return datetime.fromtimestamp(now.timestamp() + wait_s, UTC).isoformat() if wait_s else None


def _noticed(store: Store, found: Sequence[Alert], mark: LogCursor) -> dg.SensorResult:
    new = AlertStore(store.engine).add(found)
    return _skip(f"Noticed {new} things worth an alert.", str(mark))


def _skip(reason: str, cursor: str | None) -> dg.SensorResult:
    """Nothing is to run; that is all these sensors ever ask of Dagster."""
    return dg.SensorResult(skip_reason=reason, cursor=cursor or "")


def _moment(cursor: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(cursor or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _budgets(store: Store, now: datetime) -> list[Budget]:
    caps = [cap_of(one.collection_id, one.cost, one.cost_cap) for one in store.collections.open()]
    governor = store.governor
    quotas = [
        quota_of(source, vendor_day(source, now), governor.left_today(source), limits.calls_per_day)
        for source, limits in governor.limits.items()
    ]
    return caps + quotas


ALERT_SENSORS = [notice_failures, notice_collections, send_alerts]
ALERT_RESOURCES = {"alert_settings": alert_settings}
