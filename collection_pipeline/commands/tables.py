"""Tables in the terminal, of which nothing is cut off, and the same rows as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from collection_pipeline.commands.values import json_text

_WIDEST = 100_000
"""Characters. No table is as wide; rich wants a number."""

json_option = click.option("--json", "is_json", is_flag=True, help="Print JSON in place of a table.")


def print_table(table: Table, *, whole: Sequence[str] = ()) -> None:
    """Prints a table so that every value can be copied.

    The columns named in `whole` stay on one line, however narrow the terminal is: then the lines are wider than it. The
    other columns are broken to fit. Where output is no terminal, nothing is broken at all.
    """
    for column in table.columns:
        column.overflow = "fold"
        column.no_wrap = column.header in whole
    console = Console()
    console.width = max(console.width, _least_width(table, console)) if console.is_terminal else _WIDEST
    console.print(table)


def _least_width(table: Table, console: Console) -> int:
    """The width at which every column shows its longest word, and one that must not be broken its longest value."""
    wide = console.options.update(width=_WIDEST)
    return Measurement.get(console, wide, table).minimum


def print_json(rows: Sequence[dict[str, Any]]) -> None:
    """Prints a list of objects, one a line."""
    click.echo("[" + ",\n".join(map(json_text, rows)) + "]")
