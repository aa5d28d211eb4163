"""Sellers to export, as many as one likes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from collection_pipeline.core.sellers.seller_list import SellerRow

SELLER = SellerRow(
    org_id="default",
    marketplace="ebay",
    seller_key="deal_hunter",
    display_name="Deal_Hunter",
    status="active",
    note="asked on Monday",
    is_flagged=True,
    exported_at=None,
    feedback_score=-3,
    feedback_percent=Decimal("99.8"),
    listing_count=12,
    product_count=7,
    matched_products=5,
    best_match=Decimal("0.973"),
    first_collection_id="c-1",
    last_collection_id=None,
    first_seen_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    last_seen_at=datetime(2026, 2, 2, 3, 4, 5, tzinfo=UTC),
    is_simulated=False,
)


def sellers(number: int) -> Iterator[SellerRow]:
    """Sellers whose texts are all different, so that nothing can be shared in memory."""
    for place in range(number):
        yield replace(SELLER, seller_key=f"seller-{place}", display_name=f"Seller {place}", note=f"note {place} " * 10)
