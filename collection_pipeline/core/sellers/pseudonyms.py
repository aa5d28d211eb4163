"""Keyed hashes in place of seller names, for operators who may not keep names."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from collection_pipeline.core.sellers.identity import seller_key

PREFIX = "anon-"
_PSEUDONYM = re.compile(PREFIX + "[0-9a-f]{24}")
"""Exactly what is made here: an account may well be called anon-something."""

LEAST_KEY = 16
"""Characters that a secret needs, so that names cannot be found again by trying secrets."""


def plain(name: str) -> str:
    """The name itself: what is kept where names may be kept."""
    return name


@dataclass(frozen=True)
class Pseudonyms:
    """Replaces a seller's name by a keyed hash: the same for all spellings of one account, of no use without the key.

    With another key the same account has another pseudonym, so a lost key makes every seller a new one.
    """

    key: str = field(repr=False)

    def __call__(self, name: str) -> str:
        """The pseudonym of a name; a pseudonym is its own. Raises PipelineError for a name that is none."""
        if _PSEUDONYM.fullmatch(name):
            return name
        digest = hmac.new(self.key.encode(), seller_key(name).encode(), hashlib.sha256)
        return PREFIX + digest.hexdigest()[:24]
