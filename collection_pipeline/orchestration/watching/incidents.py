"""What Dagster's event log says about failed runs and about checks, in the core's terms."""

from datetime import UTC, datetime

import dagster as dg

from collection_pipeline.core.watching.alerts import CheckResult, FailedRun
from collection_pipeline.core.watching.cursors import LogCursor
from collection_pipeline.orchestration.run_tags import COLLECTION_TAG, was_interrupted

ENTRIES = 500
"""Entries of the log that one look reads; the next one goes on."""

LONGEST_REASON = 300
"""Characters of a failure's own words that are repeated."""


def failed_runs(instance: dg.DagsterInstance, mark: LogCursor) -> list[FailedRun]:
    """The failures of runs that come next in the event log.

    A run of a category that was told to stop is none: it starts again by itself.
    """
    wanted = dg.RunStatusChangeRecordsFilter(
        dg.DagsterEventType.RUN_FAILURE, after_timestamp=mark.since.timestamp(), after_storage_id=mark.of("runs")
    )
    records = instance.fetch_run_status_changes(wanted, limit=ENTRIES, ascending=True).records
    runs = {record.run_id: instance.get_run_by_id(record.run_id) for record in records}
    found = []
    for record in records:
        run = runs[record.run_id]
        tags = dict(run.tags) if run is not None else {}
        category = tags.get("dagster/partition")
        if category is not None and was_interrupted(tags):
            continue
        found.append(
            FailedRun(
                record.storage_id,
                datetime.fromtimestamp(record.timestamp, UTC),
                record.run_id,
                _subject(record.event_log_entry.job_name, run),
                tags.get(COLLECTION_TAG),
                category,
                _reason(record.event_log_entry),
            )
        )
    return found


def _subject(job: str | None, run: dg.DagsterRun | None) -> str:
    """What was started, in words of the UI. The names of Dagster's own jobs, which begin with `__`, say nothing."""
    if job is not None and not job.startswith("__"):
        return job
    assets = sorted(key.to_user_string() for key in (run and run.asset_selection) or ())
    return ", ".join(assets) or "assets"


def _reason(entry: dg.EventLogEntry) -> str | None:
    """The sentence of one of our own dg.Failures. Any other exception may contain secrets, and is not repeated."""
    event = entry.dagster_event
    data = event.event_specific_data if event else None
    step = getattr(data, "first_step_failure_event", None)
    user_failure = getattr(getattr(step, "event_specific_data", None), "user_failure_data", None)
    description = getattr(user_failure, "description", None)
    return str(description)[:LONGEST_REASON] if description else None


def check_results(instance: dg.DagsterInstance, mark: LogCursor) -> list[CheckResult]:
    """The evaluations of checks that come next in the event log."""
    wanted = dg.EventRecordsFilter(
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        after_timestamp=mark.since.timestamp(),
        after_cursor=mark.of("checks"),
    )
    records = instance.event_log_storage.get_event_records(wanted, limit=ENTRIES, ascending=True)
    found = []
    for record in records:
        event = record.event_log_entry.dagster_event
        evaluation = event.event_specific_data if event else None
        if isinstance(evaluation, dg.AssetCheckEvaluation):
            found.append(
                CheckResult(
                    record.storage_id,
                    datetime.fromtimestamp(record.timestamp, UTC),
                    record.run_id,
                    evaluation.asset_key.to_user_string(),
                    evaluation.check_name,
                    evaluation.passed,
                    evaluation.severity is dg.AssetCheckSeverity.ERROR,
                    evaluation.partition,
                )
            )
    return found
