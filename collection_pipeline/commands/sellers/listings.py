"""`collection-pipeline sellers listings`: what sellers list, and people's word on whether it is the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from collection_pipeline.actions.judging import Verdict, judge
from collection_pipeline.commands.numbers import ROWS, Amount
from collection_pipeline.commands.sellers.authors import person
from collection_pipeline.commands.session import errors_as_messages, stores
from collection_pipeline.commands.tables import json_option, print_json, print_table
from collection_pipeline.core.printable import printable
from collection_pipeline.core.sellers.identity import seller_key
from collection_pipeline.files.labelled_pairs import write_pairs
from collection_pipeline.tables.collecting.listing_views import ListingChoice, MatchedListing

_LISTINGS = click.argument("listing_ids", metavar="LISTING_ID…", nargs=-1, required=True)
_PRODUCT = click.option("--asin", help="The product that is meant, where a listing was found for several.")
_WHY = click.option("--why", "reason", help="The reason, for whoever looks at it later.")


@click.group("listings", short_help="Show listings with their match, and correct it.")
def listings() -> None:
    """Show how likely listings are the product they were found for, and say so where you know it.

    What people say wins over the match, stays when the listing is collected again, and can be taken back.
    docs/matching.md says where a match comes from.
    """


@listings.command("list")
@click.option("--asin", help="Listings that were found for this product.")
@click.option("--category", help="Listings of this category's current best sellers.")
@click.option("--seller", help="Listings of this seller.")
@click.option("--below", type=Amount(0, 1), help="Only those whose match is below this.")
@click.option("--limit", type=ROWS, default=100, show_default=True, help="The most rows to show.")
@json_option
@errors_as_messages
def list_listings(
    asin: str | None, category: str | None, seller: str | None, below: Decimal | None, limit: int, *, is_json: bool
) -> None:
    """List current listings, the most likely first. Say of which product, category or seller.

    Example: collection-pipeline sellers listings list --category kitchen-coffee-machines --below 0.5
    """
    with stores() as (settings, store):
        key = None if seller is None else seller_key(settings.naming(seller))
        found = store.listings.list(settings.org_id, ListingChoice(asin, category, key, below), limit)
    if is_json:
        print_json([asdict(listing) for listing in found])
        return
    print_table(_as_table(found), whole=("listing", "product"))
    click.echo(f"{len(found):,} rows.")


def _as_table(found: Sequence[MatchedListing]) -> Table:
    table = Table("listing", "product", "match", "why", "title", "price", "seller")
    for one in found:
        cells = (one.listing_id, one.asin, "" if one.match is None else f"{one.match:.2f}", one.match_reasons or "")
        table.add_row(*map(Text, (*cells, one.title, f"{one.price} {one.currency}", one.seller_key)))
    return table


@listings.command("confirm")
@_LISTINGS
@_PRODUCT
@_WHY
@errors_as_messages
def confirm(listing_ids: tuple[str, ...], asin: str | None, reason: str | None) -> None:
    """Say that listings are the product they were found for: their match is 1 from now on.

    Example: collection-pipeline sellers listings confirm 205551112223 --why "same article number"
    """
    _judge(listing_ids, asin, reason, Verdict.CONFIRM)


@listings.command("reject")
@_LISTINGS
@_PRODUCT
@_WHY
@errors_as_messages
def reject(listing_ids: tuple[str, ...], asin: str | None, reason: str | None) -> None:
    """Say that listings are something else than the product: their match is 0 from now on.

    Example: collection-pipeline sellers listings reject 205551112223 --why "only the lid"
    """
    _judge(listing_ids, asin, reason, Verdict.REJECT)


@listings.command("undo")
@_LISTINGS
@_PRODUCT
@errors_as_messages
def undo(listing_ids: tuple[str, ...], asin: str | None) -> None:
    """Take back what was said of listings: they have the match of their titles again.

    Example: collection-pipeline sellers listings undo 205551112223
    """
    _judge(listing_ids, asin, None, Verdict.UNDO)


@listings.command("export-pairs")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@errors_as_messages
def export_pairs(file: Path) -> None:
    """Write what was confirmed and rejected to a new file, as labelled pairs that matching can be measured with.

    Pairs whose listing was purged are no longer there: export before that (docs/data-policy.md).

    Example: collection-pipeline sellers listings export-pairs pairs.tsv
    """
    with stores() as (settings, store):
        pairs = list(store.judgements.pairs(settings.org_id))
    count = write_pairs(
        file,
        ((one.product_title, one.product_price, one.listing_title, one.listing_price, one.is_same) for one in pairs),
    )
    click.echo(f"{count:,} pairs are in {printable(str(file))}.")


_SAID = {Verdict.CONFIRM: "confirmed", Verdict.REJECT: "rejected", Verdict.UNDO: "judged by title again"}


def _judge(listing_ids: Sequence[str], asin: str | None, reason: str | None, verdict: Verdict) -> None:
    with stores() as (settings, store):
        count = judge(store, settings.org_id, listing_ids, verdict, person(), asin=asin, reason=reason)
    click.echo(f"{_listings(count)} {_SAID[verdict]}.")


def _listings(count: int) -> str:
    return f"{count:,} {'listing' if count == 1 else 'listings'}"
