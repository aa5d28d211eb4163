"""Whether a file is an export of ours, so that only exports are replaced by exports.

Decided by how the file begins (Parquet: how it ends), as `writers` write it; only that much of it is read. A workbook
that somebody has edited and saved is written otherwise, and so is no longer ours to replace.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from pathlib import Path
from typing import IO

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.printable import printable
from collection_pipeline.files.columns import NAMES

_ENOUGH = 16 * 1024
"""Bytes that hold every column's name, with what formats write around it."""

_CSV = (",".join(NAMES) + "\r\n").encode()
_JSON = re.compile(rb'\[\n(?:]\n\Z|{"org_id": "(?:[^"\\]|\\.)*", "marketplace": "(?:[^"\\]|\\.)*", "seller_key": ")')
_PARQUET = b"PAR1"
_ZIP = b"PK\x03\x04"
_FIRST_SHEET = "xl/worksheets/sheet1.xml"
_TEXT = re.compile(rb"<is><t>([^<]*)</t></is>")


def require_replaceable(path: Path, *, is_forced: bool = False) -> None:
    """Raises PipelineError if something other than an export of ours has that name; if forced, other than a file."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise PipelineError(f"The export {printable(str(path))} cannot be written: {error}.") from error
    if not stat.S_ISREG(facts.st_mode):
        raise PipelineError(f"{printable(str(path))} is no regular file and stays as it is. Choose another name.")
    if not is_forced and not is_export(path):
        raise PipelineError(
            f"{printable(str(path))} is there already and no export, or one that was edited; it stays as it is. "
            "Choose another name, or move it away first."
        )


def is_export(path: Path) -> bool:
    """Whether a regular file was written by an export and not changed at its beginning since."""
    try:
        with path.open("rb") as file:
            head = file.read(_ENOUGH)
            if head.startswith(_ZIP):
                return _sheet_columns(file) == NAMES
            if head.startswith(_PARQUET):
                return _names_all(_parquet_schema(file))
    except OSError:
        return False
    return head.startswith(_CSV) or _JSON.match(head) is not None


def _sheet_columns(file: IO[bytes]) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(file) as archive, archive.open(_FIRST_SHEET) as sheet:
            found = _TEXT.findall(sheet.read(_ENOUGH))
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError, EOFError):
        return ()
    return tuple(name.decode("utf-8", "replace") for name in found[: len(NAMES)])


def _parquet_schema(file: IO[bytes]) -> bytes:
    """The beginning of what stands at the end: the schema, its length in the four bytes before the last four."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    length = int.from_bytes(file.read(4), "little")
    file.seek(max(0, size - 8 - length))
    return file.read(_ENOUGH)


def _names_all(schema: bytes) -> bool:
    return all(name.encode() in schema for name in NAMES)
