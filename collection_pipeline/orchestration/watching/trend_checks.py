"""Checks that compare a category's figures with its own past. The rules are in core/watching/trends.py."""

import dagster as dg

from collection_pipeline.core.errors import Implausible
from collection_pipeline.core.watching.trends import (
    LISTINGS_PER_PRODUCT,
    MEDIAN_MATCH,
    NEW_SELLERS,
    PRODUCTS,
    SHARE_WITHOUT_PRICE,
    HistoryRule,
    compare,
)
from collection_pipeline.orchestration.checking import Checked
from collection_pipeline.tables.watching.trends import Trend, TrendStore


def products_are_usual(checked: Checked) -> dg.AssetCheckResult:
    """About as many best sellers as in earlier collections. Blocks: the list would be built on the wrong page."""
    return _result(checked, PRODUCTS, _trends(checked).products(checked.collection_id))


def prices_are_as_usual(checked: Checked) -> dg.AssetCheckResult:
    """About as many products without a price as in earlier collections."""
    return _result(checked, SHARE_WITHOUT_PRICE, _trends(checked).share_without_price(checked.collection_id))


def listings_are_usual(checked: Checked) -> dg.AssetCheckResult:
    """About as many listings per product as in earlier collections. Blocks: many more have lost a filter."""
    return _result(checked, LISTINGS_PER_PRODUCT, _trends(checked).listings_per_product(checked.collection_id))


def matches_are_as_usual(checked: Checked) -> dg.AssetCheckResult:
    """Listings are about as likely the products they were found for as in earlier collections."""
    return _result(checked, MEDIAN_MATCH, _trends(checked).median_match(checked.collection_id))


def new_sellers_are_usual(checked: Checked) -> dg.AssetCheckResult:
    """Not many more new sellers than in earlier collections."""
    return _result(checked, NEW_SELLERS, _trends(checked).new_sellers(checked.collection_id))


def _trends(checked: Checked) -> TrendStore:
    return TrendStore(checked.store.engine, checked.org_id, checked.category)


def _result(checked: Checked, rule: HistoryRule, trend: Trend) -> dg.AssetCheckResult:
    """The rule's verdict on the figure. A block is recorded as the category's failure, not as a crash."""
    if trend.figure is None:
        return dg.AssetCheckResult(passed=True, description="There is no figure of this collection to compare.")
    comparison = compare(rule, trend.figure, trend.earlier)
    passed = comparison.is_usual or (rule.is_blocking and checked.tolerance.accept_unusual)
    if not passed and rule.is_blocking:
        advice = "Look at it; materialize the partition with accept_unusual to go on."
        error = Implausible(f"{checked.category}: {comparison.sentence} {advice}")
        checked.store.control.category_failed(checked.collection_id, checked.category, checked.run_id, error)
    metadata: dict[str, float] = {"figure": trend.figure, "compared_with": len(trend.earlier)}
    if comparison.median is not None:
        metadata["median"] = comparison.median
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR if rule.is_blocking else dg.AssetCheckSeverity.WARN,
        description=comparison.sentence,
        metadata=metadata,
    )
