"""A small disk that a test can fill."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

MB = 1024**2


@dataclass(frozen=True)
class Disk:
    """A mounted file system of its own."""

    path: Path

    def fill(self, leave: int = 0) -> None:
        """Takes all room but `leave` bytes away, also while others write."""
        with (self.path / "ballast").open("wb") as ballast:
            for _ in range(100):
                state = os.statvfs(self.path)
                room = state.f_bavail * state.f_frsize - leave
                if room <= 0:
                    return
                with suppress(OSError):  # somebody else has taken some of it since
                    os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, room)

    def empty(self) -> None:
        """Gives the room back."""
        (self.path / "ballast").unlink()


@contextmanager
def small_disk(megabytes: int) -> Iterator[Disk]:
    """A disk in memory, which only root can make; without that right the test is skipped."""
    folder = tempfile.mkdtemp(prefix="collection_pipeline_disk_")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", folder]
    try:
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("a disk of its own needs the right to mount")
        try:
            yield Disk(Path(folder))
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
    finally:
        os.rmdir(folder)
