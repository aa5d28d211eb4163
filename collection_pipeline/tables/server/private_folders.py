"""Folders that are one user's: the home, and a short way to a socket whose own path does not fit an address."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from collection_pipeline.core.errors import PipelineError

_OWN = frozenset(
    {
        "postgres",
        "postgres.lock",
        "dagster",
        "logs",
        "inbox",
        "exports",
        "services.json",
        "ebay_token.json",
        "tools_password",
    }
)
"""What is found in a folder that has been a home before; one of them suffices."""

_LONGEST = 103 - len("/.s.PGSQL.65535")
"""Bytes of a folder in which a socket can be addressed: 103 on macOS, 107 on Linux, with the socket's own name."""

_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")
"""Paths that are the same in a URL, in libpq's list of hosts and in a shell."""


def private_home(home: Path) -> Path:
    """Makes the home, or takes away what other users may do there; its real path.

    Raises PipelineError for a file, another user's folder, and a folder that is shared or holds other things: to close
    that would take it away from others.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise PipelineError(f"COLLECTION_HOME is {str(home)!r}, where a file is. Name a folder.") from None
    except OSError as error:
        raise PipelineError(
            f"COLLECTION_HOME is {str(home)[:200]!r}, which cannot be made: {error.strerror}. Name another folder."
        ) from None
    home = home.resolve()
    state = home.stat()
    if os.geteuid() not in (0, state.st_uid):
        raise PipelineError(f"COLLECTION_HOME is {home}, which belongs to {user_name(state.st_uid)}. Name another one.")
    if stat.S_IMODE(state.st_mode) & 0o077:
        _require_own(home, state)
        home.chmod(0o700)
    return home


def _require_own(home: Path, state: os.stat_result) -> None:
    names = set(os.listdir(home))
    if state.st_mode & stat.S_ISVTX or home == home.parent or (names and not names & _OWN):
        raise PipelineError(
            f"COLLECTION_HOME is {home}, which other users may enter and which holds other things. Name a folder of "
            "its own, or close it yourself with chmod 700."
        )


def short_path(folder: Path, memo: Path) -> Path:
    """`folder`, or a link to it with a short and plain name, for addresses of sockets in it.

    The link is in a folder of a random name that only this user may enter, and `memo` keeps which; so nobody else can
    have made it, and every process finds the same one.
    """
    if _PLAIN.fullmatch(str(folder)) and len(str(folder)) <= _LONGEST:
        return folder
    link = (_kept(memo) or _new(memo)) / "s"
    if not link.is_symlink() or link.readlink() != folder:
        link.unlink(missing_ok=True)
        link.symlink_to(folder)
    return link


def forget_short_path(memo: Path) -> None:
    """Removes the link and its folder, if there are any."""
    kept = _kept(memo)
    memo.unlink(missing_ok=True)
    if kept is not None:
        shutil.rmtree(kept, ignore_errors=True)


def _kept(memo: Path) -> Path | None:
    """The folder that `memo` names, made again if something like a cleaning of /tmp took it; None if it is not ours."""
    try:
        kept = Path(memo.read_text())
        with suppress(FileExistsError):
            kept.mkdir(mode=0o700)
        state = kept.lstat()
    except OSError:
        return None
    is_ours = stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid() and not stat.S_IMODE(state.st_mode) & 0o077
    return kept if is_ours else None


def _new(memo: Path) -> Path:
    base = tempfile.gettempdir()
    if not _PLAIN.fullmatch(base) or len(base) > _LONGEST // 2:
        base = "/tmp"
    made = Path(tempfile.mkdtemp(prefix="collection_pipeline_", dir=base))
    write_private(memo, str(made))
    return made


def write_private(file: Path, text: str) -> None:
    """Writes a file that only this user may read, in whole or not at all, and never through a link."""
    draft = file.with_name(f"{file.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w") as opened:
        os.fchmod(descriptor, 0o600)
        opened.write(text)
    draft.replace(file)


def user_name(uid: int) -> str:
    """The login of a user, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
