"""Opening the sources: a client of its own for each run, closed at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from collection_pipeline.core.collecting.listings import ListingSource
from collection_pipeline.core.collecting.products import BestSellerSource
from collection_pipeline.core.collecting.usage import AnswerLimits, CallLedger
from collection_pipeline.sources.discretion import DiscreetBestSellers, DiscreetListings
from collection_pipeline.sources.ebay import browse_api
from collection_pipeline.sources.ebay.result_pages import EbayResultPages
from collection_pipeline.sources.ebay.token import NOT_SHARED, EbayAccount, SharedToken
from collection_pipeline.sources.http import DEFAULT_ANSWER_LIMITS, pooled_client
from collection_pipeline.sources.oxylabs import jobs
from collection_pipeline.sources.oxylabs.best_sellers import OxylabsBestSellers
from collection_pipeline.sources.oxylabs.jobs import OxylabsAccount, OxylabsJobs


def _utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_best_sellers(
    account: OxylabsAccount,
    ledger: CallLedger,
    *,
    clock: Callable[[], datetime] = _utc_now,
    limits: AnswerLimits = DEFAULT_ANSWER_LIMITS,
) -> AsyncIterator[BestSellerSource]:
    """Amazon's best sellers, for as long as the block runs."""
    async with _oxylabs(account, ledger, clock, limits) as jobs:
        yield DiscreetBestSellers(OxylabsBestSellers(jobs), account.secrets)


@asynccontextmanager
async def open_result_pages(
    account: OxylabsAccount,
    ledger: CallLedger,
    *,
    clock: Callable[[], datetime] = _utc_now,
    limits: AnswerLimits = DEFAULT_ANSWER_LIMITS,
) -> AsyncIterator[ListingSource]:
    """eBay's result pages, for as long as the block runs."""
    async with _oxylabs(account, ledger, clock, limits) as jobs:
        yield DiscreetListings(EbayResultPages(jobs), account.secrets)


@asynccontextmanager
async def _oxylabs(
    account: OxylabsAccount, ledger: CallLedger, clock: Callable[[], datetime], limits: AnswerLimits
) -> AsyncIterator[OxylabsJobs]:
    async with pooled_client(account.url, read_timeout_s=jobs.READ_TIMEOUT_S, limits=limits) as client:
        yield OxylabsJobs(account, client, ledger, clock=clock)


@asynccontextmanager
async def open_listings(
    account: EbayAccount,
    ledger: CallLedger,
    *,
    page_size: int = browse_api.PAGE_SIZE,
    clock: Callable[[], datetime] = _utc_now,
    limits: AnswerLimits = DEFAULT_ANSWER_LIMITS,
    shared: SharedToken = NOT_SHARED,
) -> AsyncIterator[ListingSource]:
    """eBay's Browse API, for as long as the block runs. Its token is its own unless it is shared."""
    async with pooled_client(account.url, read_timeout_s=browse_api.READ_TIMEOUT_S, limits=limits) as client:
        listings = browse_api.EbayListings(account, client, ledger, clock=clock, page_size=page_size, shared=shared)
        yield DiscreetListings(listings, account.secrets)
