"""What people start: jobs, each with a launch configuration that works as it stands."""

import dagster as dg

from collection_pipeline.orchestration.assets import amazon_products, ebay_listings, ebay_sellers, seller_count_snapshot

collect_category = dg.define_asset_job(
    "collect_category",
    selection=dg.AssetSelection.assets(amazon_products, ebay_listings, ebay_sellers),
    description=(
        "Collects one category: its best sellers on Amazon, their listings on eBay, and the sellers of these. Choose "
        "categories as partitions; at most five such runs work at a time. The snapshot follows by itself."
    ),
)

record_seller_count = dg.define_asset_job(
    "record_seller_count",
    selection=dg.AssetSelection.assets(seller_count_snapshot),
    description="Counts the seller list and keeps the count. Runs by itself after every collection.",
)

JOBS = [collect_category, record_seller_count]
