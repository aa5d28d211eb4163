"""The titles of products, as last seen: among the best sellers of now, or of earlier collections."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

_TITLES = sa.text("""
    SELECT a.asin, coalesce(
        (SELECT p.title FROM amazon_products p WHERE p.org_id = :org_id AND p.asin = a.asin
         ORDER BY p.updated_at DESC LIMIT 1),
        (SELECT h.title FROM amazon_product_history h JOIN collections c USING (collection_id)
         WHERE h.asin = a.asin AND c.org_id = :org_id ORDER BY h.seen_at DESC LIMIT 1)) AS title
    FROM unnest(CAST(:asins AS text[])) AS a (asin)
""")


def product_titles(connection: sa.Connection, org_id: str, asins: Iterable[str]) -> dict[str, str]:
    """Title by ASIN. Products of which the organisation knows none any more are left out."""
    known = connection.execute(_TITLES, {"org_id": org_id, "asins": sorted(set(asins))})
    return {row.asin: row.title for row in known if row.title is not None}
