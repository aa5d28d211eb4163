"""JSON: an array of objects or of names, alone or under "sellers"."""

from __future__ import annotations

import json
from typing import NoReturn

from collection_pipeline.files.delimited import decoded
from collection_pipeline.files.raw import (
    RawCell,
    RawRow,
    RawTable,
    UnreadableCell,
    UnreadableFile,
    cell_of,
    require_few_columns,
    without_blank_rows,
)

NAME_COLUMN = "name"
"""What the column is called where the array holds bare names."""


def read_objects(content: bytes) -> RawTable:
    """The table in a JSON file; a row's number is its place in the array, from 1. Raises UnreadableFile."""
    entries = _entries(_parsed(decoded(content)))
    columns = {key: None for entry in entries if isinstance(entry, dict) for key in entry}
    if any(not isinstance(entry, dict) for entry in entries):
        columns.setdefault(NAME_COLUMN)
    require_few_columns(list(columns))
    rows = (_row(number, entry, list(columns)) for number, entry in enumerate(entries, start=1))
    return RawTable(list(columns), list(without_blank_rows(rows)))


def _parsed(text: str) -> object:
    if not text.strip():
        raise UnreadableFile("It is empty.")
    try:
        # Numbers stay the text they are: as floats, long ones would become others.
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise UnreadableFile(f"Line {error.lineno} is no JSON: {error.msg} at column {error.colno}.") from error
    except RecursionError as error:
        raise UnreadableFile("Its JSON is nested too deeply for a list of sellers.") from error


def _no_number(word: str) -> NoReturn:
    raise UnreadableFile(f"It contains {word}, which is no JSON.")


def _entries(document: object) -> list[object]:
    if isinstance(document, dict):
        document = document.get("sellers")
    if not isinstance(document, list):
        raise UnreadableFile('It is neither an array nor an object with an array under "sellers".')
    if not document:
        raise UnreadableFile("Its array is empty.")
    return document


def _row(number: int, entry: object, columns: list[str]) -> RawRow:
    match entry:
        case dict():
            return RawRow(number, [_cell(entry.get(column)) for column in columns])
        case str():
            return RawRow(number, [cell_of(entry) if column == NAME_COLUMN else None for column in columns])
    return RawRow(number, (), "is neither an object nor a name")


def _cell(value: object) -> RawCell:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return cell_of(value)
    return UnreadableCell("is a list or an object, not a text")
