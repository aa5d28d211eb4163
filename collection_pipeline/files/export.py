"""Writing an export: one row after the other, in flat memory, and as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.full_disks import disk_full
from collection_pipeline.core.printable import printable
from collection_pipeline.core.sellers.seller_list import SellerRow
from collection_pipeline.files.writers import write_csv, write_json, write_parquet, write_xlsx

PROGRESS_EVERY = 1_000
"""Rows between two reports of progress: often enough to look alive, too seldom to cost anything."""


class Format(StrEnum):
    """The formats of an export; each is also the suffix of its files."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    XLSX = "xlsx"


_WRITERS: dict[Format, Callable[[Iterable[SellerRow], Path], None]] = {
    Format.CSV: write_csv,
    Format.JSON: write_json,
    Format.PARQUET: write_parquet,
    Format.XLSX: write_xlsx,
}


def format_of(path: Path) -> Format:
    """The format that a file's suffix asks for. Raises PipelineError for a suffix that is none."""
    try:
        return Format(path.suffix.removeprefix(".").lower())
    except ValueError:
        suffixes = ", ".join(f".{one}" for one in Format)
        raise PipelineError(f"{printable(path.name)} does not say its format: end it with one of {suffixes}.") from None


def require_plain_name(name: str, format: Format) -> None:  # noqa: A002 - the word that people use for it
    """Raises PipelineError for what is more than a file's name, cannot be shown, or does not end with its format."""
    shown = printable(name)
    if name != Path(name).name or name.startswith(".") or shown != name:
        raise PipelineError(
            f"{shown!r} is no plain name of a file. Exports that are started here go into the folder "
            f"COLLECTION_EXPORTS: give a name without folders, such as sellers.{format}."
        )
    if format_of(Path(name)) != format:
        raise PipelineError(
            f"{shown} does not end with .{format}, the format that is asked for; change one of the two."
        )


def _nobody(_rows: int) -> None:
    """Nobody watches."""


def write(
    rows: Iterable[SellerRow],
    path: Path,
    format: Format,  # noqa: A002 - the word that people use for it
    *,
    progress: Callable[[int], None] = _nobody,
) -> int:
    """Write the rows to a file and say how many there were; `progress` is told the number while they go.

    The file appears under its name when it is complete and on disk. After a failure nothing new is there, and a file
    that had the name before is untouched. Raises PipelineError where the place cannot be written.
    """
    counted = _Counted(rows, progress)
    try:
        # A folder of its own, because xlsxwriter keeps further temporary files; hidden, so that no folder sensor looks.
        with TemporaryDirectory(prefix=f".{path.name[:50]}.", dir=path.parent) as folder:
            draft = Path(folder) / f"export.{format}"
            _WRITERS[format](counted, draft)
            _sync(draft)
            draft.replace(path)
            _sync(path.parent)
    except OSError as error:
        reason = error.strerror or error
        if disk_full(error) is not None:
            reason = "the disk is full. Free some space and export again; no part of it was left"
        raise PipelineError(f"The export {printable(str(path))} cannot be written: {reason}.") from error
    progress(counted.number)
    return counted.number


class _Counted:
    """Rows that count themselves as they pass by."""

    def __init__(self, rows: Iterable[SellerRow], progress: Callable[[int], None]) -> None:
        self._rows, self._progress, self.number = rows, progress, 0

    def __iter__(self) -> Iterator[SellerRow]:
        for row in self._rows:
            self.number += 1
            if self.number % PROGRESS_EVERY == 0:
                self._progress(self.number)
            yield row


def _sync(path: Path) -> None:
    """Make what is written survive a power cut: the bytes of a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
