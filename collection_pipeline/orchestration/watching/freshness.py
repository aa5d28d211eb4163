"""Freshness: how old the snapshot and each category may get.

Dagster 1.13 evaluates a freshness policy per asset, not per partition: one category collected today makes the whole
asset fresh. So assets carry a policy, and each partition a check: it passes when the category is collected, and a
sensor lets it warn once the category has become too old, without a run.
"""

import json

import dagster as dg

from collection_pipeline.core.watching.freshness import STALE_AFTER, WARN_AFTER, stale
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.sensing import sensor
from collection_pipeline.orchestration.sensor_store import SensorOutcome, with_store
from collection_pipeline.orchestration.watching.checks import category_is_fresh
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.freshness import collected_at

POLICY = dg.FreshnessPolicy.time_window(fail_window=STALE_AFTER, warn_window=WARN_AFTER)
"""For every asset of the graph."""


@sensor(every_s=600)
def watch_freshness(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> SensorOutcome:
    """Lets the check category_is_fresh warn for categories that have become too old. Cursor: those known to be."""

    def look(store: Store) -> dg.SensorResult:
        too_old = stale(collected_at(store.engine, settings.org_id), utc_now())
        new = sorted(set(too_old) - _known(context.cursor))
        warnings = [_warning(category, too_old[category].days) for category in new]
        return dg.SensorResult(
            asset_events=warnings,
            cursor=json.dumps(sorted(too_old)),
            skip_reason=f"{len(too_old)} categories are too old, {len(new)} of them since the last look.",
        )

    return with_store(settings, look)


def _warning(category: str, days: int) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("ebay_sellers"),
        check_name=category_is_fresh.__name__,
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        partition=category,
        description=f"It was last collected {days} days ago; {STALE_AFTER.days} are allowed.",
    )


def _known(cursor: str | None) -> set[str]:
    try:
        return {str(category) for category in json.loads(cursor or "[]")}
    except (ValueError, TypeError):
        return set()
