"""The composition root: everything that Dagster shows, in one list each.

Loading it reads nothing but settings: Dagster has to know when a schedule ticks before it ticks, and says on an asset's
page what is true of this installation.
"""

import os
from collections.abc import Mapping

import dagster as dg

from collection_pipeline import __version__
from collection_pipeline.orchestration.assets import ASSETS
from collection_pipeline.orchestration.catalogue.new_categories import collect_new_categories
from collection_pipeline.orchestration.collecting.automation import SENSORS
from collection_pipeline.orchestration.collecting.jobs import ASSET_JOBS, CONTROL_JOBS
from collection_pipeline.orchestration.collecting.schedules import schedules_from
from collection_pipeline.orchestration.installation import described_for
from collection_pipeline.orchestration.resources import RESOURCES
from collection_pipeline.orchestration.retention import purge_daily, storage_purge
from collection_pipeline.orchestration.sellers.inbox import import_dropped_files
from collection_pipeline.orchestration.sellers.jobs import SELLER_JOBS
from collection_pipeline.orchestration.sellers.listing_jobs import LISTING_JOBS
from collection_pipeline.orchestration.watching.alerting import ALERT_RESOURCES, ALERT_SENSORS
from collection_pipeline.orchestration.watching.freshness import POLICY, watch_freshness


def build_defs(environment: Mapping[str, str], resources: dict[str, object] | None = None) -> dg.Definitions:
    """Fresh definitions; `resources` replace those of the same names, as a test may want."""
    described = described_for(environment)
    return dg.Definitions(
        assets=[
            asset.map_asset_specs(lambda spec: described(dg.apply_freshness_policy(spec, POLICY))) for asset in ASSETS
        ],
        jobs=[*ASSET_JOBS, *CONTROL_JOBS, *SELLER_JOBS, *LISTING_JOBS, storage_purge],
        schedules=[*schedules_from(environment), purge_daily],
        sensors=[*SENSORS, *ALERT_SENSORS, import_dropped_files, watch_freshness, collect_new_categories],
        resources={**RESOURCES, **ALERT_RESOURCES, **(resources or {})},
        # The default executor starts a second process per step, which costs more than the steps themselves.
        executor=dg.in_process_executor,
        metadata={"version": __version__},
    )


defs = build_defs(os.environ)
