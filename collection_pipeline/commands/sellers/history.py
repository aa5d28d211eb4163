"""The seller list as it is, as it was, and what changed in between."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import click
from rich.table import Table
from rich.text import Text

from collection_pipeline.commands.numbers import ROWS
from collection_pipeline.commands.sellers.choosing import require_known, seller_selection_options
from collection_pipeline.commands.session import errors_as_messages, stores
from collection_pipeline.commands.tables import json_option, print_json, print_table
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.seller_list import ListedSeller, SellerRow
from collection_pipeline.tables.sellers.exports import Selection
from collection_pipeline.tables.sellers.history import Difference, Moment, TimelineEntry, Version

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")

_MOMENT_HELP = "the number of a change, or a moment in UTC such as 2026-11-23 or 2026-11-23T14:00"


@click.command("list")
@seller_selection_options
@click.option("--limit", type=ROWS, default=100, show_default=True, help="The most rows to show.")
@click.option("--at", "moment", help=f"The list as it was then: {_MOMENT_HELP}. Other choices do not apply.")
@json_option
@errors_as_messages
def list_sellers(selection: Selection, limit: int, moment: str | None, *, is_json: bool) -> None:
    """List sellers by name.

    Example: collection-pipeline sellers list --flagged --never-exported
    """
    with stores() as (settings, store):
        if moment is not None:
            then = store.history.at(settings.org_id, moment_of(moment))
            _show(then[:limit], _list_then, is_json=is_json, known=len(then))
            return
        require_known(store, settings.org_id, selection)
        known = store.exports.count(settings.org_id, selection)
        with store.exports.stream(settings.org_id, selection, limit, is_simulated=settings.has_simulated_data) as found:
            _show(list(found), _list_now, is_json=is_json, known=known)


def _list_then(sellers: Sequence[ListedSeller]) -> Table:
    table = Table("seller", "key", "status", "flag", "note")
    for one in sellers:
        _row(table, one.display_name, one.seller_key, one.status, "⚑" if one.is_flagged else "", one.note)
    return table


def _list_now(sellers: Sequence[SellerRow]) -> Table:
    table = Table("seller", "key", "status", "flag", "products", "listings", "last seen", "note")
    for one in sellers:
        _row(
            table,
            one.display_name,
            one.seller_key,
            one.status,
            "⚑" if one.is_flagged else "",
            f"{one.product_count:,}",
            f"{one.listing_count:,}",
            f"{one.last_seen_at:%Y-%m-%d}",
            one.note,
        )
    return table


@click.command("history")
@click.argument("name", required=False)
@click.option("--limit", type=ROWS, default=50, show_default=True, help="The most rows to show.")
@json_option
@errors_as_messages
def history(name: str | None, limit: int, *, is_json: bool) -> None:
    """Show what changed or counted the list, newest first; or, with a NAME, every state of the sellers called so.

    Example: collection-pipeline sellers history deal_hunter
    """
    with stores() as (settings, store):
        if name is None:
            _show(store.history.timeline(settings.org_id, limit), _timeline, is_json=is_json)
        else:
            _show(store.history.versions(settings.org_id, name, limit), _versions, is_json=is_json)


def _versions(versions: Sequence[Version]) -> Table:
    table = Table("when", "change", "what", "by", "name", "key", "status", "flag", "note")
    for one in versions:
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
    return table


def _timeline(entries: Sequence[TimelineEntry]) -> Table:
    table = Table("when", "change", "what", "by", "collection", "sellers", "count after")
    for one in entries:
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
@json_option
@errors_as_messages
def diff(first: str, second: str, *, is_json: bool) -> None:
    """Show who was added, removed or changed from FIRST to SECOND, each the number of a change or a moment in UTC.

    Example: collection-pipeline sellers diff 2026-11-01 2026-12-01
    """
    with stores() as (settings, store):
        differences = list(store.history.difference(settings.org_id, moment_of(first), moment_of(second)))
    _show(differences, _differences, is_json=is_json)


def _differences(differences: Sequence[Difference]) -> Table:
    table = Table("change", "key", "before", "after")
    for one in differences:
        before = _state(one.old_name, one.old_note, is_flagged=one.was_flagged)
        after = _state(one.new_name, one.new_note, is_flagged=one.is_flagged)
        _row(table, one.change, one.seller_key, before, after)
    return table


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


def _show(
    rows: Sequence[Row], as_table: Callable[[Sequence[Row]], Table], *, is_json: bool, known: int | None = None
) -> None:
    """Prints rows as a table with their number, of as many as are `known`, or as JSON."""
    if is_json:
        print_json([asdict(row) for row in rows])
        return
    print_table(as_table(rows), whole=("seller", "key", "collection"))
    more = f", of {known:,}" if known is not None and known > len(rows) else ""
    click.echo(f"{len(rows):,} rows{more}.")
