"""`collection-pipeline collections`: what is going on, and control of it."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from collection_pipeline.actions import controlling
from collection_pipeline.commands.collecting.failures import print_failures, print_groups
from collection_pipeline.commands.collecting.terminal import summary
from collection_pipeline.commands.numbers import COST
from collection_pipeline.commands.session import errors_as_messages, stores
from collection_pipeline.commands.tables import json_option, print_json, print_table
from collection_pipeline.core.collecting.failed_units import grouped, mending
from collection_pipeline.core.collecting.progress import Progress
from collection_pipeline.tables.collecting.collections import Collection


@click.group(short_help="List, show and control collections.")
def collections() -> None:
    """List, show, pause, resume and cancel collections."""


@collections.command("list")
@json_option
@errors_as_messages
def list_collections(*, is_json: bool) -> None:
    """List every collection, oldest first.

    Example: collection-pipeline collections list
    """
    with stores() as (_, store):
        known = store.collections.all()
    if is_json:
        print_json([_fields(one) for one in known])
        return
    table = Table("collection", "status", "preset", "started", "completed", "sellers")
    for one in known:
        table.add_row(
            one.collection_id,
            one.status,
            one.preset or "–",
            f"{one.started_at:%Y-%m-%d %H:%M:%S}",
            f"{one.completed_at:%Y-%m-%d %H:%M:%S}" if one.completed_at else "–",
            "–" if one.seller_count_snapshot is None else f"{one.seller_count_snapshot:,}",
        )
    print_table(table, whole=("collection",))


@collections.command("show")
@click.argument("collection_id")
@click.option("--all", "is_all", is_flag=True, help="List everything that failed, not only what it has in common.")
@json_option
@errors_as_messages
def show(collection_id: str, *, is_all: bool, is_json: bool) -> None:
    """Show the figures of one collection, and why how many of its categories and products failed.

    Example: collection-pipeline collections show starter-20261123-141500
    """
    with stores() as (settings, store):
        collection = store.collections.get(collection_id)
        cost = settings.tariff.money(store.collections.calls(collection_id))
        progress = store.collections.progress(collection_id)
        failures = store.collections.failures(collection_id)
        expected = store.collections.expected(collection_id)
    groups = grouped(failures)
    if is_json:
        shown = {
            "cost_in_money": None if cost is None else str(cost),
            "failures": [asdict(one) for one in failures],
            "failure_groups": [asdict(one) for one in groups],
        }
        print_json([{**_fields(collection), **_figures(progress), **shown}])
        return
    console = Console()
    console.print(summary(progress, failures, collection.seller_count_snapshot, expected, cost))
    if collection.pause is not None:
        console.print(f"Paused ({collection.pause.reason}): {collection.pause.message}", soft_wrap=True)
    elif collection.controlled is not None:
        console.print(collection.controlled, soft_wrap=True)
    if failures:
        print_failures(failures) if is_all else print_groups(groups)
    if command := mending(collection_id, collection.status, groups):
        console.print(f"Try again what failed, once the cause is mended: {command}", soft_wrap=True)


def _fields(collection: Collection) -> dict[str, Any]:
    """What `list --json` says of a collection."""
    return {
        "collection_id": collection.collection_id,
        "org_id": collection.org_id,
        "status": collection.status.value,
        "preset": collection.preset,
        "started_at": collection.started_at,
        "completed_at": collection.completed_at,
        "seller_count_snapshot": collection.seller_count_snapshot,
        "cost": collection.cost,
        "cost_cap": collection.cost_cap,
        "pause_reason": None if collection.pause is None else str(collection.pause.reason),
    }


def _figures(progress: Progress) -> dict[str, Any]:
    """What `show --json` says beside that."""
    return {
        "categories_total": progress.categories_total,
        "categories_done": progress.categories_done,
        "products_found": progress.products_found,
        "listings_found": progress.listings_found,
        "sellers_found": progress.sellers_found,
        "new_sellers": progress.new_sellers,
        "calls": progress.calls,
    }


@collections.command("pause")
@click.argument("collection_id")
@errors_as_messages
def pause(collection_id: str) -> None:
    """Pause a running collection. Its runs stop within two seconds; what they have found is kept.

    Example: collection-pipeline collections pause starter-20261123-141500
    """
    with stores() as (_, store):
        paused = controlling.pause(store, collection_id, asked=_here())
    _tell(collection_id, "is paused" if paused.has_changed else f"is {paused.status}; there was nothing to pause")


@collections.command("resume")
@click.argument("collection_id")
@click.option("--cap", type=COST, help="A new cost cap, replacing the old one.")
@errors_as_messages
def resume(collection_id: str, cap: Decimal | None) -> None:
    """Start what is missing of a collection that is paused, or ended with failures or cancelled.

    Example: collection-pipeline collections resume starter-20261123-141500
    """
    with stores() as (_, store):
        resumed = controlling.resume(store, collection_id, asked=_here(), cost_cap=cap)
    _tell(collection_id, f"is {resumed.status}; {resumed.restarted} categories start again")


@collections.command("cancel")
@click.argument("collection_id")
@errors_as_messages
def cancel(collection_id: str) -> None:
    """Cancel a collection. What was found is kept and counted; it can be resumed.

    Example: collection-pipeline collections cancel starter-20261123-141500
    """
    with stores() as (_, store):
        cancelled = controlling.cancel(store, collection_id, asked=_here())
    what = "is being cancelled" if cancelled.has_changed else f"is {cancelled.status}; there was nothing to cancel"
    _tell(collection_id, what)


def _here() -> str:
    return f"with the command line, as {getpass.getuser()}"


def _tell(collection_id: str, what: str) -> None:
    click.echo(f"{collection_id} {what}.")
