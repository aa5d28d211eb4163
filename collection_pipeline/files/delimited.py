"""CSV in the forms that people have it: any of four separators, and the encodings of old and new spreadsheets."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator

from collection_pipeline.files.formula_escaping import CSV_CELL, unescape_formulas
from collection_pipeline.files.raw import (
    RawCell,
    RawTable,
    UnreadableFile,
    cell_of,
    padded,
    require_few_columns,
    without_blank_rows,
)

SEPARATORS = ",;\t|"
_LONGEST_HEADER = 10_000

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EXCEL_HINT = re.compile(r'\A"?sep=([^"\r\n])"?\r?\n')


def read_delimited(content: bytes) -> RawTable:
    """The table in a CSV file. Raises UnreadableFile."""
    text = decoded(content)
    separator = None
    skipped = 0
    if hint := _EXCEL_HINT.match(text):
        separator, text, skipped = hint[1], text[hint.end() :], 1
    records = _records(text, separator or _separator(text), skipped)
    header = next((cells for _, cells in records if any(cells)), None)
    if header is None:
        raise UnreadableFile("It is empty.")
    columns = [cell.strip() if isinstance(cell, str) else "" for cell in header]
    require_few_columns(columns)
    return RawTable(columns, list(without_blank_rows(padded(line, cells, len(columns)) for line, cells in records)))


def decoded(content: bytes) -> str:
    """The text that bytes mean: by their mark, else UTF-8, else a Western code page. Raises UnreadableFile."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise UnreadableFile(f"It is marked as {encoding}, but is not: see byte {error.start}.") from error
        text = _western(content)
    if "\0" in text:
        raise UnreadableFile("It contains NUL bytes, so it is no text, or UTF-16 without a mark; save it as UTF-8.")
    return text


def _western(content: bytes) -> str:
    # Imported here: it takes longer than reading an ordinary file, and few need it.
    from charset_normalizer import from_bytes

    # Only these two: among all code pages, the few accents of a short list look like whatever one likes. A text that
    # looks wrong in both is refused, because wrong letters would be other sellers.
    best = from_bytes(content, cp_isolation=["cp1252", "latin_1"]).best()
    if best is None:
        raise UnreadableFile("It is no text in UTF-8, UTF-16 or Windows-1252; save it as CSV in UTF-8.")
    return str(best)


def _separator(text: str) -> str:
    """The one that makes the most columns of the first line that is not blank."""
    header = next((line for line in text.splitlines() if line.strip()), "")[:_LONGEST_HEADER]
    return max(SEPARATORS, key=lambda one: len(next(csv.reader([header], delimiter=one), [])))


def _records(text: str, separator: str, skipped: int) -> Iterator[tuple[int, list[RawCell]]]:
    """The cells of each record, with the line that it begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + skipped + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFile(f"Line {line} is no CSV: {error}; look for a quote that is never closed.") from error
        yield line, [cell_of(unescape_formulas(cell, CSV_CELL)) for cell in cells]
