"""Dropped files: which are finished, and where they go when they have been read.

A file is finished when two looks show the same size and time, it has been quiet for a while, and its name is not that
of something still being written. Only `observe` and `file_away` touch the disk.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.printable import printable
from collection_pipeline.files.parsing import SUFFIXES

QUIET_S = 10.0
"""Seconds without a write: longer than a copy over a network stalls, as a rule."""

_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp")
_HIDDEN = (".", "~")  # dotfiles, Excel's ~$lock and its ~drafts

_LONGEST_NAME = 255
"""Bytes of a file's name, in every usual file system."""

_ROOM_TO_ADD = len(".20260301T120000Z-99999.report.txt")
_LONGEST_SUFFIX = 16


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was at one look."""

    size: int
    mtime_ns: int
    unsupported: bool = False
    goes_to: str = ""
    """The folder that it could not be moved to after it had been read; it is not read again."""
    outcome: str = ""
    """What reading it came to."""

    @property
    def content(self) -> tuple[int, int]:
        """What differs once somebody has written to the file."""
        return self.size, self.mtime_ns


def ready(
    now: datetime, former: Mapping[str, Seen], current: Mapping[str, Seen], quiet_s: float = QUIET_S
) -> list[str]:
    """The names of the files that can be read, in order."""
    return sorted(
        name
        for name, seen in current.items()
        if not seen.unsupported and former.get(name) == seen and _is_quiet(now, seen, quiet_s)
    )


def stuck(former: Mapping[str, Seen], current: Mapping[str, Seen]) -> dict[str, Seen]:
    """The files that were read at an earlier look, could not be moved, and have not changed since."""
    return {
        name: seen
        for name, seen in former.items()
        if seen.goes_to and name in current and current[name].content == seen.content
    }


def _is_quiet(now: datetime, seen: Seen, quiet_s: float) -> bool:
    # In either direction: where the writer's clock is ahead, the time of a file lies in the future for good.
    return abs(now.timestamp() - seen.mtime_ns / 1e9) >= quiet_s


def observe(folder: Path) -> dict[str, Seen]:
    """The files in a folder, those of unsupported types marked so; no links, no subfolders, nothing half-written.

    Raises PipelineError if the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return dict(_seen(entries))
    except OSError as error:
        raise PipelineError(f"The import folder {folder} cannot be read: {error.strerror}.") from error


def _seen(entries: Iterator[os.DirEntry[str]]) -> Iterator[tuple[str, Seen]]:
    for entry in entries:
        if entry.name.startswith(_HIDDEN) or entry.name.lower().endswith(_UNFINISHED):
            continue
        try:
            facts = entry.stat(follow_symlinks=False)
        except OSError:  # taken away between the two looks, or on a disk that fails: no reason to see no other
            continue
        if stat.S_ISREG(facts.st_mode):
            unsupported = not entry.name.lower().endswith(SUFFIXES)
            yield entry.name, Seen(facts.st_size, facts.st_mtime_ns, unsupported)


def file_away(path: Path, folder: Path, report: str, *, now: datetime) -> Path:
    """Move a file into a folder such as `done/` or `rejected/`, with a report beside it; say where it is now.

    Nothing is overwritten: where the name is taken, the time is added to it. A name that is too long for that, or holds
    what cannot be shown, is changed. Raises PipelineError.
    """
    try:
        if folder.is_symlink():
            raise PipelineError(f"{folder} is a link; make it a folder, so that files stay where they were dropped.")
        folder.mkdir(parents=True, exist_ok=True)
        target, beside = _claimed(path, folder, report, now)
        try:
            path.rename(target)
        except OSError:
            beside.unlink()
            raise
    except OSError as error:
        raise PipelineError(
            f"{printable(path.name)} cannot be moved into {folder}: {error.strerror}. Make that folder writable."
        ) from error
    return target


def _claimed(path: Path, folder: Path, report: str, now: datetime) -> tuple[Path, Path]:
    """A free name, claimed by writing the report first: creating it is what only one process can do."""
    for name in _names(path, now):
        target, beside = folder / name, folder / f"{name}.report.txt"
        if os.path.lexists(target):
            continue
        try:
            with beside.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(report)
        except FileExistsError:
            continue
        return target, beside
    raise AssertionError("the names never end")


def _names(path: Path, now: datetime) -> Iterator[str]:
    stem, suffix = _showable(path.name)
    yield stem + suffix
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"{stem}.{stamp}{suffix}"
    for number in count(2):
        yield f"{stem}.{stamp}-{number}{suffix}"


def _showable(name: str) -> tuple[str, str]:
    """A file's name as stem and suffix: in UTF-8, without what cannot be shown, and short enough to add to it."""
    decoded = os.fsencode(name).decode("utf-8", "replace").replace("\N{REPLACEMENT CHARACTER}", "_")
    shown = Path("".join(one if one.isprintable() else "_" for one in decoded))
    suffix = shown.suffix if len(shown.suffix) <= _LONGEST_SUFFIX else ""
    room = _LONGEST_NAME - _ROOM_TO_ADD - len(suffix.encode())
    return shown.name.removesuffix(suffix).encode()[:room].decode("utf-8", "ignore"), suffix
