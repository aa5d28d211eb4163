"""The asset graph: best sellers, listings, sellers, and how many sellers there are, each in a file of its own."""

from collection_pipeline.orchestration.collecting.amazon_products import amazon_products
from collection_pipeline.orchestration.collecting.ebay_listings import ebay_listings
from collection_pipeline.orchestration.sellers.ebay_sellers import ebay_sellers
from collection_pipeline.orchestration.sellers.seller_count_snapshot import seller_count_snapshot

ASSETS = [amazon_products, ebay_listings, ebay_sellers, seller_count_snapshot]
