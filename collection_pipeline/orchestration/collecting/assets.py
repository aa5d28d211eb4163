"""The four assets: best sellers, listings, sellers, and how many sellers there are."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field

from collection_pipeline.core.activity import SYSTEM, Action, Emit
from collection_pipeline.core.collecting.fetching import fetch_best_sellers
from collection_pipeline.core.collecting.product_search import SearchRules
from collection_pipeline.core.collecting.products import BestSellerPage, ranked, require_plausible
from collection_pipeline.core.collecting.requester import Requester
from collection_pipeline.core.collecting.retrying import RetryPolicy
from collection_pipeline.core.collecting.searches import PlannedSearch, SearchStatus
from collection_pipeline.core.collecting.stopping import StopSwitch
from collection_pipeline.core.collecting.worker_loop import CollectingResult, Collector
from collection_pipeline.core.errors import Implausible, PipelineError
from collection_pipeline.core.money import BandRule
from collection_pipeline.orchestration.catalogue.partitions import MARKETPLACE_POOL, categories
from collection_pipeline.orchestration.checking import Evaluated, Tolerance, asset_with_checks, evaluated
from collection_pipeline.orchestration.collecting.scope import COLLECTION_TAG, Scope, entered, told_plainly
from collection_pipeline.orchestration.describing import collection_metadata, preview, table_metadata
from collection_pipeline.orchestration.launching import launch_metadata, launched_with, plain_fields
from collection_pipeline.orchestration.lineage import lineage
from collection_pipeline.orchestration.reporting import report, write
from collection_pipeline.orchestration.resources import OpenBestSellers
from collection_pipeline.orchestration.watching.checks import (
    LISTING_CHECKS,
    PRODUCT_CHECKS,
    SELLER_CHECKS,
    SNAPSHOT_CHECKS,
)
from collection_pipeline.settings import Settings
from collection_pipeline.sources.pseudonymous import OpenListings
from collection_pipeline.tables.schema import tables as schema
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


class SearchConfig(dg.Config):
    """How products are searched on eBay."""

    min_markup_percent: float = Field(
        default=80, gt=-100, le=10_000, description="Lower end of the price band: 80 means 1.8 times the Amazon price."
    )
    max_markup_percent: float = Field(
        default=120,
        gt=-100,
        le=10_000,
        description="Upper end of the price band: 120 means 2.2 times the Amazon price.",
    )
    pages: int = Field(
        default=3, ge=1, le=50, description="Result pages per product, of 200 listings and one quota call each."
    )
    pause_between_pages_ms: int = Field(
        default=200, ge=0, le=60_000, description="Pause between two pages of one product, in milliseconds."
    )
    fresh_for_hours: float = Field(
        default=0,
        ge=0,
        le=24 * 365,
        description="Products that any collection searched in the same band less than this ago are not searched again. "
        "0 searches all.",
    )
    accept_unusual: bool = Field(
        default=False, description="Let the run go on with an unusual number of listings: somebody has looked at it."
    )

    def rules(self) -> SearchRules:
        """The same as the core knows it. Raises PipelineError for a band that is upside down."""
        band = BandRule(Decimal(str(self.min_markup_percent)), Decimal(str(self.max_markup_percent)))
        return SearchRules(band, self.pages, self.pause_between_pages_ms / 1000)


@asset_with_checks(
    PRODUCT_CHECKS,
    partitions_def=categories,
    pool=MARKETPLACE_POOL,
    kinds={"amazon", "postgres"},
    calls="oxylabs",
    metadata={**table_metadata(schema.amazon_products), **launch_metadata(BestSellersConfig)},
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
        yield _products(context, config, amazon, retry, store, settings)
    yield from evaluated(PRODUCT_CHECKS, context, store, settings, config.tolerance)


def _products(
    context: dg.AssetExecutionContext,
    config: BestSellersConfig,
    amazon: OpenBestSellers,
    retry: RetryPolicy,
    store: Store,
    settings: Settings,
) -> dg.MaterializeResult[None]:
    began = time.monotonic()
    with entered(context, store, settings) as scope:
        pages: list[BestSellerPage] = []
        # A run that is tried again within its collection does not buy the pages a second time.
        is_known = store.products.was_fetched(scope.collection_id, scope.category)
        calls = 0
        if not is_known:
            pages, calls = report(
                context,
                store,
                lambda emit, _: _fetch(scope, amazon, retry, store, emit),
                partial(scope.require_wanted, store),
            )
            products = ranked(pages)
            known = store.products.count(scope.org_id, scope.category)
            try:
                require_plausible(
                    products, known=known, category=scope.category, least_share=config.least_share_of_known
                )
            except Implausible:
                store.products.forget_pages(scope.collection_id, scope.category)
                raise
            store.products.replace(scope.org_id, scope.collection_id, scope.category, products, calls=calls)
    coverage = store.quality.price_coverage(scope.org_id, scope.category)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": coverage.products,
            "products": coverage.products,
            "without_price": coverage.products - coverage.priced,
            "bad_rows": sum(len(page.bad_rows) for page in pages),
            "pages": len(pages),
            "api_calls": calls,
            "fetched_before": is_known,
            "seconds": round(time.monotonic() - began, 2),
            **collection_metadata(scope.collection_id, settings.feed_url),
            "preview": preview(
                ("position", "asin", "title", "price"), store.products.preview(scope.org_id, scope.category)
            ),
        }
    )


async def _fetch(
    scope: Scope, amazon: OpenBestSellers, retry: RetryPolicy, store: Store, emit: Emit
) -> tuple[list[BestSellerPage], int]:
    category = store.catalogue.current().categories.get(scope.category)
    if category is None:
        raise PipelineError(
            f"The category {scope.category!r} is not in the catalogue in force. Load a catalogue that has it with "
            "`collection-pipeline catalogue load FILE`."
        )
    activity = scope.activity("amazon", emit)
    requester = Requester(activity, retry, asyncio.sleep, worker_id=1)
    async with store.governor.ledger(scope.collection_id) as ledger, amazon(ledger) as source:
        pages = await fetch_best_sellers(
            source,
            category.node,
            requester,
            kept=store.products.kept_pages(scope.collection_id, scope.category),
            keep=partial(store.products.keep_page, scope.collection_id, scope.category),
        )
    activity.record(1, Action.COMPLETE, items_count=sum(len(page.products) for page in pages))
    return pages, requester.calls


@asset_with_checks(
    LISTING_CHECKS,
    deps=[amazon_products],
    partitions_def=categories,
    pool=MARKETPLACE_POOL,
    kinds={"ebay", "postgres"},
    calls="ebay",
    metadata={**table_metadata(schema.ebay_listings), **launch_metadata(SearchConfig)},
    config_schema=plain_fields(SearchConfig),
)
def ebay_listings(
    context: dg.AssetExecutionContext,
    ebay: dg.ResourceParam[OpenListings],
    retry: dg.ResourceParam[RetryPolicy],
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> Evaluated:
    """The eBay listings of one category's best sellers: the evidence that a seller sells a product.

    Every product with a price is searched by its title inside the price band: brand new, fixed price, free delivery,
    located in the US. Five workers share the products; each commits a product's listings together with its checkpoint
    in `product_searches` before it takes the next. A product is searched once per collection, by the first category
    that lists it.

    Example: `SELECT seller_name, price, url FROM ebay_listings WHERE asin = 'B000000000' AND gone_at IS NULL`
    """
    config = launched_with(context, SearchConfig)
    if context.selected_asset_keys:
        yield _listings(context, config, ebay, retry, store, settings)
    yield from evaluated(LISTING_CHECKS, context, store, settings, Tolerance(accept_unusual=config.accept_unusual))


def _listings(
    context: dg.AssetExecutionContext,
    config: SearchConfig,
    ebay: OpenListings,
    retry: RetryPolicy,
    store: Store,
    settings: Settings,
) -> dg.MaterializeResult[None]:
    began = time.monotonic()
    with entered(context, store, settings) as scope:
        rules = config.rules()
        store.collections.agree_on_band(scope.collection_id, rules.band)
        products = store.products.searches(scope.org_id, scope.collection_id, scope.category)
        store.searches.plan(scope.collection_id, scope.category, products)
        if config.fresh_for_hours:
            fresh_for = timedelta(hours=config.fresh_for_hours)
            store.searches.skip_fresh(scope.org_id, scope.collection_id, scope.category, fresh_for=fresh_for)
        pending = store.searches.pending(scope.collection_id, scope.category)
        searches = [replace(one, pages_done=pending[one.asin]) for one in products if one.asin in pending]
        result = report(
            context,
            store,
            lambda emit, stop: _search(scope, ebay, retry, store, searches, rules, emit, stop),
            partial(scope.require_wanted, store),
        )
        if result.stopped_by is not None:
            raise result.stopped_by
        tally = store.searches.tally(scope.collection_id, scope.category)
        tally.require_some_success(scope.category)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": tally.listings,
            **lineage("ebay_listings"),
            "products": len(products),
            "searched": tally.outcomes[SearchStatus.DONE] + tally.outcomes[SearchStatus.EMPTY],
            "without_match": tally.outcomes[SearchStatus.EMPTY],
            "without_price": tally.skipped["no_price"],
            "fresh": tally.skipped["fresh"],
            "skipped": tally.outcomes[SearchStatus.SKIPPED],
            "in_other_categories": len(products) - tally.outcomes.total(),
            "failed": tally.outcomes[SearchStatus.FAILED],
            "listings": tally.listings,
            "api_calls": tally.calls,
            "seconds": round(time.monotonic() - began, 2),
            **collection_metadata(scope.collection_id, settings.feed_url),
            "preview": preview(("title", "price", "listing"), store.searches.preview(scope.org_id, scope.category)),
        }
    )


async def _search(
    scope: Scope,
    ebay: OpenListings,
    retry: RetryPolicy,
    store: Store,
    searches: list[PlannedSearch],
    rules: SearchRules,
    emit: Emit,
    stop: StopSwitch,
) -> CollectingResult:
    async with store.governor.ledger(scope.collection_id) as ledger, ebay(ledger) as source:
        collector = Collector(
            source,
            store.searches.checkpoints(scope.org_id, scope.collection_id),
            rules,
            retry,
            scope.activity("ebay", emit),
            asyncio.sleep,
            stop,
        )
        return await collector.collect(searches)


@asset_with_checks(
    SELLER_CHECKS,
    deps=[ebay_listings],
    partitions_def=categories,
    pool=MARKETPLACE_POOL,
    kinds={"postgres"},
    calls="none",
    metadata=table_metadata(schema.sellers),
)
def ebay_sellers(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> Evaluated:
    """The sellers of one category's listings, merged into the organisation's seller list: one row per account.

    Calls no marketplace, so it can be materialized again for free; a second time changes nothing. New sellers make one
    row in `seller_audit_log`. Removed sellers stay removed (unless COLLECTION_REMOVED_SELLERS is `return`), and names
    given by hand stay as they are. Where most known listings name another seller than before, nothing is merged and the
    collection pauses, until somebody has decided what that means (`collection-pipeline sellers renamed`).

    Example: `SELECT display_name, product_count FROM sellers WHERE status = 'active' ORDER BY product_count DESC`
    """
    if context.selected_asset_keys:
        yield _sellers(context, store, settings)
    yield from evaluated(SELLER_CHECKS, context, store, settings)


def _sellers(context: dg.AssetExecutionContext, store: Store, settings: Settings) -> dg.MaterializeResult[None]:
    began = time.monotonic()
    with entered(context, store, settings) as scope:
        events: list[Any] = []
        activity = scope.activity("ebay", events.append)
        activity.record(SYSTEM, Action.UPLOADING, items_count=store.sellers.evidence(scope.org_id, scope.category))
        merged = store.sellers.merge(
            scope.org_id,
            scope.collection_id,
            scope.category,
            actor=f"run {scope.run_id}",
            removed_return=settings.do_removed_return,
        )
        activity.record(SYSTEM, Action.DEDUPED, items_count=merged.found)
        activity.record(SYSTEM, Action.INSERTED, items_count=merged.new, new_sellers_count=merged.new)
        activity.record(SYSTEM, Action.UPDATED, items_count=merged.known)
        write(context, store, events)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": merged.seller_count,
            **lineage("ebay_sellers"),
            "sellers_found": merged.found,
            "new_sellers": merged.new,
            **_price_of_new(store, scope, merged.new),
            "known_sellers": merged.known,
            "sellers_on_list": merged.seller_count,
            "seconds": round(time.monotonic() - began, 2),
            **collection_metadata(scope.collection_id, settings.feed_url),
            "preview": preview(
                ("position", "asin", "title", "sellers"),
                store.sellers.preview(scope.org_id, scope.category),
            ),
        }
    )


def _price_of_new(store: Store, scope: Scope, new: int) -> dict[str, float]:
    """How many calls each new seller of the category took; nothing where there is none."""
    calls = store.products.calls(scope.collection_id, scope.category)
    calls += store.searches.tally(scope.collection_id, scope.category).calls
    return {"calls_per_new_seller": round(calls / new, 2)} if new else {}


@asset_with_checks(
    SNAPSHOT_CHECKS,
    deps=[ebay_sellers],
    kinds={"postgres"},
    calls="none",
    metadata=table_metadata(schema.seller_count_snapshots),
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
        with told_plainly():
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


ASSETS = [amazon_products, ebay_listings, ebay_sellers, seller_count_snapshot]
