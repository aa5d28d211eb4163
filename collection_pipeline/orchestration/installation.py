"""What an asset's page says of this installation: where the answers are, and that data are simulated."""

from collections.abc import Callable, Mapping

import dagster as dg

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings.pipeline import Settings

_ANSWERS = {
    "amazon_products": "products",
    "ebay_listings": "products",
    "ebay_sellers": "sellers",
    "seller_count_snapshot": "",
}
"""The page of the answer page that shows what an asset is about."""

_SIMULATED = "**SIMULATED DATA**: a simulator answers in place of Amazon and eBay. None of it is real.\n\n"


def described_for(environment: Mapping[str, str]) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """Adds to an asset what is true of this installation; nothing where its settings are wrong, which runs say."""
    try:
        settings = Settings.from_mapping(environment)
    except PipelineError:
        return lambda spec: spec

    def described(spec: dg.AssetSpec) -> dg.AssetSpec:
        if settings.has_simulated_data:
            spec = spec.replace_attributes(description=_SIMULATED + (spec.description or ""))
        if settings.feed_url is not None:
            page = f"{settings.feed_url}/answer/{_ANSWERS[spec.key.to_user_string()]}".rstrip("/")
            spec = spec.merge_attributes(metadata={"dagster/uri": page, "answers": dg.MetadataValue.url(page)})
        return spec

    return described
