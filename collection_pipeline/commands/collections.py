"""`collection-pipeline collections`: what is going on, and what went on."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from collection_pipeline.commands.session import stores, told_plainly
from collection_pipeline.commands.watching import summary


@click.group(short_help="What is going on, and what went on.")
def collections() -> None:
    """List and show collections."""


@collections.command("list")
@told_plainly
def list_collections() -> None:
    """List every collection, oldest first.

    Example: collection-pipeline collections list
    """
    with stores() as (_, store):
        known = store.collections.all()
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
    Console().print(table)


@collections.command("show")
@click.argument("collection_id")
@told_plainly
def show(collection_id: str) -> None:
    """Show the figures of one collection, and every category and product of it that failed, with the reason.

    Example: collection-pipeline collections show starter-20261123-141500
    """
    console = Console()
    with stores() as (_, store):
        collection = store.collections.get(collection_id)
        progress = store.collections.progress(collection_id)
        failures = store.collections.failures(collection_id)
    console.print(summary(progress, failures, collection.seller_count_snapshot))
    if failures:
        table = Table("unit", "category", "ASIN", "reason", "stage", "message", title="Failures")
        for failure in failures:
            table.add_row(
                failure.unit,
                failure.category,
                failure.asin or "–",
                failure.reason,
                failure.error_stage or "–",
                failure.error_message or "–",
            )
        console.print(table)
