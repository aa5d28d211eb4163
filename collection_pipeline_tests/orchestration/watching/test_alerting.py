"""Alerts from what happened to the webhook: nothing is lost, and nothing is told twice within an hour."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from collection_pipeline.core.collecting.collections import CollectionPlan
from collection_pipeline.core.collecting.usage import vendor_day
from collection_pipeline.core.money import BandRule
from collection_pipeline.core.watching.alerts import Alert, AlertCause
from collection_pipeline.core.watching.freshness import STALE_AFTER, WARN_AFTER
from collection_pipeline.orchestration.assets import ASSETS
from collection_pipeline.orchestration.collecting.jobs import ASSET_JOBS
from collection_pipeline.orchestration.resources import RESOURCES
from collection_pipeline.orchestration.watching import alerting, freshness
from collection_pipeline.orchestration.watching.alerting import notice_collections, notice_failures, send_alerts
from collection_pipeline.processes.running_services import free_port
from collection_pipeline.settings.alerts import AlertSettings
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.simulator.faults import Fault
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.alerts import AlertStore
from collection_pipeline_tests.orchestration.conftest import Pipeline
from collection_pipeline_tests.sources.hooks import Hook, listening
from collection_pipeline_tests.tables.examples import ORG, collect, finish, listing, rows, start

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as started:
        yield started


class Clock:
    """The sensors' time, to be moved. It begins a little late, so that what has just happened is settled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta(seconds=10)
        monkeypatch.setattr(alerting, "utc_now", self.now)
        monkeypatch.setattr(freshness, "utc_now", self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def tick(
    pipeline: Pipeline, sensor: dg.SensorDefinition, cursor: str | None = None, webhook: str | None = None
) -> dg.SensorResult:
    """One tick of a sensor, with the tables that the environment names."""
    resources: dict[str, object] = {"settings": Settings.from_mapping(os.environ)}
    if "alert_settings" in sensor.required_resource_keys:
        resources["alert_settings"] = AlertSettings(webhook, "http://dagster")
    context = dg.build_sensor_context(instance=pipeline.instance, cursor=cursor, resources=resources)
    result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result


def said(result: dg.SensorResult) -> str:
    assert result.skip_reason is not None
    return result.skip_reason.skip_message or ""


def alert(event: str = "e1", subject: str = "s1", cause: AlertCause = AlertCause.RUN_FAILED) -> Alert:
    return Alert(cause, subject, event, f"{subject} {event}", f"/runs/{event}", NOW)


# --- the table: raised once, sent at most once an hour, by however many at once


def test_an_event_is_raised_once_by_however_many_at_once(store: Store) -> None:
    box = AlertStore(store.engine)
    with ThreadPoolExecutor(8) as threads:
        new = list(threads.map(lambda _: box.add([alert("e1"), alert("e2")]), range(16)))
    assert sum(new) == 2
    assert box.add([alert("e1", cause=AlertCause.CHECK_FAILED)]) == 1


def test_however_many_send_at_once_one_message_of_a_kind_goes_out(store: Store) -> None:
    box = AlertStore(store.engine)
    now = datetime.now(UTC)
    box.add([alert(f"e{n}", f"s{n % 3}") for n in range(12)])
    with ThreadPoolExecutor(8) as threads:
        claimed = [one for one in threads.map(lambda _: box.claim(now), range(16)) if one is not None]
    assert sorted(len(message.ids) for message in claimed) == [4, 4, 4]
    assert {message.alerts[0].subject for message in claimed} == {"s0", "s1", "s2"}


def test_what_happens_within_the_hour_is_told_together_after_it(store: Store) -> None:
    box = AlertStore(store.engine)
    now = datetime.now(UTC)
    box.add([alert("e1")])
    first = box.claim(now)
    assert first is not None
    box.sent(first, now)
    box.add([alert("e2"), alert("e3")])
    assert box.claim(now + HOUR - timedelta(seconds=1)) is None
    second = box.claim(now + HOUR)
    assert second is not None
    assert {one.event for one in second.alerts} == {"e2", "e3"}


def test_a_sender_that_dies_neither_loses_nor_doubles(store: Store) -> None:
    box = AlertStore(store.engine)
    now = datetime.now(UTC)
    box.add([alert("e1")])
    assert box.claim(now) is not None  # and dies
    assert box.claim(now + HOUR / 2) is None
    again = box.claim(now + HOUR)
    assert again is not None
    box.sent(again, now + HOUR)
    assert box.claim(now + 3 * HOUR) is None


def test_what_is_put_back_is_due_again_and_what_is_too_old_is_not(store: Store) -> None:
    box = AlertStore(store.engine)
    now = datetime.now(UTC)
    box.add([alert("e1")])
    message = box.claim(now)
    assert message is not None
    box.put_back(message)
    assert box.waiting(now) == 1
    assert box.claim(now + timedelta(days=8)) is None
    assert box.claim(now) == message


# --- sending


def test_a_webhook_that_was_down_gets_everything_once(pipeline: Pipeline, hook: Hook, clock: Clock) -> None:
    box = AlertStore(pipeline.store.engine)
    box.add([alert("e1"), alert("e2", "s2")])
    down = f"http://127.0.0.1:{free_port()}/s3cret"
    for _ in range(3):
        result = tick(pipeline, send_alerts, webhook=down)
        assert "cannot be reached" in said(result)
        assert "s3cret" not in said(result)
    for _ in range(3):
        tick(pipeline, send_alerts, webhook=hook.url)
    assert hook.texts == [
        "s1 e1 <http://dagster/runs/e1|Open in Dagster>",
        "s2 e2 <http://dagster/runs/e2|Open in Dagster>",
    ]
    clock.ahead += 2 * HOUR
    tick(pipeline, send_alerts, webhook=hook.url)
    assert len(hook.texts) == 2
    assert rows(pipeline.store, "SELECT count(*) FROM alerts WHERE sent_at IS NULL") == [(0,)]


def test_a_webhook_that_asks_for_a_pause_gets_it(pipeline: Pipeline, hook: Hook, clock: Clock) -> None:
    AlertStore(pipeline.store.engine).add([alert("e1")])
    hook.status, hook.headers = 429, {"retry-after": "90"}
    cursor = tick(pipeline, send_alerts, webhook=hook.url).cursor
    hook.status = 200
    assert "left alone until" in said(tick(pipeline, send_alerts, cursor, hook.url))
    assert hook.calls == 1
    clock.ahead += timedelta(seconds=91)
    tick(pipeline, send_alerts, cursor, hook.url)
    assert len(hook.texts) == 1


def test_a_message_that_may_have_come_through_is_not_sent_again_within_the_hour(
    pipeline: Pipeline, hook: Hook, clock: Clock
) -> None:
    AlertStore(pipeline.store.engine).add([alert("e1")])
    hook.status = None
    for _ in range(3):
        tick(pipeline, send_alerts, webhook=hook.url)
    assert hook.calls == 1
    hook.status = 200
    clock.ahead += HOUR
    tick(pipeline, send_alerts, webhook=hook.url)
    assert len(hook.texts) == 1


@pytest.mark.usefixtures("clock")
def test_without_a_webhook_alerts_wait_in_the_table(pipeline: Pipeline) -> None:
    AlertStore(pipeline.store.engine).add([alert("e1")])
    assert said(tick(pipeline, send_alerts)) == "1 alerts wait; set COLLECTION_ALERT_WEBHOOK to have them sent."


# --- noticing


@pytest.mark.usefixtures("clock")
def test_a_failed_run_is_noticed_once_with_its_reason(pipeline: Pipeline) -> None:
    pipeline.simulator.set_faults(Fault("ebay.access_denied", nth=1))
    result = pipeline.run("home-coffee")
    first = tick(pipeline, notice_failures)
    assert said(first) == "Noticed 1 things worth an alert."
    assert said(tick(pipeline, notice_failures, first.cursor)) == "Noticed 0 things worth an alert."
    [(cause, subject, event, text, path)] = rows(pipeline.store, "SELECT cause, subject, event, text, path FROM alerts")
    assert (cause, subject, event) == ("run_failed", "c1", result.run_id)
    assert path == f"/runs/{result.run_id}"
    assert str(text).startswith("The run of category_collect for home-coffee (collection c1) failed. ")


@pytest.mark.usefixtures("clock")
def test_a_failed_check_is_noticed(pipeline: Pipeline) -> None:
    @dg.asset_check(asset="one")
    def never(_context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False)

    @dg.asset_check(asset="one")
    def always(_context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    @dg.asset
    def one() -> None:
        pass

    dg.materialize([one, never, always], instance=pipeline.instance)
    tick(pipeline, notice_failures)
    assert rows(pipeline.store, "SELECT subject, text, path FROM alerts") == [
        ("one:never", "The check never of one failed.", "/assets/one?view=checks&checkDetail=never")
    ]


@pytest.mark.usefixtures("clock")
def test_what_could_not_be_written_down_is_noticed_again(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.simulator.set_faults(Fault("ebay.access_denied", nth=1))
    pipeline.run("home-coffee")
    with monkeypatch.context() as away:
        away.setenv("COLLECTION_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
        assert "does not answer" in said(tick(pipeline, notice_failures, ""))
    assert "Noticed 1" in said(tick(pipeline, notice_failures))


def test_what_happened_while_nobody_looked_is_noticed_later(pipeline: Pipeline, clock: Clock) -> None:
    cursor = tick(pipeline, notice_failures).cursor
    pipeline.simulator.set_faults(Fault("ebay.access_denied", nth=1))
    pipeline.run("home-coffee")
    clock.ahead += timedelta(days=3)
    assert "Noticed 1" in said(tick(pipeline, notice_failures, cursor))


@pytest.mark.usefixtures("clock")
def test_a_collection_that_ended_is_noticed_at_each_of_its_endings(pipeline: Pipeline) -> None:
    cursor = end(pipeline, "c1", "a")
    assert subjects(pipeline) == [("collection_ended", "c1")]
    tick(pipeline, notice_collections, cursor)
    assert subjects(pipeline) == [("collection_ended", "c1")]
    pipeline.store.control.enter("c1", "home-coffee", "run-2", org_id=ORG)
    finish(pipeline.store, "c1")
    pipeline.store.snapshots.of_collection("c1")
    tick(pipeline, notice_collections, cursor)
    assert subjects(pipeline) == [("collection_ended", "c1")] * 2


@pytest.mark.usefixtures("clock")
def test_a_count_off_the_recent_median_is_noticed(pipeline: Pipeline) -> None:
    cursor: str | None = None
    for n in range(3):
        cursor = end(pipeline, f"c{n}", f"seller-{n}", cursor=cursor)
    cursor = end(pipeline, "c3", *(f"many-{n}" for n in range(40)), cursor=cursor)
    assert subjects(pipeline)[-1] == ("unusual_count", "default: sellers on the list")
    [(text,)] = rows(pipeline.store, "SELECT text FROM alerts WHERE cause = 'unusual_count'")
    assert "43 sellers on the list, unusually many: the median of the last 3 was 2." in str(text)


@pytest.mark.usefixtures("clock")
def test_budgets_nearly_gone_are_noticed(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTION_EBAY_CALLS_PER_DAY", "100")
    plan = CollectionPlan("c1", ("home-coffee",), BandRule(), cost_cap=Decimal(10))
    pipeline.store.collections.start(plan)
    execute(pipeline.store, "UPDATE collections SET cost = 8")
    tick(pipeline, notice_collections)
    assert subjects(pipeline) == []
    execute(pipeline.store, "UPDATE collections SET cost = 9")
    today = vendor_day("ebay", datetime.now(UTC))
    execute(pipeline.store, f"INSERT INTO api_usage VALUES ('ebay', 'search', '{today}', 90, 90)")
    for _ in range(2):
        tick(pipeline, notice_collections)
    assert subjects(pipeline) == [("budget_nearly_gone", "c1"), ("budget_nearly_gone", "ebay")]


# --- freshness


def test_a_category_that_becomes_old_warns_once_and_fails_once_without_a_run(pipeline: Pipeline, clock: Clock) -> None:
    collect(pipeline.store, "c1", "home-coffee", {"B000000001": [listing("1", "anna")]})
    finish(pipeline.store, "c1")
    fresh = tick(pipeline, freshness.watch_freshness)
    assert (list(fresh.asset_events), fresh.cursor) == ([], "{}")
    clock.ahead += WARN_AFTER
    stale = tick(pipeline, freshness.watch_freshness, fresh.cursor)
    [warning] = stale.asset_events
    assert isinstance(warning, dg.AssetCheckEvaluation)
    assert (warning.partition, warning.passed, warning.description) == (
        "home-coffee",
        False,
        "It was last collected 32 days ago; 32 are allowed.",
    )
    assert warning.severity is dg.AssetCheckSeverity.WARN
    assert list(tick(pipeline, freshness.watch_freshness, stale.cursor).asset_events) == []
    clock.ahead += STALE_AFTER - WARN_AFTER
    too_old = tick(pipeline, freshness.watch_freshness, stale.cursor)
    [failure] = too_old.asset_events
    assert isinstance(failure, dg.AssetCheckEvaluation)
    assert failure.severity is dg.AssetCheckSeverity.ERROR
    assert list(tick(pipeline, freshness.watch_freshness, too_old.cursor).asset_events) == []
    pipeline.instance.report_runless_asset_event(warning)  # as the daemon does
    clock.ahead = timedelta(seconds=10)
    tick(pipeline, notice_failures)
    assert rows(pipeline.store, "SELECT text FROM alerts") == [
        ("The check category_is_fresh of ebay_sellers for home-coffee warns.",)
    ]


def test_a_category_being_collected_is_fresh(pipeline: Pipeline) -> None:
    defs = dg.Definitions(ASSETS, jobs=ASSET_JOBS, resources=RESOURCES)
    result = defs.resolve_job_def("category_collect").execute_in_process(
        instance=pipeline.instance, partition_key="home-coffee", tags={"collection_id": "c1"}
    )
    [evaluation] = [one for one in result.get_asset_check_evaluations() if one.check_name == "category_is_fresh"]
    assert evaluation.passed


# --- on a running daemon

LOCATION = """
import dagster as dg
from collection_pipeline.orchestration.watching.alerting import ALERT_RESOURCES, ALERT_SENSORS
from collection_pipeline.orchestration.resources import RESOURCES

defs = dg.Definitions(sensors=ALERT_SENSORS, resources={**RESOURCES, **ALERT_RESOURCES})
"""


def test_with_a_daemon_a_failed_run_reaches_the_webhook_by_itself(
    pipeline: Pipeline, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.simulator.set_faults(Fault("ebay.access_denied", nth=1))
    run_id = pipeline.run("home-coffee").run_id
    monkeypatch.setenv("COLLECTION_ALERT_WEBHOOK", hook.url)
    (tmp_path / "location.py").write_text(LOCATION)
    command = [str(Path(sys.executable).parent / "dagster-daemon"), "run", "-f", str(tmp_path / "location.py")]
    with (tmp_path / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not hook.texts and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        daemon.send_signal(signal.SIGINT)
        daemon.wait(30)
    log_text = (tmp_path / "daemon.log").read_text()
    assert hook.texts, log_text
    assert f"http://127.0.0.1:3000/runs/{run_id}" in hook.texts[0]
    assert "s3cret" not in log_text


def end(pipeline: Pipeline, collection_id: str, *sellers: str, cursor: str | None = None) -> str | None:
    """A collection with some new sellers, from start to end, noticed; the sensor's cursor."""
    start(pipeline.store, collection_id, "home-coffee")
    found = {"B000000001": [listing(f"{collection_id}{n}", seller) for n, seller in enumerate(sellers)]}
    collect(pipeline.store, collection_id, "home-coffee", found)
    finish(pipeline.store, collection_id)
    pipeline.store.snapshots.of_collection(collection_id)
    return tick(pipeline, notice_collections, cursor).cursor


def subjects(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return rows(pipeline.store, "SELECT cause, subject FROM alerts ORDER BY id")


def execute(store: Store, statement: str) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql(statement)
