"""Rows as people and programs read them: a table in the terminal, or CSV or JSON, which are written as they come."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from collection_pipeline.commands.tables import print_table
from collection_pipeline.commands.values import json_text, plain

Batches = Iterator[list[tuple[Any, ...]]]


def as_table(columns: Sequence[str], batches: Batches) -> None:
    """Prints a table."""
    table = Table(*columns)
    for batch in batches:
        for row in batch:
            # As Text: a seller's name in brackets is a name, not a style.
            table.add_row(*(Text(str(plain(value))) for value in row))
    print_table(table)


def as_csv(columns: Sequence[str], batches: Batches) -> None:
    """Prints CSV with a header; null is empty, and lists and objects are JSON."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for batch in batches:
        writer.writerows(map(plain, row) for row in batch)


def as_json(columns: Sequence[str], batches: Batches) -> None:
    """Prints a list of objects, one a line."""
    opening = "["
    for line in _objects(columns, batches):
        sys.stdout.write(opening + line)
        opening = ",\n"
    sys.stdout.write("[]\n" if opening == "[" else "]\n")


def as_jsonl(columns: Sequence[str], batches: Batches) -> None:
    """Prints an object a line."""
    for line in _objects(columns, batches):
        sys.stdout.write(line + "\n")


def _objects(columns: Sequence[str], batches: Batches) -> Iterator[str]:
    names = [json.dumps(name, ensure_ascii=False) for name in distinct(columns)]
    for batch in batches:
        for row in batch:
            fields = zip(names, row, strict=True)
            yield "{" + ",".join(f"{name}:{json_text(value)}" for name, value in fields) + "}"


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
