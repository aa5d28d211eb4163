"""Freshness: how old the snapshot and each category may get.

Dagster 1.13 evaluates a freshness policy per asset, not per partition: one category collected today makes the whole
asset fresh. So assets carry a policy, and each partition a check that goes by the same ages: it passes when the
category is collected, and a sensor lets it warn, and then fail, once the category has become older, without a run.
"""

import json

import dagster as dg

from collection_pipeline.core.watching.freshness import STALE_AFTER, WARN_AFTER, Stale, stale
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
    """Lets the check category_is_fresh warn, then fail, for categories that become old. Cursor: what was said."""

    def look(store: Store) -> dg.SensorResult:
        found, said = stale(collected_at(store.engine, settings.org_id), utc_now()), _said(context.cursor)
        new = [category for category, one in sorted(found.items()) if said.get(category) is not one.has_failed]
        return dg.SensorResult(
            asset_events=[_evaluation(category, found[category]) for category in new],
            cursor=json.dumps({category: one.has_failed for category, one in sorted(found.items())}),
            skip_reason=f"{len(found)} categories are old, {len(new)} of them since the last look.",
        )

    return with_store(settings, look)


def _evaluation(category: str, stale: Stale) -> dg.AssetCheckEvaluation:
    allowed = STALE_AFTER if stale.has_failed else WARN_AFTER
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("ebay_sellers"),
        check_name=category_is_fresh.__name__,
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR if stale.has_failed else dg.AssetCheckSeverity.WARN,
        partition=category,
        description=f"It was last collected {stale.age.days} days ago; {allowed.days} are allowed.",
    )


def _said(cursor: str | None) -> dict[str, bool]:
    """Of which categories it was said that they are old, and whether that they are too old."""
    try:
        return {str(category): bool(has_failed) for category, has_failed in json.loads(cursor or "{}").items()}
    except (ValueError, TypeError, AttributeError):
        return {}
