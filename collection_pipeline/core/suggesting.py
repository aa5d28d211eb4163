"""Suggestions for misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A sentence, with a space before it, that names up to three of `known` that are close; `otherwise` if none is."""
    lowered = {one.lower(): one for one in known}
    near = [lowered[one] for one in difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)]
    if near:
        return f" Did you mean {' or '.join(near)}?"
    return f" {otherwise}" if otherwise else ""
