"""What assets, checks and sensors are given: the stores, and ways to open the marketplaces."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial

import dagster as dg

from collection_pipeline.core.collecting.products import BestSellerSource
from collection_pipeline.core.collecting.retrying import RetryPolicy
from collection_pipeline.core.collecting.usage import CallLedger
from collection_pipeline.orchestration.run_tags import data_tags
from collection_pipeline.processes.token_file import TokenFile
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.sources.ebay.token import EbayAccount
from collection_pipeline.sources.opening import open_best_sellers, open_listings, open_result_pages
from collection_pipeline.sources.oxylabs.jobs import OxylabsAccount
from collection_pipeline.sources.pseudonymous import OpenListings, pseudonymous
from collection_pipeline.stores import open_store
from collection_pipeline.tables.store import Store

OpenBestSellers = Callable[[CallLedger], AbstractAsyncContextManager[BestSellerSource]]
"""Opens Amazon's best sellers for one run: one pooled client, closed at its end."""


@dg.resource(description="Settings from the environment, read when a run begins.")
def settings(context: dg.InitResourceContext) -> Settings:
    """The process's settings. A wrong one fails the run that needs it, never the loading of the definitions.

    A run on simulated data is given the tag that says so, whoever started it.
    """
    chosen = Settings.from_mapping(os.environ)
    tags = data_tags(is_simulated=chosen.has_simulated_data)
    if context.run is not None and context.instance is not None and not tags.items() <= context.run.tags.items():
        context.instance.add_run_tags(context.run.run_id, tags)
    return chosen


@dg.resource(description="The output tables.", required_resource_keys={"settings"})
def store(context: dg.InitResourceContext) -> Iterator[Store]:
    """The stores, connected for as long as a run or a sensor tick takes."""
    chosen: Settings = context.resources.settings
    with open_store(chosen) as opened:
        yield opened


@dg.resource(description="Amazon best sellers through Oxylabs.", required_resource_keys={"settings"})
def amazon(context: dg.InitResourceContext) -> OpenBestSellers:
    """How to open the source of best sellers."""
    chosen: Settings = context.resources.settings
    return partial(open_best_sellers, _oxylabs(chosen), limits=chosen.answer_limits)


@dg.resource(
    description="eBay listings through the Browse API, or from result pages with EBAY_SOURCE=pages.",
    required_resource_keys={"settings"},
)
def ebay(context: dg.InitResourceContext) -> OpenListings:
    """How to open the source of listings. Nothing behind it knows which one is in use."""
    chosen: Settings = context.resources.settings
    opening = _listings(chosen)
    return pseudonymous(opening, chosen.naming) if chosen.are_names_hashed else opening


def _listings(chosen: Settings) -> OpenListings:
    if chosen.ebay_source == "pages":
        return partial(open_result_pages, _oxylabs(chosen), limits=chosen.answer_limits)
    client_id, client_secret = chosen.ebay_credentials
    account = EbayAccount(chosen.ebay_api_url, client_id, client_secret, marketplace=chosen.ebay_marketplace)
    return partial(open_listings, account, limits=chosen.answer_limits, shared=TokenFile(chosen.home))


def _oxylabs(chosen: Settings) -> OxylabsAccount:
    username, password = chosen.oxylabs_credentials
    return OxylabsAccount(chosen.oxylabs_url, username, password)


@dg.resource(description="How often, and after which waits, a failed request is tried again.")
def retry(_context: dg.InitResourceContext) -> RetryPolicy:
    """The policy of every request to a marketplace."""
    return RetryPolicy()


RESOURCES = {
    "settings": settings,
    "store": store,
    "amazon": amazon,
    "ebay": ebay,
    "retry": retry,
    # Assets hand each other nothing. Dagster's default would, and takes a folder from whoever launches a run.
    "io_manager": dg.mem_io_manager,
}
