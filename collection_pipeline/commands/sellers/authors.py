"""Who types a command: for the log of what was changed."""

from __future__ import annotations

import getpass
import os

from collection_pipeline.settings.values import given
from collection_pipeline.tables.sellers.edits import Author


def person() -> str:
    """COLLECTION_ACTOR, where several people share a login; else the login's name."""
    return given(os.environ).get("COLLECTION_ACTOR") or getpass.getuser()


def author() -> Author:
    """The person as the author of an edit by hand."""
    return Author(person())
