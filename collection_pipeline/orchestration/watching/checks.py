"""The checks that run after every materialization. The counting is in tables/watching/quality.py."""

from collections.abc import Sequence

import dagster as dg

from collection_pipeline.core.watching.freshness import stale
from collection_pipeline.orchestration.checking import Check, Checked
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.watching.trend_checks import (
    listings_are_usual,
    matches_are_as_usual,
    new_sellers_are_usual,
    prices_are_as_usual,
    products_are_usual,
)
from collection_pipeline.tables.watching.freshness import collected_at

SHOWN = 20
"""Offenders shown in a check's metadata; the number of all of them stands beside."""


def asins_are_well_formed_and_unique(checked: Checked) -> dg.AssetCheckResult:
    """Every ASIN has ten capital letters and digits, and stands once in its category."""
    return _none_of("bad_asins", checked.store.quality.bad_asins(checked.org_id, checked.category))


def prices_are_present(checked: Checked) -> dg.AssetCheckResult:
    """Enough products have a price, and none has a price of 0."""
    coverage = checked.store.quality.price_coverage(checked.org_id, checked.category)
    least_share = checked.tolerance.least_share_with_price
    return dg.AssetCheckResult(
        passed=coverage.share >= least_share and coverage.not_positive == 0,
        severity=dg.AssetCheckSeverity.ERROR if coverage.not_positive else dg.AssetCheckSeverity.WARN,
        metadata={
            "products": coverage.products,
            "priced": coverage.priced,
            "share": round(coverage.share, 3),
            "least_share": least_share,
            "prices_of_0_or_less": coverage.not_positive,
        },
    )


def listings_are_inside_the_price_band(checked: Checked) -> dg.AssetCheckResult:
    """Every current listing's price lies inside the band of the search that saw it."""
    return _none_of("listings_outside", checked.store.quality.listings_outside_band(checked.org_id, checked.category))


def listings_match_the_filters(checked: Checked) -> dg.AssetCheckResult:
    """Every current listing is new, at a fixed price, delivered free, and in the US."""
    return _none_of(
        "listings_against", checked.store.quality.listings_against_filters(checked.org_id, checked.category)
    )


def seller_keys_are_normalised_and_unique(checked: Checked) -> dg.AssetCheckResult:
    """Every seller's key is in its normal form; the primary key then lets one account stand only once."""
    return _none_of("bad_keys", checked.store.quality.bad_seller_keys(checked.org_id, checked.category))


def figures_are_exact(checked: Checked) -> dg.AssetCheckResult:
    """The kept figures of the category's products, and of some of their sellers, are what counting anew gives."""
    wrong = checked.store.quality.wrong_figures(checked.org_id, checked.category)
    return _none_of("products_with_wrong_figures", wrong)


def category_is_fresh(checked: Checked) -> dg.AssetCheckResult:
    """The category was collected within the last 32 days. A sensor lets it warn after these, and fail after 35."""
    found = stale(collected_at(checked.store.engine, checked.org_id), utc_now()).get(checked.category)
    has_failed = found is not None and found.has_failed
    severity = dg.AssetCheckSeverity.ERROR if has_failed else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(passed=found is None, severity=severity)


def snapshot_equals_the_list(checked: Checked) -> dg.AssetCheckResult:
    """The newest snapshot is what the audit log says of its moment, and the live list is what the log says of now."""
    audit = checked.store.quality.snapshot_audit(checked.org_id)
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


PRODUCT_CHECKS = [
    Check(asins_are_well_formed_and_unique),
    Check(prices_are_present),
    Check(products_are_usual, is_blocking=True),
    Check(prices_are_as_usual),
]

LISTING_CHECKS = [
    Check(listings_are_inside_the_price_band),
    Check(listings_match_the_filters),
    Check(listings_are_usual, is_blocking=True),
    Check(matches_are_as_usual),
]

SELLER_CHECKS = [
    Check(seller_keys_are_normalised_and_unique),
    Check(new_sellers_are_usual),
    Check(figures_are_exact),
    Check(category_is_fresh),
]

SNAPSHOT_CHECKS = [Check(snapshot_equals_the_list)]
