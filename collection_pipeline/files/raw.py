"""What a file holds before anybody asks which column is which: named columns and rows of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from collection_pipeline.core.errors import PipelineError

LARGEST_FILE = 50 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 16_384
"""As many as a sheet of Excel's has; with more of them, every row of a JSON file could have columns of its own."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class UnreadableFile(PipelineError):
    """A file of sellers that cannot be used; the message says why, and what to change."""

    kind = "unreadable_file"


@dataclass(frozen=True, slots=True)
class UnreadableCell:
    """A cell that holds something, but no text that can be trusted."""

    reason: str


RawCell = str | UnreadableCell | None
"""None is an empty cell, or none at all."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row; `number` is the one that its reader's program shows: line, sheet row, or place in the array."""

    number: int
    cells: Sequence[RawCell]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class RawTable:
    """The columns that a file names, and its rows that are not blank."""

    columns: Sequence[str]
    rows: Sequence[RawRow]


def require_few_columns(columns: Sequence[str]) -> None:
    """Raises UnreadableFile beyond MOST_COLUMNS."""
    if len(columns) > MOST_COLUMNS:
        raise UnreadableFile(f"It has {len(columns):,} columns, and may have {MOST_COLUMNS:,}; leave some out.")


def without_blank_rows(rows: Iterable[RawRow]) -> Iterator[RawRow]:
    """The rows that hold anything. Raises UnreadableFile beyond MOST_ROWS."""
    number = 0
    for row in rows:
        if row.problem is None and not any(row.cells):
            continue
        number += 1
        if number > MOST_ROWS:
            raise UnreadableFile(f"It has more than {MOST_ROWS:,} rows; split it.")
        yield row


def padded(number: int, cells: Sequence[RawCell], columns: int) -> RawRow:
    """A row under its header; one with more cells than the header cannot be trusted, because something has shifted."""
    if any(cells[columns:]):
        last = max(place for place, cell in enumerate(cells, start=1) if cell)
        return RawRow(
            number, cells, f"has {last} cells under {columns} columns; put text that contains the separator in quotes"
        )
    return RawRow(number, cells)


def cell_of(text: str) -> RawCell:
    """A text as a cell: blank is empty, and what no database can hold is unusable."""
    if not text.strip():
        return None
    if wrong := _UNSTORABLE.search(text):
        return UnreadableCell("contains a NUL character" if wrong[0] == "\0" else "contains half a character")
    return text
