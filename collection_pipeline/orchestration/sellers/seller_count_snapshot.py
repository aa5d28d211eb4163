"""The asset seller_count_snapshot: how many sellers there are after a collection."""

import dagster as dg

from collection_pipeline.orchestration.checking import Evaluated, asset_with_checks, evaluated
from collection_pipeline.orchestration.describing import collection_metadata, table_metadata
from collection_pipeline.orchestration.failures import errors_as_failures
from collection_pipeline.orchestration.lineage import lineage
from collection_pipeline.orchestration.run_tags import COLLECTION_TAG
from collection_pipeline.orchestration.sellers.ebay_sellers import ebay_sellers
from collection_pipeline.orchestration.watching.checks import SNAPSHOT_CHECKS
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.schema import tables
from collection_pipeline.tables.store import Store


@asset_with_checks(
    SNAPSHOT_CHECKS,
    deps=[ebay_sellers],
    kinds={"postgres"},
    calls="none",
    metadata=table_metadata(tables.seller_count_snapshots),
)
def seller_count_snapshot(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> Evaluated:
    """How many sellers the list holds now: one more row in `seller_count_snapshots`.

    A sensor materializes it once the last run of a collection has ended, also if some failed; it closes the collection.
    Materialized by hand it counts the list with the cause `manual`.

    Example: `SELECT taken_at, seller_count, new_sellers, cause FROM seller_count_snapshots ORDER BY taken_at`
    """
    if context.selected_asset_keys:
        yield _snapshot(context, store, settings)
    yield from evaluated(SNAPSHOT_CHECKS, context, store, settings)


def _snapshot(context: dg.AssetExecutionContext, store: Store, settings: Settings) -> dg.MaterializeResult[None]:
    collection_id = context.run.tags.get(COLLECTION_TAG)
    if collection_id is None:
        snapshot = store.snapshots.by_hand(settings.org_id)
    else:
        with errors_as_failures():
            snapshot = store.snapshots.of_collection(collection_id)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": store.snapshots.count(),
            **lineage("seller_count_snapshot"),
            "seller_count": snapshot.seller_count,
            "new_sellers": snapshot.new_sellers,
            "cause": snapshot.cause,
            **collection_metadata(snapshot.collection_id, settings.feed_url),
            "organisation": snapshot.org_id,
            "taken_at": dg.MetadataValue.timestamp(snapshot.taken_at),
        }
    )
