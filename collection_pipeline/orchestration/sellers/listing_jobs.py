"""What people say of listings from the Dagster UI: whether they are the product that they were found for."""

from collections.abc import Sequence
from enum import StrEnum

import dagster as dg
from pydantic import Field

from collection_pipeline.orchestration.failures import errors_as_failures
from collection_pipeline.orchestration.launching import launchable
from collection_pipeline.orchestration.sellers.jobs import ListConfig, author_of, org_of
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store

LISTINGS = "ebay_listings"


class Verdict(StrEnum):
    """What is said of listings."""

    CONFIRM = "confirm"
    REJECT = "reject"
    UNDO = "undo"


class JudgeConfig(ListConfig):
    """Listings, and whether they are the product."""

    listing_ids: list[str] = Field(min_length=1, description="The listings, by their eBay item numbers.")
    verdict: Verdict = Field(description="confirm, reject, or undo: takes back what was said of them before.")
    reason: str = Field(default="", max_length=2_000, description="Why, for whoever looks at it later.")
    asin: str = Field(default="", description="The product that is meant, where a listing was found for several.")


@dg.op
def judge_many(
    context: dg.OpExecutionContext,
    config: JudgeConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Says whether listings are the product they were found for, or takes that back. It wins over their match."""
    actor, asin = author_of(context, config).actor, config.asin or None
    judgements, org_id = store.judgements, org_of(config, settings)
    with errors_as_failures():
        if config.verdict is Verdict.UNDO:
            count = judgements.withdraw(org_id, config.listing_ids, actor, asin=asin)
        else:
            is_same = config.verdict is Verdict.CONFIRM
            reason = config.reason or None
            count = judgements.judge(org_id, config.listing_ids, actor, is_same=is_same, reason=reason, asin=asin)
    metadata: dict[str, str | int] = {"verdict": str(config.verdict), "listings": count}
    context.log_event(dg.AssetObservation(LISTINGS, metadata=metadata))


LISTING_JOBS: Sequence[dg.JobDefinition] = [launchable("listings_judge", judge_many, JudgeConfig)]
