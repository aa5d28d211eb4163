"""`collection-pipeline collect`: start a collection through the running Dagster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import click
from rich.console import Console

from collection_pipeline.commands.session import stores, told_plainly
from collection_pipeline.commands.watching import summary, watch
from collection_pipeline.core.collections import CollectionPlan, CollectionStatus, new_collection_id
from collection_pipeline.core.money import BandRule
from collection_pipeline.processes import Services
from collection_pipeline.settings import Settings
from collection_pipeline.tables.store import Store

DEFAULT_PRESET = "starter"


@click.command(short_help="Start a collection through the running Dagster.")
@click.option("--preset", help=f"A preset of the catalogue. Default: {DEFAULT_PRESET}, if no category is named either.")
@click.option("--category", "categories", multiple=True, help="A category key; may be given several times.")
@click.option("--name", help="The collection's id. Given twice, it is one collection. Default: preset and time.")
@click.option("--min-markup", type=float, default=80, show_default=True, help="Lower end of the price band, percent.")
@click.option("--max-markup", type=float, default=120, show_default=True, help="Upper end of the price band, percent.")
@click.option("--wait", is_flag=True, help="Show progress; exit 0 only if the collection completed without errors.")
@told_plainly
def collect(
    preset: str | None,
    categories: tuple[str, ...],
    name: str | None,
    min_markup: float,
    max_markup: float,
    *,
    wait: bool,
) -> None:
    """Start a collection of a preset, or of single categories, through the running Dagster.

    Started twice while it runs, it is the same collection.

    Example: collection-pipeline collect --preset starter --wait
    """
    console = Console()
    with stores() as (settings, store):
        services = Services.read(settings.home)
        collection_id = start(
            store,
            settings,
            preset,
            categories,
            name,
            BandRule(Decimal(str(min_markup)), Decimal(str(max_markup))),
            console,
        )
        if not wait:
            if settings.database_url is None and (services is None or not services.is_running):
                console.print("Dagster does not run here; the collection starts when `collection-pipeline up` does.")
            console.print(f"Follow it with: collection-pipeline collections show {collection_id}", soft_wrap=True)
            return
        status = follow(store, collection_id, console)
    sys.exit(0 if status is CollectionStatus.COMPLETED else 1)


def start(
    store: Store,
    settings: Settings,
    preset: str | None,
    categories: tuple[str, ...],
    name: str | None,
    band: BandRule,
    console: Console,
) -> str:
    """Plans a collection, or finds the open one that is the same, and says which. Its id."""
    if preset is None and not categories:
        preset = DEFAULT_PRESET
    plan = CollectionPlan(
        collection_id=name or new_collection_id(preset or categories[0], datetime.now(UTC)),
        categories=store.catalogue.current().select(preset=preset, categories=categories),
        band=band,
        org_id=settings.org_id,
        preset=preset,
    )
    collection, is_new = store.collections.start(plan)
    if is_new:
        console.print(f"Collection {collection.collection_id}: {len(plan.categories)} categories.", soft_wrap=True)
    else:
        console.print(
            f"Collection {collection.collection_id} is the same ({collection.status}); no second one is started.",
            soft_wrap=True,
        )
    return collection.collection_id


def follow(
    store: Store, collection_id: str, console: Console, check: Callable[[], None] = lambda: None
) -> CollectionStatus:
    """Shows a collection until it is over, then what it came to. Its final status."""
    progress = watch(store, collection_id, console, check)
    collection = store.collections.get(collection_id)
    console.print(summary(progress, store.collections.failures(collection_id), collection.seller_count_snapshot))
    return collection.status
