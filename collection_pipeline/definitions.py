"""The composition root: everything that Dagster shows, in one list each. Loading it reads no environment."""

import dagster as dg

from collection_pipeline.orchestration.assets import ASSETS
from collection_pipeline.orchestration.automation import SENSORS
from collection_pipeline.orchestration.checks import CHECKS
from collection_pipeline.orchestration.inbox import import_dropped_files
from collection_pipeline.orchestration.operations import ASSET_JOBS, CONTROL_JOBS
from collection_pipeline.orchestration.resources import RESOURCES
from collection_pipeline.orchestration.retention import purge_daily, purge_old_rows
from collection_pipeline.orchestration.seller_jobs import SELLER_JOBS


def build_defs(resources: dict[str, object] | None = None) -> dg.Definitions:
    """Fresh definitions; `resources` replace those of the same names, as a test may want."""
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=CHECKS,
        jobs=[*ASSET_JOBS, *CONTROL_JOBS, *SELLER_JOBS, purge_old_rows],
        schedules=[purge_daily],
        sensors=[*SENSORS, import_dropped_files],
        resources={**RESOURCES, **(resources or {})},
        # The default executor starts a second process per step, which costs more than the steps themselves.
        executor=dg.in_process_executor,
    )


defs = build_defs()
