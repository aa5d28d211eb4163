"""The listings of a category's products, in SQL whose cost does not depend on the planner's statistics.

A planner that has not heard of an organisation yet expects one row of it, and joins so that a thousand rows take
minutes: autoanalyze comes a minute after the rows do. So statements about a category are driven from its products, and
look everything else up by key. A LATERAL subquery with OFFSET 0 is never turned into another kind of join.
"""

from __future__ import annotations

LISTINGS = """
    SELECT l.* FROM amazon_products p
    CROSS JOIN LATERAL (SELECT * FROM ebay_listings l WHERE l.org_id = p.org_id AND l.asin = p.asin OFFSET 0) l
    WHERE p.org_id = :org_id AND p.category = :category
"""
"""All of them, those that are gone included; all columns of `ebay_listings`."""

MATCHES = "(CAST(:min_match AS numeric) IS NULL OR l.match >= CAST(:min_match AS numeric))"
"""Those that are known to match their product as much; all of them for NULL."""
