"""The data policy at work: a job and a schedule that remove what has been kept long enough."""

import dagster as dg
from pydantic import Field

from collection_pipeline.core.retention import due
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.launching import launchable
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store


class PurgeConfig(dg.Config):
    """Whether to remove or only to count."""

    only_count: bool = Field(default=False, description="Say how many rows would go, and remove none.")


@dg.op
def purge(
    context: dg.OpExecutionContext,
    config: PurgeConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Removes what has been kept long enough, and says how many rows of which table; docs/data-policy.md has the rules.

    What was removed is in the table `purges`.
    """
    purges = due(settings.retention, utc_now())
    removed = store.purges.count(purges) if config.only_count else store.purges.run(purges)
    verb = "would be removed" if config.only_count else "removed"
    for one in purges:
        rows = removed[one.rule.table]
        context.log.info(f"{one.rule.table}: {rows:,} rows from before {one.older_than:%Y-%m-%d %H:%M} UTC {verb}.")


purge_old_rows = launchable("purge_old_rows", purge, PurgeConfig)

purge_daily = dg.ScheduleDefinition(
    name="purge_daily",
    job=purge_old_rows,
    cron_schedule="30 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: rows that are older than their table's retention go.",
)
