"""The data policy at work: a job and a schedule that remove what has been kept long enough."""

from collections.abc import Set as AbstractSet
from datetime import timedelta

import dagster as dg
from pydantic import Field

from collection_pipeline.core.retention import due
from collection_pipeline.core.run_retention import RunPurge, purge_runs
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.collecting.runs import open_backfills
from collection_pipeline.orchestration.failures import errors_as_failures
from collection_pipeline.orchestration.instance.old_runs import OldRuns
from collection_pipeline.orchestration.launching import launchable
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store


class PurgeConfig(dg.Config):
    """Whether to remove or only to count."""

    only_count: bool = Field(default=False, description="Say how much would go, and remove nothing.")


@dg.op
def purge(
    context: dg.OpExecutionContext,
    config: PurgeConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Removes what has been kept long enough, rows as well as Dagster's runs; docs/data-policy.md has the rules.

    The log and the metadata say how many rows of which table, how many runs and events, and how many old runs stay for
    which reason. The table `purges` records what was removed.
    """
    purges = due(settings.retention, utc_now())
    removed = store.purges.count(purges) if config.only_count else store.purges.run(purges)
    verb = "would be removed" if config.only_count else "removed"
    for one in purges:
        rows = removed[one.rule.table]
        context.log.info(f"{one.rule.table}: {rows:,} rows from before {one.older_than:%Y-%m-%d %H:%M} UTC {verb}.")
    facts: dict[str, int] = {**removed}
    if settings.keep_runs_days is not None:
        with errors_as_failures():
            runs = remove_old_runs(context.instance, store, settings.keep_runs_days, only_count=config.only_count)
        for line in runs.lines(verb):
            context.log.info(line)
        facts |= {"runs": runs.runs, "run_events": runs.events}
        facts |= {f"runs_kept_{why.name.lower()}": count for why, count in runs.kept.items()}
    context.add_output_metadata(facts)


def remove_old_runs(
    instance: dg.DagsterInstance, store: Store, keep_days: int, *, only_count: bool = False
) -> RunPurge:
    """Removes runs that ended more than `keep_days` ago and that nothing needs, and records in `purges` how many."""

    def open_collections() -> AbstractSet[str]:
        return {one.collection_id for one in store.collections.open()} | open_backfills(instance)

    older_than = utc_now() - timedelta(days=keep_days)
    purged = purge_runs(OldRuns(instance), older_than, open_collections, utc_now, only_count=only_count)
    if not only_count:
        store.purges.note("dagster.runs", older_than, purged.runs)
        store.purges.note("dagster.event_logs", older_than, purged.events)
    return purged


storage_purge = launchable("storage_purge", purge, PurgeConfig)

purge_daily = dg.ScheduleDefinition(
    name="purge_daily",
    job=storage_purge,
    cron_schedule="30 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: rows and runs that are older than their retention go.",
)
