"""Sellers: when two names are one account."""

from __future__ import annotations

import re
import unicodedata

from collection_pipeline.core.errors import PipelineError

MARKETPLACE = "ebay"
"""The first half of a seller's key. eBay accounts are one name space across all of its country sites."""

LONGEST_NAME = 200
"""eBay user names have at most 64 characters; three times that is no name."""

LEAST_RENAMED = 5
"""Fewer listings than this that name another seller are nothing unusual, even if they are most of a small category."""

_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_SPACES = re.compile(r"\s+")


def seller_key(name: str) -> str:
    """The normalised key of a seller's name: compatible forms, case, outer and repeated white space do not matter.

    eBay compares user names without case. Look-alike letters of other scripts stay apart: they are other accounts.
    Raises PipelineError where nothing is left, or far too much.
    """
    key = unicodedata.normalize("NFKC", _INVISIBLE.sub("", name)).casefold()
    # Casefolding may leave a sequence that composes; normalising again makes the key its own key.
    key = _SPACES.sub(" ", unicodedata.normalize("NFKC", key)).strip()
    if not key:
        raise PipelineError("A seller's name is empty; give the name of the eBay account.")
    if len(key) > LONGEST_NAME:
        raise PipelineError(f"A seller's name has {len(key)} characters; at most {LONGEST_NAME} are possible.")
    return key


def is_nameable(name: str) -> bool:
    """Whether a name leaves a key at all; one that does not is nobody's."""
    try:
        return bool(seller_key(name))
    except PipelineError:
        return False


def looks_renamed(known_listings: int, changed_listings: int) -> bool:
    """Whether so many known listings name another seller that names have changed their form, rather than owners.

    eBay began to send immutable user ids in place of names to some developers (docs/sources.md 4). Single accounts are
    renamed all the time; half of all at once are not.
    """
    return changed_listings >= LEAST_RENAMED and 2 * changed_listings >= known_listings
