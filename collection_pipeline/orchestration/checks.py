"""What is checked of every asset after it was materialized. The counting is in tables/quality.py."""

from collections.abc import Sequence

import dagster as dg
from pydantic import Field

from collection_pipeline.orchestration.assets import amazon_products, ebay_listings, ebay_sellers, seller_count_snapshot
from collection_pipeline.orchestration.launching import launched_with, plain_fields
from collection_pipeline.orchestration.partitions import categories
from collection_pipeline.orchestration.scope import organisation
from collection_pipeline.settings import Settings
from collection_pipeline.tables.store import Store

SHOWN = 20
"""Offenders shown in a check's metadata; the number of all of them stands beside."""


class PriceCheckConfig(dg.Config):
    """How many prices there must be."""

    least_share: float = Field(
        default=0.5, ge=0, le=1, description="Share of a category's products that must have a price."
    )


@dg.asset_check(asset=amazon_products, partitions_def=categories)
def asins_are_well_formed_and_unique(
    context: dg.AssetCheckExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Every ASIN has ten capital letters and digits, and stands once in its category."""
    return _none_of("bad_asins", store.quality.bad_asins(organisation(context, store, settings), context.partition_key))


@dg.asset_check(asset=amazon_products, partitions_def=categories, config_schema=plain_fields(PriceCheckConfig))
def prices_are_present(
    context: dg.AssetCheckExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Enough products have a price, and none has a price of 0."""
    config = launched_with(context, PriceCheckConfig)
    coverage = store.quality.price_coverage(organisation(context, store, settings), context.partition_key)
    return dg.AssetCheckResult(
        passed=coverage.share >= config.least_share and coverage.not_positive == 0,
        severity=dg.AssetCheckSeverity.ERROR if coverage.not_positive else dg.AssetCheckSeverity.WARN,
        metadata={
            "products": coverage.products,
            "priced": coverage.priced,
            "share": round(coverage.share, 3),
            "least_share": config.least_share,
            "prices_of_0_or_less": coverage.not_positive,
        },
    )


@dg.asset_check(asset=ebay_listings, partitions_def=categories)
def listings_are_inside_the_price_band(
    context: dg.AssetCheckExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Every current listing's price lies inside the band of the search that saw it."""
    return _none_of(
        "listings_outside",
        store.quality.listings_outside_band(organisation(context, store, settings), context.partition_key),
    )


@dg.asset_check(asset=ebay_listings, partitions_def=categories)
def listings_match_the_filters(
    context: dg.AssetCheckExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Every current listing is new, at a fixed price, delivered free, and in the US."""
    return _none_of(
        "listings_against",
        store.quality.listings_against_filters(organisation(context, store, settings), context.partition_key),
    )


@dg.asset_check(asset=ebay_sellers, partitions_def=categories)
def seller_keys_are_normalised_and_unique(
    context: dg.AssetCheckExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Every seller's key is in its normal form; the primary key then lets one account stand only once."""
    return _none_of(
        "bad_keys", store.quality.bad_seller_keys(organisation(context, store, settings), context.partition_key)
    )


@dg.asset_check(asset=seller_count_snapshot)
def snapshot_equals_the_list(
    context: dg.AssetCheckExecutionContext, store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The newest snapshot is what the audit log says of its moment, and the live list is what the log says of now."""
    audit = store.quality.snapshot_audit(organisation(context, store, settings))
    facts = {
        "snapshot": audit.snapshot,
        "audit_log_at_that_moment": audit.logged_then,
        "sellers_on_list": audit.live,
        "audit_log_now": audit.logged_now,
    }
    return dg.AssetCheckResult(
        passed=audit.agrees, metadata={name: count for name, count in facts.items() if count is not None}
    )


def _none_of(what: str, offenders: Sequence[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not offenders, metadata={what: len(offenders), "examples": ", ".join(offenders[:SHOWN]) or "–"}
    )


CHECKS = [
    asins_are_well_formed_and_unique,
    prices_are_present,
    listings_are_inside_the_price_band,
    listings_match_the_filters,
    seller_keys_are_normalised_and_unique,
    snapshot_equals_the_list,
]
