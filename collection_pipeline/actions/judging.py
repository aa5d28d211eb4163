"""Saying whether listings are the product they were found for: one use case, whoever says so and wherever."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from collection_pipeline.tables.store import Store


class Verdict(StrEnum):
    """What is said of listings: that they are the product, that they are not, or nothing any more."""

    CONFIRM = "confirm"
    REJECT = "reject"
    UNDO = "undo"


def judge(
    store: Store,
    org_id: str,
    listing_ids: Sequence[str],
    verdict: Verdict,
    actor: str,
    *,
    asin: str | None = None,
    reason: str | None = None,
) -> int:
    """Says it, in place of what was said before; of how many listings. It wins over their match.

    `asin` tells which product is meant where a listing was found for several. Raises PipelineError for a listing that
    is not known, having changed nothing.
    """
    if verdict is Verdict.UNDO:
        return store.judgements.withdraw(org_id, listing_ids, actor, asin=asin)
    is_same = verdict is Verdict.CONFIRM
    return store.judgements.judge(org_id, listing_ids, actor, is_same=is_same, reason=reason, asin=asin)
