"""Reading a file of sellers: whatever it holds, rows come out, or one sentence that says why it cannot be used."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collection_pipeline.core.printable import printable
from collection_pipeline.files.isolation import parsed_apart
from collection_pipeline.files.mapping import ColumnMapping
from collection_pipeline.files.parsing import SUFFIXES, Sheet
from collection_pipeline.files.raw import LARGEST_FILE, UnreadableFile

__all__ = ["SUFFIXES", "Sheet", "read"]


def read(
    path: Path, mapping: ColumnMapping | None = None, *, sheet: str | None = None, are_links_followed: bool = True
) -> Sheet:
    """The rows of a CSV, JSON or Excel file; of a workbook the sheet of that name, or the first.

    Raises UnreadableFile, which names the file and says what to do, for one that cannot be used as a whole.
    """
    try:
        with _opened(path, are_links_followed=are_links_followed) as file:
            return parsed_apart(file, path.suffix, mapping or ColumnMapping(), sheet)
    except UnreadableFile as error:
        raise UnreadableFile(f"{printable(path.name)} cannot be imported. {error}") from error


@contextmanager
def _opened(path: Path, *, are_links_followed: bool) -> Iterator[int]:
    # Without O_NONBLOCK, opening a pipe waits until somebody writes to it.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if are_links_followed else os.O_NOFOLLOW)
    try:
        file = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnreadableFile("It is a link, which is not followed here.") from error
        raise UnreadableFile(f"It cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UnreadableFile("Its name holds a character that no file's name can have.") from error
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            raise UnreadableFile("It is no regular file.")
        if facts.st_size > LARGEST_FILE:
            raise UnreadableFile(f"It is larger than {LARGEST_FILE >> 20} MB; split it.")
        yield file
    finally:
        os.close(file)
