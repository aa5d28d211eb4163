"""What failed in a collection, as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from collection_pipeline.commands.tables import print_table
from collection_pipeline.core.collecting.failed_units import FailedUnit, FailureGroup

SHOWN_CATEGORIES = 3
"""Of a group."""


def print_groups(groups: Sequence[FailureGroup]) -> None:
    """Prints how many failed for which reason, with one of them as an example."""
    table = Table("failed", "reason", "stage", "categories", "for example", title="Failures")
    for one in groups:
        more = len(one.categories) - SHOWN_CATEGORIES
        named = ", ".join(one.categories[:SHOWN_CATEGORIES]) + (f" and {more} more" if more > 0 else "")
        example = f"{one.asin}: {one.error_message or '–'}" if one.asin else one.error_message or "–"
        what = f"{one.count:,} × {one.unit}"
        table.add_row(*(Text(cell) for cell in (what, one.reason, one.error_stage or "–", named, example)))
    print_table(table, whole=("failed", "reason"))


def print_failures(failures: Sequence[FailedUnit]) -> None:
    """Prints every one of them."""
    table = Table("unit", "category", "ASIN", "reason", "stage", "message", title="Failures")
    for one in failures:
        cells = (one.unit, one.category, one.asin, one.reason, one.error_stage, one.error_message)
        table.add_row(*(Text(cell or "–") for cell in cells))
    print_table(table, whole=("category", "ASIN"))
