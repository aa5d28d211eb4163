"""Checks that compare a category's figures with its own past. The rules are in core/history.py."""

import dagster as dg
from pydantic import Field

from collection_pipeline.core.collections import collection_of_run
from collection_pipeline.core.errors import Implausible
from collection_pipeline.core.history import (
    LISTINGS_PER_PRODUCT,
    NEW_SELLERS,
    PRODUCTS,
    SHARE_WITHOUT_PRICE,
    HistoryRule,
    compared,
)
from collection_pipeline.orchestration.assets import amazon_products, ebay_listings, ebay_sellers
from collection_pipeline.orchestration.launching import launched_with, plain_fields
from collection_pipeline.orchestration.partitions import categories
from collection_pipeline.orchestration.scope import BACKFILL_TAG, COLLECTION_TAG, organisation
from collection_pipeline.settings import Settings
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.trends import Trend, TrendStore


class TrendConfig(dg.Config):
    """What to do about an unusual figure."""

    accept_unusual: bool = Field(
        default=False, description="Let the run go on although the figure is unusual: somebody has looked at it."
    )


@dg.asset_check(
    asset=amazon_products,
    partitions_def=categories,
    blocking=PRODUCTS.is_blocking,
    config_schema=plain_fields(TrendConfig),
)
def products_are_usual(
    context: dg.AssetCheckExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """About as many best sellers as in earlier collections. Blocks: the list would be built on the wrong page."""
    config = launched_with(context, TrendConfig)
    trend = _trends(context, store, settings).products(_collection(context))
    return _verdict(context, store, PRODUCTS, trend, config)


@dg.asset_check(asset=amazon_products, partitions_def=categories)
def prices_are_as_usual(
    context: dg.AssetCheckExecutionContext, store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """About as many products without a price as in earlier collections."""
    trend = _trends(context, store, settings).share_without_price(_collection(context))
    return _verdict(context, store, SHARE_WITHOUT_PRICE, trend, TrendConfig())


@dg.asset_check(
    asset=ebay_listings,
    partitions_def=categories,
    blocking=LISTINGS_PER_PRODUCT.is_blocking,
    config_schema=plain_fields(TrendConfig),
)
def listings_are_usual(
    context: dg.AssetCheckExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """About as many listings per product as in earlier collections. Blocks: many more have lost a filter."""
    config = launched_with(context, TrendConfig)
    trend = _trends(context, store, settings).listings_per_product(_collection(context))
    return _verdict(context, store, LISTINGS_PER_PRODUCT, trend, config)


@dg.asset_check(asset=ebay_sellers, partitions_def=categories)
def new_sellers_are_usual(
    context: dg.AssetCheckExecutionContext, store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Not many more new sellers than in earlier collections."""
    trend = _trends(context, store, settings).new_sellers(_collection(context))
    return _verdict(context, store, NEW_SELLERS, trend, TrendConfig())


def _trends(context: dg.AssetCheckExecutionContext, store: Store, settings: Settings) -> TrendStore:
    return TrendStore(store.engine, organisation(context, store, settings), context.partition_key)


def _collection(context: dg.AssetCheckExecutionContext) -> str:
    run = context.run
    return run.tags.get(COLLECTION_TAG) or collection_of_run(run.run_id, run.root_run_id, run.tags.get(BACKFILL_TAG))


def _verdict(
    context: dg.AssetCheckExecutionContext, store: Store, rule: HistoryRule, trend: Trend, config: TrendConfig
) -> dg.AssetCheckResult:
    """What the rule says of the figure. A block is the category's recorded failure: nobody takes it for a crash."""
    if trend.figure is None:
        return dg.AssetCheckResult(passed=True, description="There is no figure of this collection to compare.")
    verdict = compared(rule, trend.figure, trend.earlier)
    passed = verdict.is_usual or config.accept_unusual
    if not passed and rule.is_blocking:
        advice = "Look at it; materialize the partition with accept_unusual to go on."
        error = Implausible(f"{context.partition_key}: {verdict.sentence} {advice}")
        store.control.category_failed(_collection(context), context.partition_key, context.run.run_id, error)
    metadata: dict[str, float] = {"figure": trend.figure, "compared_with": len(trend.earlier)}
    if verdict.median is not None:
        metadata["median"] = verdict.median
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR if rule.is_blocking else dg.AssetCheckSeverity.WARN,
        description=verdict.sentence,
        metadata=metadata,
    )


TREND_CHECKS = [products_are_usual, prices_are_as_usual, listings_are_usual, new_sellers_are_usual]
