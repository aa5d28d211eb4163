"""Addresses on the answer page that summaries, alerts and Dagster lead to."""

from __future__ import annotations

from urllib.parse import urlencode


def new_sellers_address(page_url: str, collection_id: str) -> str:
    """Where the sellers are shown that came onto the list by a collection; `page_url` is COLLECTION_FEED_URL."""
    return f"{page_url}/answer/sellers?{urlencode({'new_in': collection_id, 'sort': 'first_seen'})}"
