"""The seller list as it is, as it was, and what changed in between."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from collection_pipeline.commands.numbers import ROWS
from collection_pipeline.commands.sellers.choosing import seller_selection_options
from collection_pipeline.commands.session import errors_as_messages, stores
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.sellers.exports import Selection
from collection_pipeline.tables.sellers.history import HistoryStore, Moment

_MOMENT_HELP = "the number of a change, or a moment in UTC such as 2026-11-23 or 2026-11-23T14:00"


@click.command("list")
@seller_selection_options
@click.option("--limit", type=ROWS, default=100, show_default=True, help="The most rows to show.")
@click.option("--at", "moment", help=f"The list as it was then: {_MOMENT_HELP}. Other choices do not apply.")
@errors_as_messages
def list_sellers(selection: Selection, limit: int, moment: str | None) -> None:
    """List sellers by name.

    Example: collection-pipeline sellers list --flagged --never-exported
    """
    table = Table("seller", "key", "status", "flag", "note")
    with stores() as (settings, store):
        if moment is not None:
            then = store.history.at(settings.org_id, moment_of(moment))
            shown, known = then[:limit], len(then)
            for one in shown:
                _row(table, one.display_name, one.seller_key, one.status, "⚑" if one.is_flagged else "", one.note)
        else:
            known = store.exports.count(settings.org_id, selection)
            table = Table("seller", "key", "status", "flag", "products", "listings", "last seen", "note")
            with store.exports.stream(settings.org_id, selection, limit) as found:
                for seller in found:
                    _row(
                        table,
                        seller.display_name,
                        seller.seller_key,
                        seller.status,
                        "⚑" if seller.is_flagged else "",
                        f"{seller.product_count:,}",
                        f"{seller.listing_count:,}",
                        f"{seller.last_seen_at:%Y-%m-%d}",
                        seller.note,
                    )
    _print(table, known)


@click.command("history")
@click.argument("name", required=False)
@click.option("--limit", type=ROWS, default=50, show_default=True, help="The most rows to show.")
@errors_as_messages
def history(name: str | None, limit: int) -> None:
    """Show what changed or counted the list, newest first; or, with a NAME, every state of the sellers called so.

    Example: collection-pipeline sellers history deal_hunter
    """
    with stores() as (settings, store):
        if name is None:
            table = _timeline(store.history, settings.org_id, limit)
        else:
            table = Table("when", "change", "what", "by", "name", "key", "status", "flag", "note")
            for one in store.history.versions(settings.org_id, name, limit):
                _row(
                    table,
                    f"{one.changed_at:%Y-%m-%d %H:%M:%S}",
                    str(one.audit_id),
                    one.action,
                    one.actor,
                    one.display_name,
                    one.seller_key,
                    one.status,
                    "⚑" if one.is_flagged else "",
                    one.note,
                )
    _print(table, table.row_count)


def _timeline(past: HistoryStore, org_id: str, limit: int) -> Table:
    table = Table("when", "change", "what", "by", "collection", "sellers", "count after")
    for one in past.timeline(org_id, limit):
        _row(
            table,
            f"{one.happened_at:%Y-%m-%d %H:%M:%S}",
            "" if one.audit_id is None else str(one.audit_id),
            one.action or f"counted ({one.source})",
            one.actor,
            one.collection_id,
            f"{one.affected_count:,}",
            f"{one.seller_count:,}",
        )
    return table


@click.command("diff")
@click.argument("first")
@click.argument("second")
@errors_as_messages
def diff(first: str, second: str) -> None:
    """Show who was added, removed or changed from FIRST to SECOND, each the number of a change or a moment in UTC.

    Example: collection-pipeline sellers diff 2026-11-01 2026-12-01
    """
    table = Table("change", "key", "before", "after")
    with stores() as (settings, store):
        for one in store.history.difference(settings.org_id, moment_of(first), moment_of(second)):
            before = _state(one.old_name, one.old_note, is_flagged=one.was_flagged)
            _row(
                table, one.change, one.seller_key, before, _state(one.new_name, one.new_note, is_flagged=one.is_flagged)
            )
    _print(table, table.row_count)


def moment_of(text: str) -> Moment:
    """The number of a change, or a moment; one without a zone is UTC. Raises PipelineError."""
    if re.fullmatch(r"\d{1,18}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise PipelineError(f"{text!r} is no moment: give {_MOMENT_HELP}.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _state(name: str | None, note: str | None, *, is_flagged: bool | None) -> str:
    return " ".join(filter(None, (name, "⚑" if is_flagged else "", f"({note})" if note else "")))


def _row(table: Table, *cells: str | None) -> None:
    """A row whose cells are text, whatever brackets a name holds."""
    table.add_row(*(Text(cell or "") for cell in cells))


def _print(table: Table, known: int) -> None:
    console = Console()
    console.print(table)
    more = f", of {known:,}" if known > table.row_count else ""
    console.print(f"{table.row_count:,} rows{more}.")
