"""The asset ebay_listings: what eBay offers for each category's best sellers."""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, get_args

import dagster as dg
from pydantic import Field

from collection_pipeline.core.activity import Emit
from collection_pipeline.core.collecting.category_work import CategoryWork
from collection_pipeline.core.collecting.planning.resting import LeftOut
from collection_pipeline.core.collecting.product_search import SearchRules
from collection_pipeline.core.collecting.retrying import RetryPolicy
from collection_pipeline.core.collecting.searches import SearchPlan, SearchStatus, SearchTally
from collection_pipeline.core.collecting.stopping import StopSwitch
from collection_pipeline.core.collecting.worker_loop import CollectingResult, Collector
from collection_pipeline.orchestration.catalogue.partitions import MARKETPLACE_POOL, categories
from collection_pipeline.orchestration.checking import Evaluated, Tolerance, asset_with_checks, evaluated
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.collecting.amazon_products import amazon_products
from collection_pipeline.orchestration.collecting.band_config import BandConfig
from collection_pipeline.orchestration.collection_scope import collection_scope
from collection_pipeline.orchestration.describing import collection_metadata, preview, table_metadata
from collection_pipeline.orchestration.launching import launch_metadata, launched_with, plain_fields
from collection_pipeline.orchestration.lineage import lineage
from collection_pipeline.orchestration.running_work import run_work
from collection_pipeline.orchestration.watching.checks import LISTING_CHECKS
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.sources.pseudonymous import OpenListings
from collection_pipeline.tables.schema import tables
from collection_pipeline.tables.store import Store


class SearchConfig(BandConfig):
    """How products are searched on eBay."""

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

    @property
    def fresh_for(self) -> timedelta | None:
        """How long a search stays fresh; None if all are searched."""
        return timedelta(hours=self.fresh_for_hours) if self.fresh_for_hours else None

    def rules(self) -> SearchRules:
        """The core's version of it. Raises PipelineError for a band that is upside down."""
        return SearchRules(self.band, self.pages, self.pause_between_pages_ms / 1000)


@asset_with_checks(
    LISTING_CHECKS,
    deps=[amazon_products],
    partitions_def=categories,
    pool=MARKETPLACE_POOL,
    kinds={"ebay", "postgres"},
    calls="ebay",
    metadata={**table_metadata(tables.ebay_listings), **launch_metadata(SearchConfig)},
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
    that lists it; those that promise most come first, and what keeps finding nothing rests (docs/planning.md).

    Example: `SELECT seller_name, price, url FROM ebay_listings WHERE asin = 'B000000000' AND gone_at IS NULL`
    """
    config = launched_with(context, SearchConfig)
    if context.selected_asset_keys:
        began = time.monotonic()
        with collection_scope(context, store, settings) as work:
            rules = config.rules()
            store.collections.agree_on_band(work.collection_id, rules.band)
            plan = store.searches.plan(work, fresh_for=config.fresh_for)
            search = partial(_search, work, plan, rules, ebay, retry, store)
            run_work(context, store, work, search).require_finished()
            store.searches.leave_out_rest(work, plan)
            tally = store.searches.tally(work.collection_id, work.category)
            tally.require_some_success(work.category)
            median_match = store.matches.note_median(work.org_id, work.collection_id, work.category)
        seconds = round(time.monotonic() - began, 2)
        yield dg.MaterializeResult(
            metadata={
                **_metadata(work, plan, tally, store, settings, seconds),
                **({} if median_match is None else {"median_match": float(median_match)}),
            }
        )
    yield from evaluated(LISTING_CHECKS, context, store, settings, Tolerance(accept_unusual=config.accept_unusual))


async def _search(
    work: CategoryWork,
    plan: SearchPlan,
    rules: SearchRules,
    ebay: OpenListings,
    retry: RetryPolicy,
    store: Store,
    emit: Emit,
    stop: StopSwitch,
) -> CollectingResult:
    async with store.governor.ledger(work.collection_id) as ledger, ebay(ledger) as source:
        checkpoints = store.searches.checkpoints(work.org_id, work.collection_id)
        activity = work.activity("ebay", emit, utc_now)
        collector = Collector(source, checkpoints, rules, retry, activity, asyncio.sleep, stop, budget=plan.budget)
        return await collector.collect(plan.pending)


def _metadata(
    work: CategoryWork, plan: SearchPlan, tally: SearchTally, store: Store, settings: Settings, seconds: float
) -> Mapping[str, Any]:
    promised = store.collections.expected_of(work.collection_id, work.category)
    return {
        "dagster/row_count": tally.listings,
        **lineage("ebay_listings"),
        "products": plan.products,
        "searched": tally.outcomes[SearchStatus.DONE] + tally.outcomes[SearchStatus.EMPTY],
        "without_match": tally.outcomes[SearchStatus.EMPTY],
        "without_price": tally.skipped["no_price"],
        **{reason: tally.skipped[reason] for reason in get_args(LeftOut)},
        "expected_new_sellers": float(plan.expected.mean if promised is None else promised),
        "skipped": tally.outcomes[SearchStatus.SKIPPED],
        "in_other_categories": plan.products - tally.outcomes.total(),
        "failed": tally.outcomes[SearchStatus.FAILED],
        **({"failed_because": dict(tally.failed.most_common())} if tally.failed else {}),
        "listings": tally.listings,
        "api_calls": tally.calls,
        "seconds": seconds,
        **collection_metadata(work.collection_id, settings.feed_url),
        "preview": preview(("title", "price", "listing"), store.searches.preview(work.org_id, work.category)),
    }
