"""Excel workbooks: one sheet, its first row that is not blank being the header.

Calamine makes a dense table of whatever a sheet spans before it returns, and ends the process where memory is short: a
5 KB workbook with a cell in its farthest corner would be 17 billion cells. A workbook is measured first, so that its
owner is told where the cell is. That is no protection, because a file can be written so that the measure does not see
it: the process that reads it has limits (`limits`). .xls, .xlsb and .ods, which calamine could read too, are refused.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from itertools import chain
from typing import IO

from python_calamine import CalamineError, CalamineSheet, load_workbook

from collection_pipeline.files.formula_escaping import EXCEL_CELL, unescape_formulas
from collection_pipeline.files.raw import (
    RawCell,
    RawTable,
    UnreadableCell,
    UnreadableFile,
    cell_of,
    padded,
    without_blank_rows,
)

LARGEST_UNPACKED = 1024**3
"""Bytes in all parts of a workbook: three times what 200,000 exported sellers take."""

MOST_CELLS = 20_000_000
"""Cells that a sheet may span: 200,000 rows of 100 columns; half a gigabyte in calamine."""

_EXACT_BELOW = 10**15
"""Excel keeps 15 digits of a number; the rest of a longer one is gone before we see it."""

_OLD_CONTAINER = bytes.fromhex("d0cf11e0a1b11ae1")
_AS_TEXT = "make the column text and enter it again"

_FILLED_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["'][^>]*(?<!/)>""")
_CHUNK = 1 << 20
_LONGEST_TAG = 256

ExcelValue = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def read_workbook(content: bytes, sheet: str | None) -> RawTable:
    """The table on the sheet of that name, or on the first one. Raises UnreadableFile."""
    if not content:
        raise UnreadableFile("It is empty.")
    if content.startswith(_OLD_CONTAINER):
        raise UnreadableFile("It is protected by a password, or an old .xls; save it as .xlsx without a password.")
    _require_modest(content)
    rows = enumerate(_sheet(content, sheet).iter_rows(), start=1)
    columns: list[str] = []
    for _, values in rows:
        columns = [str(value).strip() for value in values]
        if any(columns):
            break
    if not any(columns):
        raise UnreadableFile("Its sheet is empty.")
    cells = ((number, [_cell(value) for value in values]) for number, values in rows)
    return RawTable(columns, list(without_blank_rows(padded(number, row, len(columns)) for number, row in cells)))


def _sheet(content: bytes, name: str | None) -> CalamineSheet:
    try:
        book = load_workbook(io.BytesIO(content))
        if not book.sheet_names:
            raise UnreadableFile("It has no sheet.")
        if name is not None and name not in book.sheet_names:
            raise UnreadableFile(f"It has no sheet {name!r}; it has {', '.join(map(repr, book.sheet_names))}.")
        return book.get_sheet_by_name(name or book.sheet_names[0])
    except CalamineError as error:
        raise UnreadableFile(f"It is no Excel workbook, or a damaged one: {error}.") from error


def _cell(value: ExcelValue) -> RawCell:
    match value:
        case str():
            return cell_of(unescape_formulas(value, EXCEL_CELL))
        case bool():
            return "true" if value else "false"
        case int() | float():
            if not abs(value) < _EXACT_BELOW:  # so that NaN is none, too
                return UnreadableCell(f"is a number so long that Excel has lost its end; {_AS_TEXT}")
            return str(int(value)) if value == int(value) else repr(value)
    return UnreadableCell(f"is a date or a time; {_AS_TEXT}")


def _require_modest(content: bytes) -> None:
    """Raises UnreadableFile for what would not fit into memory once it is unpacked and spread out."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if "xl/workbook.xml" not in archive.namelist():
                raise UnreadableFile("It is no .xlsx workbook; save it as one, or as CSV in UTF-8.")
            if sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise UnreadableFile(
                    f"It unpacks to more than {LARGEST_UNPACKED >> 20:,} MB; split it or save it as CSV."
                )
            for part in parts:
                if part.filename.startswith("xl/worksheets/"):
                    with archive.open(part) as stream:
                        _require_dense(stream)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise UnreadableFile(f"It is no Excel workbook, or a damaged one: {error}.") from error


def _require_dense(sheet: IO[bytes]) -> None:
    rows, columns, kept = 0, b"", b""
    while chunk := sheet.read(_CHUNK):
        found = _FILLED_CELL.findall(kept + chunk)
        rows = max(chain([rows], (int(row) for _, row in found)))
        columns = max(chain([columns], (column for column, _ in found)), key=lambda one: (len(one), one))
        kept = chunk[-_LONGEST_TAG:]
        if rows * _place(columns) > MOST_CELLS:
            raise UnreadableFile(
                f"A sheet spans {rows:,} rows and {_place(columns):,} columns; "
                "delete what stands far out, or save it as CSV."
            )


def _place(column: bytes) -> int:
    """Where the column with these letters is, from 1: A is 1, AA is 27."""
    place = 0
    for letter in column:
        place = 26 * place + letter - ord("A") + 1
    return place
