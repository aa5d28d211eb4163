"""The asset amazon_products: the best sellers of each category."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field

from collection_pipeline.core.activity import Action, Emit
from collection_pipeline.core.collecting.category_work import CategoryWork
from collection_pipeline.core.collecting.fetching import fetch_best_sellers
from collection_pipeline.core.collecting.products import BestSellerPage, ranked, require_plausible
from collection_pipeline.core.collecting.requester import Requester
from collection_pipeline.core.collecting.retrying import RetryPolicy
from collection_pipeline.core.collecting.stopping import StopSwitch
from collection_pipeline.core.errors import Implausible
from collection_pipeline.orchestration.catalogue.partitions import MARKETPLACE_POOL, categories
from collection_pipeline.orchestration.checking import Evaluated, Tolerance, asset_with_checks, evaluated
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.collection_scope import collection_scope
from collection_pipeline.orchestration.describing import collection_metadata, preview, table_metadata
from collection_pipeline.orchestration.launching import launch_metadata, launched_with, plain_fields
from collection_pipeline.orchestration.resources import OpenBestSellers
from collection_pipeline.orchestration.running_work import run_work
from collection_pipeline.orchestration.watching.checks import PRODUCT_CHECKS
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.schema import tables
from collection_pipeline.tables.store import Store


class BestSellersConfig(dg.Config):
    """How a category's best sellers are fetched."""

    least_share_of_known: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="A new list with less than this share of the products already known is not believed, and the known "
        "list stays. 0 believes everything.",
    )
    least_share_with_price: float = Field(
        default=0.5, ge=0, le=1, description="Share of the products that must have a price; with fewer, a check warns."
    )
    accept_unusual: bool = Field(
        default=False, description="Let the run go on with an unusual number of products: somebody has looked at it."
    )

    @property
    def tolerance(self) -> Tolerance:
        """What the checks let pass."""
        return Tolerance(self.least_share_with_price, self.accept_unusual)


@asset_with_checks(
    PRODUCT_CHECKS,
    partitions_def=categories,
    pool=MARKETPLACE_POOL,
    kinds={"amazon", "postgres"},
    calls="oxylabs",
    metadata={**table_metadata(tables.amazon_products), **launch_metadata(BestSellersConfig)},
    config_schema=plain_fields(BestSellersConfig),
)
def amazon_products(
    context: dg.AssetExecutionContext,
    amazon: dg.ResourceParam[OpenBestSellers],
    retry: dg.ResourceParam[RetryPolicy],
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> Evaluated:
    """The best sellers of one category: one row per category and ASIN, with position, title, price and rating.

    Fetched page by page from the category's Amazon browse node, about 50 products a page. The list replaces the former
    one only if all pages came and it is not implausibly short. A product whose price was not shown is kept without one.

    Example: `SELECT position, title, price FROM amazon_products WHERE category = 'kitchen-coffee-machines'`
    """
    config = launched_with(context, BestSellersConfig)
    if context.selected_asset_keys:
        began = time.monotonic()
        with collection_scope(context, store, settings) as work:
            fetched = run_work(context, store, work, partial(_fetch, work, amazon, retry, store))
            _keep(work, fetched, store, config.least_share_of_known)
        seconds = round(time.monotonic() - began, 2)
        yield dg.MaterializeResult(metadata=_metadata(work, fetched, store, settings, seconds))
    yield from evaluated(PRODUCT_CHECKS, context, store, settings, config.tolerance)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The pages of a category, and the calls that they took; none where the collection has the category already."""

    pages: Sequence[BestSellerPage] = ()
    calls: int = 0
    is_known: bool = False


async def _fetch(
    work: CategoryWork, amazon: OpenBestSellers, retry: RetryPolicy, store: Store, emit: Emit, _stop: StopSwitch
) -> _Fetched:
    # A run that is tried again within its collection does not buy the pages a second time.
    if store.products.was_fetched(work.collection_id, work.category):
        return _Fetched(is_known=True)
    category = store.catalogue.current().require_category(work.category)
    activity = work.activity("amazon", emit, utc_now)
    requester = Requester(activity, retry, asyncio.sleep, worker_id=1)
    async with store.governor.ledger(work.collection_id) as ledger, amazon(ledger) as source:
        pages = await fetch_best_sellers(
            source,
            category.node,
            requester,
            kept=store.products.kept_pages(work.collection_id, work.category),
            keep=partial(store.products.keep_page, work.collection_id, work.category),
        )
    activity.record(1, Action.COMPLETE, items_count=sum(len(page.products) for page in pages))
    return _Fetched(pages, requester.calls)


def _keep(work: CategoryWork, fetched: _Fetched, store: Store, least_share: float) -> None:
    """Replaces the category's list, unless the new one cannot be believed: then its pages go, and another attempt
    fetches them anew.
    """
    if fetched.is_known:
        return
    products = ranked(fetched.pages)
    known = store.products.count(work.org_id, work.category)
    try:
        require_plausible(products, known=known, category=work.category, least_share=least_share)
    except Implausible:
        store.products.forget_pages(work.collection_id, work.category)
        raise
    store.products.replace(work.org_id, work.collection_id, work.category, products, calls=fetched.calls)


def _metadata(
    work: CategoryWork, fetched: _Fetched, store: Store, settings: Settings, seconds: float
) -> Mapping[str, Any]:
    coverage = store.quality.price_coverage(work.org_id, work.category)
    return {
        "dagster/row_count": coverage.products,
        "products": coverage.products,
        "without_price": coverage.products - coverage.priced,
        "bad_rows": sum(len(page.bad_rows) for page in fetched.pages),
        "pages": len(fetched.pages),
        "api_calls": fetched.calls,
        "fetched_before": fetched.is_known,
        "seconds": seconds,
        **collection_metadata(work.collection_id, settings.feed_url),
        "preview": preview(("position", "asin", "title", "price"), store.products.preview(work.org_id, work.category)),
    }
