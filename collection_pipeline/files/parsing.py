"""The bytes of a file of sellers made into rows, each with what is wrong with it.

A wrong row is only a wrong row. A file that cannot be understood as a whole is refused, with the reason. Hostile bytes
may take any time and memory here, or end the process: `reading` has this done by another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collection_pipeline.core.sellers.import_plan import ImportRow
from collection_pipeline.files.delimited import read_delimited
from collection_pipeline.files.mapping import ColumnMapping, Places, places
from collection_pipeline.files.objects import read_objects
from collection_pipeline.files.raw import LARGEST_FILE, RawCell, RawRow, RawTable, UnreadableCell, UnreadableFile
from collection_pipeline.files.workbook import read_workbook

SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".xlsx", ".xlsm")
"""The names of files that can be read end with one of these, in either case."""

LONGEST_TEXT = 10_000
"""Characters of a cell that is used: far more than a name or a note may have, and little enough to handle."""

_YES = {"yes", "y", "true", "1", "x"}
_NO = {"no", "n", "false", "0"}
_STATES = {"active": False, "removed": True}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file says: its columns, and its rows that are not blank."""

    columns: Sequence[str]
    rows: Sequence[ImportRow]


def parsed(content: bytes, suffix: str, mapping: ColumnMapping, sheet: str | None) -> Sheet:
    """The rows of a CSV, JSON or Excel file; of a workbook the sheet of that name, or the first.

    Raises UnreadableFile for one that cannot be used as a whole.
    """
    if len(content) > LARGEST_FILE:
        raise UnreadableFile(f"It is larger than {LARGEST_FILE >> 20} MB; split it.")
    table = _table(content, suffix, sheet)
    where = places(table.columns, mapping)
    if not table.rows:
        raise UnreadableFile("It has a header and no rows.")
    return Sheet(tuple(table.columns), tuple(_row(row, where) for row in table.rows))


def _table(content: bytes, suffix: str, sheet: str | None) -> RawTable:
    match suffix.lower():
        case ".csv" | ".tsv" | ".txt":
            return read_delimited(content)
        case ".json":
            return read_objects(content)
        case ".xlsx" | ".xlsm":
            return read_workbook(content, sheet)
    raise UnreadableFile(f"Its name ends with none of {', '.join(SUFFIXES)}; save it as one of these.")


def _row(row: RawRow, where: Places) -> ImportRow:
    problems = [] if row.problem is None else [row.problem]

    def text(place: int | None, thing: str) -> str | None:
        cell: RawCell = None if place is None or place >= len(row.cells) else row.cells[place]
        if isinstance(cell, UnreadableCell):
            problems.append(f"its {thing} {cell.reason}")
            return None
        if cell is not None and len(cell) > LONGEST_TEXT:
            problems.append(f"its {thing} has more than {LONGEST_TEXT:,} characters; shorten it")
            return None
        return cell

    name, key = text(where.name, "name"), text(where.key, "key")
    note, flag = text(where.note, "note"), text(where.is_flagged, "flag")
    status = text(where.status, "status")
    if name is None and key is None and not problems:
        problems.append("has no name")
    is_flagged = _flag(flag)
    if flag is not None and is_flagged is None:
        problems.append(f"its flag is {_quoted(flag)}, neither yes nor no (yes, true, 1, x; no, false, 0)")
    is_removed = _STATES.get((status or "active").strip().casefold())
    if is_removed is None:
        problems.append(f"its status is {_quoted(status or '')}, neither 'active' nor 'removed'")
    return ImportRow(row.number, name or key, note, is_flagged, "; ".join(problems) or None, key, bool(is_removed))


def _flag(text: str | None) -> bool | None:
    word = (text or "").strip().casefold()
    return True if word in _YES else False if word in _NO else None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:79]}…")
