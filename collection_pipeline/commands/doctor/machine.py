"""This machine: room on its disks, and how much a process may open."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from collection_pipeline.core import health
from collection_pipeline.core.health import Finding, fault
from collection_pipeline.settings.pipeline import Settings


def machine_findings(settings: Settings) -> Iterator[Finding]:
    """Every disk once, and the limit of open files."""
    folders = {"home": settings.home, "inbox": settings.inbox, "exports": settings.exports}
    seen = set[int]()
    for name, folder in folders.items():
        place = _existing(folder)
        if (device := place.stat().st_dev) not in seen:
            seen.add(device)
            usage = shutil.disk_usage(place)
            yield health.disk(name, str(place), usage.free, usage.total)
        if not os.access(place, os.W_OK | os.X_OK):
            yield fault(
                f"folder: {name}", f"{place} cannot be written to.", "Run this as the user of `up`, or chown it."
            )
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield health.open_files(None if allowed == resource.RLIM_INFINITY else allowed)


def _existing(folder: Path) -> Path:
    """The folder, or the one it will be made in."""
    return next(one for one in (folder, *folder.parents) if one.exists())
