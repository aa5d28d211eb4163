"""`collection-pipeline sellers`: the seller list, edited by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from collection_pipeline.commands.numbers import CHANGE
from collection_pipeline.commands.sellers.authors import author
from collection_pipeline.commands.sellers.files import export_sellers, import_sellers
from collection_pipeline.commands.sellers.history import diff, history, list_sellers
from collection_pipeline.commands.sellers.listings import listings
from collection_pipeline.commands.sellers.policy import erase, renamed
from collection_pipeline.commands.session import errors_as_messages, stores
from collection_pipeline.core.sellers.edits import NewSeller, SellerUpdate
from collection_pipeline.tables.sellers.edits import Edit


@click.group(short_help="Show, edit, import and export the seller list.")
def sellers() -> None:
    """Edit the seller list, look at its past, import and export it.

    A seller is named by its key or its present name. Every change is all or nothing, is written down with who made it,
    and can be undone. COLLECTION_ORG says whose list is meant.
    """


@sellers.command("add")
@click.argument("names", nargs=-1, required=True)
@click.option("--note", help="A note for each of them.")
@click.option("--flag", "is_flagged", is_flag=True, help="Flag them.")
@errors_as_messages
def add(names: tuple[str, ...], note: str | None, *, is_flagged: bool) -> None:
    """Add sellers to the list; several are one edit.

    Example: collection-pipeline sellers add "deal_hunter" "tom's.attic" --note "met at the fair"
    """
    with stores() as (settings, store):
        wanted = [NewSeller(name, note, is_flagged) for name in names]
        print_edit(store.edits.add(settings.org_id, wanted, author()))


@sellers.command("update")
@click.argument("name")
@click.option("--rename", help="The name to display. The seller's key stays the same.")
@click.option("--note", help='A note; "" takes it away.')
@click.option("--flag/--no-flag", "is_flagged", default=None, help="Flag it, or take the flag away.")
@errors_as_messages
def update(name: str, rename: str | None, note: str | None, is_flagged: bool | None) -> None:
    """Change one seller's name, note or flag.

    Example: collection-pipeline sellers update deal_hunter --rename "Deal Hunter Ltd" --note "answers quickly"
    """
    with stores() as (settings, store):
        print_edit(store.edits.update(settings.org_id, name, SellerUpdate(rename, note, is_flagged), author()))


@sellers.command("remove")
@click.argument("names", nargs=-1, required=True)
@errors_as_messages
def remove(names: tuple[str, ...]) -> None:
    """Take sellers off the list; several are one edit. Collections do not bring them back.

    Example: collection-pipeline sellers remove deal_hunter "tom's.attic"
    """
    with stores() as (settings, store):
        print_edit(store.edits.remove(settings.org_id, names, author()))


@sellers.command("flag")
@click.argument("names", nargs=-1, required=True)
@click.option("--off", is_flag=True, help="Take their flags away.")
@errors_as_messages
def flag(names: tuple[str, ...], *, off: bool) -> None:
    """Flag sellers.

    Example: collection-pipeline sellers flag deal_hunter
    """
    with stores() as (settings, store):
        print_edit(store.edits.flag(settings.org_id, names, author(), is_flagged=not off))


@sellers.command("undo")
@click.argument("change", type=CHANGE)
@errors_as_messages
def undo(change: int) -> None:
    """Take an edit or an import back, by the number that `sellers history` shows. It is an edit of its own.

    Example: collection-pipeline sellers undo 42
    """
    with stores() as (settings, store):
        print_edit(store.edits.undo(settings.org_id, change, author(), datetime.now(UTC)))


def print_edit(edit: Edit) -> None:
    """Says what an edit did."""
    what = f"{edit.affected:,} {'seller' if edit.affected == 1 else 'sellers'} {edit.action.replace('_', ' ')}"
    click.echo(f"{what}; the list holds {edit.seller_count:,} now. Change {edit.audit_id}.")


for command in (list_sellers, history, diff, import_sellers, export_sellers, erase, renamed, listings):
    sellers.add_command(command)
