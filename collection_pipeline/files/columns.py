"""What an export holds: its columns in order, each with a type and a sentence. The readers recognise the same names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter

from collection_pipeline.core.sellers.seller_list import SellerRow


class Kind(StrEnum):
    """What a column holds; every format writes these six in its own way."""

    TEXT = "text"
    FLAG = "yes or no"
    COUNT = "whole number"
    PERCENT = "decimal number"
    SHARE = "part of one"
    MOMENT = "time, UTC"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an export."""

    name: str
    kind: Kind
    doc: str


Cell = str | bool | int | Decimal | datetime | None

COLUMNS = (
    Column("org_id", Kind.TEXT, "Organisation whose list the seller is on."),
    Column("marketplace", Kind.TEXT, "Where the account is: ebay."),
    Column("seller_key", Kind.TEXT, "Who it is, also after a rename; an import goes by it where the file has it."),
    Column("display_name", Kind.TEXT, "Name for people."),
    Column("status", Kind.TEXT, "active, or removed by somebody."),
    Column("note", Kind.TEXT, "What people wrote about it; empty where nobody did."),
    Column("is_flagged", Kind.FLAG, "Whether somebody marked it."),
    Column("exported_at", Kind.MOMENT, "When it was last part of an export before; empty if it never was."),
    Column("feedback_score", Kind.COUNT, "Feedback score when last seen; empty where not said."),
    Column("feedback_percent", Kind.PERCENT, "Share of positive feedback when last seen, 0.0 to 100.0."),
    Column("listing_count", Kind.COUNT, "Its current listings."),
    Column("product_count", Kind.COUNT, "Products it lists now."),
    Column("matched_products", Kind.COUNT, "Products that one of its listings is likely to be."),
    Column("best_match", Kind.SHARE, "How likely the likeliest of them is the product, 0 to 1; empty where not known."),
    Column("first_collection_id", Kind.TEXT, "Collection that brought it; empty if it was added by hand."),
    Column("last_collection_id", Kind.TEXT, "Collection that saw it last; empty if none did."),
    Column("first_seen_at", Kind.MOMENT, "When it came onto the list."),
    Column("last_seen_at", Kind.MOMENT, "When it was last seen."),
    Column("is_simulated", Kind.FLAG, "Whether it was made up by the simulator, which answers without accounts."),
)

NAMES = tuple(column.name for column in COLUMNS)

cells: Callable[[SellerRow], tuple[Cell, ...]] = attrgetter(*NAMES)
"""The values of a row, in the order of COLUMNS."""
