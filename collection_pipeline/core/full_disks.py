"""A full disk, this machine's or the database's, in whatever error it comes wrapped."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from collection_pipeline.core.errors import DiskFull

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_SQLSTATE = "53100"
"""What Postgres calls it: disk_full."""

DATABASE_IS_FULL = (
    "The disk of the database is full. What was committed is safe, and nothing else was counted as done. Free some "
    "space there; then it goes on."
)


def disk_full(error: BaseException) -> DiskFull | None:
    """The error in words, if a full disk is its reason."""
    for part in _parts(error):
        if isinstance(part, DiskFull):
            return part
        if isinstance(part, OSError) and part.errno in _NO_SPACE:
            where = f" while writing {part.filename}" if part.filename else ""
            return DiskFull(f"The disk of this machine is full{where}. Free some space; then it goes on.")
        if _SQLSTATE in (getattr(part, "sqlstate", None), getattr(part, "pgcode", None)):
            return DiskFull(DATABASE_IS_FULL)
    return None


def _parts(error: BaseException) -> Iterator[BaseException]:
    """The error, what it stands for (SQLAlchemy's errors wrap the driver's), and what it was raised from."""
    waiting, seen = [error], set[int]()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        inner = part.exceptions if isinstance(part, BaseExceptionGroup) else ()
        waiting.extend(one for one in (*inner, getattr(part, "orig", None), part.__cause__) if one is not None)
