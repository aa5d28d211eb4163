"""One function per format: rows in, a file out, never more than a batch of rows in memory.

CSV: UTF-8 without BOM, CRLF at the end of every record (RFC 4180; it also makes Python quote a lone CR in a text).
JSON: an array of objects. CSV and JSON: times in ISO 8601 with +00:00, decimal numbers as they are (in JSON as text).
Parquet: exact decimals, UTC times, and each column's sentence in its metadata.
Excel: times are Excel's own, in UTC, because Excel knows no zone; more rows than a sheet holds go on to a next sheet.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

import xlsxwriter  # type: ignore[import-untyped]
from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped]

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.seller_list import SellerRow
from collection_pipeline.files.columns import COLUMNS, NAMES, Cell, Kind, cells
from collection_pipeline.files.formula_escaping import CSV_CELL, EXCEL_CELL, escape_formulas

SHEET_ROWS = 1_048_576
"""Rows of an Excel sheet, the header's included."""

PARQUET_BATCH = 10_000
_LONGEST_EXCEL_TEXT = 32_767


def write_csv(rows: Iterable[SellerRow], path: Path) -> None:
    """Comma-separated values, safe to open in a spreadsheet."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(NAMES)
        writer.writerows(map(_csv_cell, cells(row)) for row in rows)


def _csv_cell(cell: Cell) -> str | int | Decimal | None:
    match cell:
        case str():
            return escape_formulas(cell, CSV_CELL)
        case bool():
            return "true" if cell else "false"
        case datetime():
            return _iso(cell)
    return cell


def write_json(rows: Iterable[SellerRow], path: Path) -> None:
    """An array of objects, one on each line."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_json_value).encode
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("[")
        for number, row in enumerate(rows):
            file.write(",\n" if number else "\n")
            file.write(encode(dict(zip(NAMES, cells(row), strict=True))))
        file.write("\n]\n")


def _json_value(value: object) -> str:
    return _iso(value) if isinstance(value, datetime) else str(value)


def write_parquet(rows: Iterable[SellerRow], path: Path) -> None:
    """Row groups of PARQUET_BATCH rows."""
    # Imported here: it takes a tenth of a second, and every run of the pipeline would pay for it.
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    types = {
        Kind.TEXT: pa.string(),
        Kind.FLAG: pa.bool_(),
        Kind.COUNT: pa.int64(),
        Kind.PERCENT: pa.decimal128(4, 1),  # as the table has it
        Kind.SHARE: pa.decimal128(4, 3),
        Kind.MOMENT: pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema(pa.field(one.name, types[one.kind], metadata={"description": one.doc}) for one in COLUMNS)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(rows):
            columns = zip(*map(cells, batch), strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def _batches(rows: Iterable[SellerRow]) -> Iterator[list[SellerRow]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, PARQUET_BATCH)):
        yield batch


def write_xlsx(rows: Iterable[SellerRow], path: Path, *, sheet_rows: int = SHEET_ROWS) -> None:
    """A workbook with the sheet `sellers`, and `sellers 2` and so on where one is not enough."""
    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),  # the default is /tmp, which may be memory
        "use_zip64": True,
    }
    book = xlsxwriter.Workbook(str(path), options)
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet, used = _next_sheet(book), 1
    for row in rows:
        if used == sheet_rows:
            sheet, used = _next_sheet(book), 1
        for column, cell in enumerate(cells(row)):
            _write_excel_cell(sheet, used, column, cell, moment)
        used += 1
    try:
        book.close()
    except FileCreateError as error:  # is no OSError, but hides one
        raise OSError(str(error)) from error


def _next_sheet(book: xlsxwriter.Workbook) -> xlsxwriter.worksheet.Worksheet:
    number = len(book.worksheets()) + 1
    sheet = book.add_worksheet("sellers" if number == 1 else f"sellers {number}")
    sheet.set_column(0, len(NAMES) - 1, 20)
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(NAMES):
        sheet.write_string(0, column, name)
    return sheet


def _write_excel_cell(
    sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, cell: Cell, moment: xlsxwriter.format.Format
) -> None:
    # Only typed writes: `write` would guess formulas, links and numbers.
    match cell:
        case str():
            text = escape_formulas(cell, EXCEL_CELL)
            if len(text) > _LONGEST_EXCEL_TEXT:  # xlsxwriter would leave the cell empty and say nothing
                raise PipelineError(
                    f"Row {row}, {NAMES[column]}: {len(text):,} characters, and an Excel cell holds at most "
                    f"{_LONGEST_EXCEL_TEXT:,}. Shorten it, or export as CSV, JSON or Parquet."
                )
            sheet.write_string(row, column, text)
        case bool():
            sheet.write_boolean(row, column, cell)
        case int() | Decimal():
            sheet.write_number(row, column, cell)
        case datetime():
            sheet.write_datetime(row, column, cell.astimezone(UTC).replace(tzinfo=None), moment)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
