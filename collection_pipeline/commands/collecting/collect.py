"""`collection-pipeline collect`: start a collection through the running Dagster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import click
from rich.console import Console

from collection_pipeline.actions.starting import (
    DEFAULT_PRESET,
    CollectionRequest,
    estimate_collection,
    start_collection,
)
from collection_pipeline.commands.collecting.terminal import summary, watch
from collection_pipeline.commands.numbers import COST, MARKUP
from collection_pipeline.commands.session import errors_as_messages, stores
from collection_pipeline.core.collecting.collections import CollectionStatus
from collection_pipeline.core.collecting.tariff import read_budget
from collection_pipeline.core.money import BandRule
from collection_pipeline.core.watching.answer_links import new_sellers_address
from collection_pipeline.processes.running_services import Services
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store

LOWEST, HIGHEST = BandRule().min_markup_percent, BandRule().max_markup_percent


@click.command(short_help="Start a collection through the running Dagster.")
@click.option("--preset", help=f"A preset of the catalogue. Default: {DEFAULT_PRESET}, if nothing else is named.")
@click.option("--category", "categories", multiple=True, help="A category, by its key. Repeatable.")
@click.option("--again", help="Collect the categories of this earlier collection again.")
@click.option(
    "--name", help="The collection's id; starting the same id twice gives one collection. Default: preset and time."
)
@click.option(
    "--min-markup",
    type=MARKUP,
    default=LOWEST,
    show_default=True,
    help="Lower end of the price band, as a markup in percent.",
)
@click.option(
    "--max-markup",
    type=MARKUP,
    default=HIGHEST,
    show_default=True,
    help="Upper end of the price band, as a markup in percent.",
)
@click.option(
    "--budget",
    help='Calls that the searches may take, or what all of it may cost, such as "25 USD"; spent where they bring the '
    "most new sellers. Default: no limit.",
)
@click.option("--cap", type=COST, help="Cost (calls) that must not be exceeded. Default: none.")
@click.option("--as-far-as-it-goes", is_flag=True, help="Start even if the cap or the quota does not cover all of it.")
@click.option("--estimate", "is_estimate", is_flag=True, help="Show what it would cost, without starting anything.")
@click.option("--wait", is_flag=True, help="Show progress; exit 0 only if the collection completed without errors.")
@errors_as_messages
def collect(
    preset: str | None,
    categories: tuple[str, ...],
    again: str | None,
    name: str | None,
    min_markup: Decimal,
    max_markup: Decimal,
    budget: str | None,
    cap: Decimal | None,
    *,
    as_far_as_it_goes: bool,
    is_estimate: bool,
    wait: bool,
) -> None:
    """Start a collection of a preset, or of single categories, through the running Dagster.

    It says what that will cost first, and is refused if that is more than its cap or the day's quota. Started twice
    while it runs, it is the same collection.

    Example: collection-pipeline collect --preset starter --cap 2000 --wait
    """
    console = Console()
    request = CollectionRequest(
        preset,
        categories,
        again,
        name,
        BandRule(min_markup, max_markup),
        cap,
        None if budget is None else read_budget(budget),
        as_far_as_it_goes,
    )
    with stores() as (settings, store):
        if is_estimate:
            now = datetime.now(UTC)
            wanted, plan = estimate_collection(store, settings.org_id, request, now, tariff=settings.tariff)
            console.print(f"It would take {wanted}.", soft_wrap=True)
            console.print(f"Its plan: {plan}.", soft_wrap=True)
            return
        services = Services.read(settings.home)
        collection_id = start(store, settings, request, console)
        if not wait:
            if settings.database_url is None and (services is None or not services.is_running):
                console.print("Dagster does not run here; the collection starts when `collection-pipeline up` does.")
            console.print(f"Follow it with: collection-pipeline collections show {collection_id}", soft_wrap=True)
            return
        status = follow(store, settings, collection_id, console)
        page_url = settings.feed_url or (services.feed_url if services and services.is_running else None)
        if page_url is not None:
            console.print(f"Who is new: {new_sellers_address(page_url, collection_id)}", soft_wrap=True)
    sys.exit(0 if status is CollectionStatus.COMPLETED else 1)


def start(store: Store, settings: Settings, request: CollectionRequest, console: Console) -> str:
    """Starts a collection, or finds the open one that is the same, and says which and what it will cost. Its id."""
    started = start_collection(store, settings.org_id, request, datetime.now(UTC), tariff=settings.tariff)
    collection = started.collection
    if started.is_new:
        console.print(f"Collection {collection.collection_id}: {started.estimate}.", soft_wrap=True)
        console.print(f"Its plan: {started.plan}.", soft_wrap=True)
    else:
        console.print(
            f"Collection {collection.collection_id} is the same ({collection.status}); no second one is started.",
            soft_wrap=True,
        )
    return collection.collection_id


def follow(
    store: Store, settings: Settings, collection_id: str, console: Console, check: Callable[[], None] = lambda: None
) -> CollectionStatus:
    """Shows a collection until it is over or paused, then what it came to. Its status."""
    progress = watch(store, collection_id, console, check)
    collection = store.collections.get(collection_id)
    failures, expected = store.collections.failures(collection_id), store.collections.expected(collection_id)
    cost = settings.tariff.money(store.collections.calls(collection_id))
    console.print(summary(progress, failures, collection.seller_count_snapshot, expected, cost))
    if collection.pause is not None:
        until = (
            f"until {collection.pause.until:%Y-%m-%d %H:%M} UTC" if collection.pause.until else "until you resume it"
        )
        console.print(f"Paused {until} ({collection.pause.reason}): {collection.pause.message}", soft_wrap=True)
        console.print(f"Go on with: collection-pipeline collections resume {collection_id}", soft_wrap=True)
    return collection.status
