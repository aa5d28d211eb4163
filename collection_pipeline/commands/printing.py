"""Rows as people and programs read them: a table in the terminal, or CSV or JSON, which are written as they come."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Batches = Iterator[list[tuple[Any, ...]]]


def as_table(columns: Sequence[str], batches: Batches) -> None:
    """Prints a table."""
    table = Table(*columns)
    for batch in batches:
        for row in batch:
            # As Text: a seller's name in brackets is a name, not a style.
            table.add_row(*(Text("" if value is None else str(value)) for value in row))
    Console().print(table)


def as_csv(columns: Sequence[str], batches: Batches) -> None:
    """Prints CSV with a header; null is empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for batch in batches:
        writer.writerows(batch)


def as_json(columns: Sequence[str], batches: Batches) -> None:
    """Prints a list of objects, one a line."""
    out = sys.stdout
    names, opening = distinct(columns), "["
    for batch in batches:
        for row in batch:
            values = map(_json_value, row)
            fields = dict(zip(names, values, strict=True))
            out.write(opening + json.dumps(fields, ensure_ascii=False, separators=(",", ":"), default=str))
            opening = ",\n"
    out.write("[]\n" if opening == "[" else "]\n")


def distinct(columns: Sequence[str]) -> list[str]:
    """Names of their own for the fields of an object: the second `name` is `name_2`."""
    names: list[str] = []
    for column in columns:
        name, number = column, 1
        while name in names or (number > 1 and name in columns):
            number += 1
            name = f"{column}_{number}"
        names.append(name)
    return names


def _json_value(value: Any) -> Any:
    """What JSON has for it. Numbers of money have at most 14 digits, which its numbers keep exactly."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, date) else value
