"""What people say of listings from the Dagster UI: whether they are the product that they were found for."""

from collections.abc import Sequence

import dagster as dg
from pydantic import Field

from collection_pipeline.actions.judging import Verdict, judge
from collection_pipeline.orchestration.failures import errors_as_failures
from collection_pipeline.orchestration.launching import launchable
from collection_pipeline.orchestration.sellers.jobs import ListConfig, author_of, org_of
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store

LISTINGS = "ebay_listings"


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
    org_id, actor = org_of(config, settings), author_of(context, config).actor
    with errors_as_failures():
        count = judge(
            store,
            org_id,
            config.listing_ids,
            config.verdict,
            actor,
            asin=config.asin or None,
            reason=config.reason or None,
        )
    metadata: dict[str, str | int] = {"verdict": str(config.verdict), "listings": count}
    context.log_event(dg.AssetObservation(LISTINGS, metadata=metadata))


LISTING_JOBS: Sequence[dg.JobDefinition] = [launchable("listings_judge", judge_many, JudgeConfig)]
