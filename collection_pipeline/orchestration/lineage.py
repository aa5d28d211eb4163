"""Which columns come from which: what Dagster shows as column lineage."""

from collections.abc import Mapping

import dagster as dg

_FROM: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]] = {
    "ebay_listings": {
        "asin": (("amazon_products", "asin"),),
        # A product is searched by its title, in a band around its price.
        "title": (("amazon_products", "title"),),
        "price": (("amazon_products", "price"),),
        "currency": (("amazon_products", "currency"),),
        "match": (("amazon_products", "title"),),
    },
    "ebay_sellers": {
        **{
            column: (("ebay_listings", column),)
            for column in ("marketplace", "seller_key", "feedback_score", "feedback_percent", "last_seen_at")
        },
        "display_name": (("ebay_listings", "seller_name"),),
        "first_collection_id": (("ebay_listings", "last_collection_id"),),
        "last_collection_id": (("ebay_listings", "last_collection_id"),),
        "listing_count": (("ebay_listings", "listing_id"),),
        "product_count": (("ebay_listings", "asin"),),
    },
    "seller_count_snapshot": {
        "seller_count": (("ebay_sellers", "seller_key"), ("ebay_sellers", "status")),
        "new_sellers": (("ebay_sellers", "first_collection_id"),),
    },
}


def lineage(asset: str) -> Mapping[str, dg.MetadataValue]:
    """The column lineage of an asset, as metadata of its materializations."""
    columns = {
        column: [dg.TableColumnDep(dg.AssetKey(upstream), name) for upstream, name in sources]
        for column, sources in _FROM[asset].items()
    }
    return {"dagster/column_lineage": dg.MetadataValue.column_lineage(dg.TableColumnLineage(columns))}
