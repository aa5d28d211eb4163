"""The asset ebay_sellers: each category's sellers, merged into the seller list."""

import time
from collections.abc import Mapping
from typing import Any

import dagster as dg

from collection_pipeline.core.activity import SYSTEM, Action, ActivityEvent
from collection_pipeline.core.collecting.category_work import CategoryWork
from collection_pipeline.orchestration.catalogue.partitions import MARKETPLACE_POOL, categories
from collection_pipeline.orchestration.checking import Evaluated, asset_with_checks, evaluated
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.collection_scope import collection_scope
from collection_pipeline.orchestration.describing import collection_metadata, preview, table_metadata
from collection_pipeline.orchestration.lineage import lineage
from collection_pipeline.orchestration.running_work import write_events
from collection_pipeline.orchestration.watching.checks import SELLER_CHECKS
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.schema import tables
from collection_pipeline.tables.sellers.seller_list import MergeResult
from collection_pipeline.tables.store import Store


@asset_with_checks(
    SELLER_CHECKS,
    deps=["ebay_listings"],
    partitions_def=categories,
    pool=MARKETPLACE_POOL,
    kinds={"postgres"},
    calls="none",
    metadata=table_metadata(tables.sellers),
)
def ebay_sellers(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> Evaluated:
    """The sellers of one category's listings, merged into the organisation's seller list: one row per account.

    Calls no marketplace, so it can be materialized again for free; a second time changes nothing. New sellers make one
    row in `seller_audit_log`. Listings with a match below COLLECTION_EVIDENCE_MATCH are no evidence. Removed sellers
    stay removed (unless COLLECTION_REMOVED_SELLERS is `return`), and names given by hand stay as they are. Where most
    known listings name another seller than before, nothing is merged and the collection pauses, until somebody has
    decided what that means (`collection-pipeline sellers renamed`).

    Example: `SELECT display_name, product_count FROM sellers WHERE status = 'active' ORDER BY product_count DESC`
    """
    if context.selected_asset_keys:
        began = time.monotonic()
        with collection_scope(context, store, settings) as work:
            merged = _merge(context, work, store, settings)
        seconds = round(time.monotonic() - began, 2)
        yield dg.MaterializeResult(metadata=_metadata(work, merged, store, settings, seconds))
    yield from evaluated(SELLER_CHECKS, context, store, settings)


def _merge(context: dg.AssetExecutionContext, work: CategoryWork, store: Store, settings: Settings) -> MergeResult:
    events: list[ActivityEvent] = []
    activity = work.activity("ebay", events.append, utc_now)
    evidence = store.sellers.evidence(work.org_id, work.category, settings.evidence_match)
    activity.record(SYSTEM, Action.UPLOADING, items_count=evidence)
    merged = store.sellers.merge(
        work.org_id,
        work.collection_id,
        work.category,
        actor=f"run {work.run_id}",
        removed_return=settings.do_removed_return,
        evidence_match=settings.evidence_match,
    )
    activity.record(SYSTEM, Action.DEDUPED, items_count=merged.found)
    activity.record(SYSTEM, Action.INSERTED, items_count=merged.new, new_sellers_count=merged.new)
    activity.record(SYSTEM, Action.UPDATED, items_count=merged.known)
    write_events(context, store, events)
    return merged


def _metadata(
    work: CategoryWork, merged: MergeResult, store: Store, settings: Settings, seconds: float
) -> Mapping[str, Any]:
    return {
        "dagster/row_count": merged.found,
        **lineage("ebay_sellers"),
        "sellers_found": merged.found,
        "new_sellers": merged.new,
        **_calls_per_new_seller(work, merged.new, store),
        "known_sellers": merged.known,
        "sellers_on_list": merged.seller_count,
        "seconds": seconds,
        **collection_metadata(work.collection_id, settings.feed_url),
        "preview": preview(("position", "asin", "title", "sellers"), store.sellers.preview(work.org_id, work.category)),
    }


def _calls_per_new_seller(work: CategoryWork, new: int, store: Store) -> Mapping[str, float]:
    """How many calls each new seller of the category took; nothing where there is none."""
    if not new:
        return {}
    calls = store.products.calls(work.collection_id, work.category)
    calls += store.searches.tally(work.collection_id, work.category).calls
    return {"calls_per_new_seller": round(calls / new, 2)}
