"""What people start: jobs, each with a launch configuration that works as it stands."""

import enum
from decimal import Decimal

import dagster as dg
from pydantic import Field

from collection_pipeline.actions import controlling, starting
from collection_pipeline.actions.starting import CollectionRequest
from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.core.collecting.budget import estimate
from collection_pipeline.core.collecting.collections import CollectionStatus
from collection_pipeline.core.collecting.tariff import BROWSE, read_budget
from collection_pipeline.core.collecting.usage import LARGEST_COST
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.collecting.amazon_products import amazon_products
from collection_pipeline.orchestration.collecting.band_config import BandConfig
from collection_pipeline.orchestration.collecting.ebay_listings import ebay_listings
from collection_pipeline.orchestration.failures import errors_as_failures
from collection_pipeline.orchestration.launching import launchable
from collection_pipeline.orchestration.sellers.ebay_sellers import ebay_sellers
from collection_pipeline.orchestration.sellers.seller_count_snapshot import seller_count_snapshot
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store

category_collect = dg.define_asset_job(
    "category_collect",
    selection=dg.AssetSelection.assets(amazon_products, ebay_listings, ebay_sellers),
    description=(
        "Collects one category: its best sellers on Amazon, their listings on eBay, and the sellers of these. Choose "
        "categories as partitions; at most five such runs (COLLECTION_MAX_RUNS) work at a time. The snapshot follows "
        "by itself."
    ),
)

sellers_count = dg.define_asset_job(
    "sellers_count",
    selection=dg.AssetSelection.assets(seller_count_snapshot),
    description="Counts the seller list and keeps the count. Runs by itself after every collection.",
)


HERE = "in the Dagster UI"


class CollectionConfig(dg.Config):
    """Which collection is meant."""

    collection_id: str = Field(
        default="",
        description="Its id, as in the tag collection_id of its runs. Not needed where only one can be meant.",
    )


class ResumeConfig(CollectionConfig):
    """Which collection to resume, and with which cost cap."""

    cost_cap: float | None = Field(
        default=None, ge=0, le=LARGEST_COST, description="A new cost cap (calls) in place of the old one."
    )


def _presets_with_estimates() -> str:
    """The starter presets, each with what it takes where nothing is known of its categories yet."""
    catalogue = read_catalogue(STARTER_FILE)
    each = [f"{key}: {estimate(preset.categories, {}, BROWSE)}" for key, preset in catalogue.presets.items()]
    return "; ".join(each)


class StarterPreset(enum.StrEnum):
    """The presets of the starter catalogue, for the launchpad to offer. A test keeps them the same."""

    starter = "starter"
    electronics = "electronics"
    home = "home"
    family = "family"
    everything = "everything"


class StartConfig(BandConfig):
    """What is to be collected."""

    only_estimate: bool = Field(
        default=False, description="Say what it will take, from earlier collections of its categories; start nothing."
    )
    preset: StarterPreset = Field(
        default=StarterPreset.starter,
        description=f"What is collected, and what that takes the first time: {_presets_with_estimates()}.",
    )
    own_preset: str = Field(default="", description="A preset of your own catalogue, by its key, instead.")
    categories: list[str] = Field(default=[], description="Single categories, by their keys, instead.")
    name: str = Field(default="", description="The collection's id; empty makes one of the preset and the time.")
    cost_cap: float | None = Field(
        default=None, ge=0, le=LARGEST_COST, description="Cost (calls) that must not be exceeded."
    )
    budget: int | None = Field(
        default=None,
        ge=1,
        le=LARGEST_COST,
        description="Calls that the searches may take, spent where they bring the most new sellers.",
    )
    money_budget: str = Field(default="", description="What all of it may cost instead, such as `25 USD`.")
    as_far_as_it_goes: bool = Field(default=False, description="Start even if cap or quota will not do for all of it.")


@dg.op
def start(
    context: dg.OpExecutionContext,
    config: StartConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Starts a collection of a preset or of single categories, at a price band and a cost cap of your choice.

    Says what it will probably cost and plans it; a sensor starts its runs within seconds.
    """
    with errors_as_failures():
        request = CollectionRequest(
            preset=None if config.categories else config.own_preset or config.preset,
            categories=tuple(config.categories),
            name=config.name or None,
            band=config.band,
            cost_cap=None if config.cost_cap is None else Decimal(str(config.cost_cap)),
            budget=read_budget(config.money_budget) if config.money_budget else config.budget,
            as_far_as_it_goes=config.as_far_as_it_goes,
        )
        if config.only_estimate:
            wanted, plan = starting.estimate_collection(
                store, settings.org_id, request, utc_now(), tariff=settings.tariff
            )
            context.log.info(f"It would take {wanted}. Its plan: {plan}. Nothing was started.")
            return
        started = starting.start_collection(store, settings.org_id, request, utc_now(), tariff=settings.tariff)
    what = f"will take {started.estimate}" if started.is_new else "is the same and already there"
    context.log.info(f"{started.collection.collection_id} {what}. Its plan: {started.plan}.")


@dg.op
def pause(context: dg.OpExecutionContext, config: CollectionConfig, store: dg.ResourceParam[Store]) -> None:
    """Pauses a collection: its runs stop within two seconds, and what they have found is kept."""
    collection_id = _meant(config, store, CollectionStatus.RUNNING)
    paused = controlling.pause(store, collection_id, asked=HERE)
    context.log.info(f"{collection_id} {'is paused' if paused.has_changed else 'was not running'}.")


@dg.op
def resume(context: dg.OpExecutionContext, config: ResumeConfig, store: dg.ResourceParam[Store]) -> None:
    """Starts what is missing of a collection that is paused, cancelled, or ended with failures."""
    collection_id = _meant(config, store, CollectionStatus.PAUSED)
    cap = None if config.cost_cap is None else Decimal(str(config.cost_cap))
    resumed = controlling.resume(store, collection_id, asked=HERE, cost_cap=cap)
    context.log.info(f"{collection_id}: {resumed.restarted} categories start again.")


@dg.op
def cancel(context: dg.OpExecutionContext, config: CollectionConfig, store: dg.ResourceParam[Store]) -> None:
    """Cancels a collection: what was found is kept and counted, and it can be resumed."""
    collection_id = _meant(config, store, CollectionStatus.RUNNING, CollectionStatus.PAUSED)
    cancelled = controlling.cancel(store, collection_id, asked=HERE)
    context.log.info(f"{collection_id} {'is being cancelled' if cancelled.has_changed else 'was not open'}.")


def _meant(config: CollectionConfig, store: Store, *statuses: CollectionStatus) -> str:
    """The collection that was named, or the only one that the job can apply to."""
    with errors_as_failures():
        if config.collection_id:
            return store.collections.get(config.collection_id).collection_id
        found = [one.collection_id for one in store.collections.open() if one.status in statuses]
        if len(found) != 1:
            standing = " or ".join(statuses)
            raise PipelineError(f"Say which collection is meant; {standing} are: {', '.join(found) or 'none'}.")
        return found[0]


collection_start = launchable("collection_start", start, StartConfig)
collection_pause = launchable("collection_pause", pause, CollectionConfig)
collection_resume = launchable("collection_resume", resume, ResumeConfig)
collection_cancel = launchable("collection_cancel", cancel, CollectionConfig)

ASSET_JOBS = [category_collect, sellers_count]

CONTROL_JOBS = [collection_start, collection_pause, collection_resume, collection_cancel]
