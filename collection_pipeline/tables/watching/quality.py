"""What the asset checks count: rows that break one of the tables' promises."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from collection_pipeline.core.collecting.products import ASIN
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.identity import seller_key
from collection_pipeline.tables.schema.category_listings import LISTINGS
from collection_pipeline.tables.schema.figures import SAME_PRODUCT

SAMPLE = 50
"""Sellers of a category whose figures are counted anew."""

_WRONG_FIGURES = f"""
    WITH product AS MATERIALIZED (
        SELECT asin FROM amazon_products WHERE org_id = :org_id AND category = :category
    ), seller AS MATERIALIZED (
        SELECT min(x.asin) AS asin, x.marketplace, x.seller_key
        FROM product p CROSS JOIN LATERAL (
            SELECT * FROM seller_products x WHERE x.org_id = :org_id AND x.asin = p.asin OFFSET 0
        ) x
        GROUP BY x.marketplace, x.seller_key ORDER BY md5(x.seller_key) LIMIT {SAMPLE}
    )
    SELECT p.asin FROM product p
    LEFT JOIN product_figures f ON f.org_id = :org_id AND f.asin = p.asin
    CROSS JOIN LATERAL (
        SELECT count(*) AS listings, count(DISTINCT (l.marketplace, l.seller_key)) AS sellers, min(l.price) AS low,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY l.price)::numeric(12, 2) AS median, max(l.price) AS high
        FROM ebay_listings l WHERE l.org_id = :org_id AND l.asin = p.asin AND l.gone_at IS NULL
    ) n
    WHERE (f.listings, f.sellers, f.price_low, f.price_median, f.price_high)
          IS DISTINCT FROM (n.listings, n.sellers, n.low, n.median, n.high)
    UNION
    SELECT s.asin FROM seller s
    LEFT JOIN seller_figures f
      ON f.org_id = :org_id AND f.marketplace = s.marketplace AND f.seller_key = s.seller_key
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT l.asin) AS products, count(DISTINCT a.asin) AS best_sellers,
               count(DISTINCT a.category) AS categories, max(l.match) AS best_match,
               count(DISTINCT l.asin) FILTER (WHERE l.match >= {SAME_PRODUCT}) AS matched_products
        FROM (SELECT asin, match FROM ebay_listings l WHERE l.org_id = :org_id AND l.marketplace = s.marketplace
              AND l.seller_key = s.seller_key AND l.gone_at IS NULL OFFSET 0) l
        LEFT JOIN LATERAL (SELECT * FROM amazon_products a WHERE a.org_id = :org_id AND a.asin = l.asin OFFSET 0) a
          ON true
    ) n
    WHERE (f.products, f.best_sellers, f.categories, f.matched_products, f.best_match)
          IS DISTINCT FROM (n.products, n.best_sellers, n.categories, n.matched_products, n.best_match)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class PriceCoverage:
    """How many of a category's products have a price; `not_positive` must never be anything but 0."""

    products: int
    priced: int
    not_positive: int

    @property
    def share(self) -> float:
        """Share of products with a price, 0 to 1; 0 without any product."""
        return self.priced / self.products if self.products else 0.0


@dataclass(frozen=True, slots=True)
class SnapshotAudit:
    """The newest snapshot beside what the audit log says of that moment, and the list beside the log's end.

    Counts are None where there is no snapshot or no audit row yet.
    """

    snapshot: int | None
    logged_then: int | None
    live: int
    logged_now: int | None

    @property
    def agrees(self) -> bool:
        """Whether both counts are what the log replays to."""
        return self.snapshot == (self.logged_then or 0) and self.live == (self.logged_now or 0)


class QualityStore:
    """Counts rows that break a promise."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def bad_asins(self, org_id: str, category: str) -> list[str]:
        """ASINs of a category that are not ten capital letters or digits, or that stand twice."""
        rows = self._rows(
            "SELECT asin FROM amazon_products WHERE org_id = :org_id AND category = :category",
            org_id=org_id,
            category=category,
        )
        asins = [row.asin for row in rows]
        return sorted({asin for asin in asins if not ASIN.fullmatch(asin) or asins.count(asin) > 1})

    def price_coverage(self, org_id: str, category: str) -> PriceCoverage:
        """How many products of a category have a price."""
        [row] = self._rows(
            "SELECT count(*) AS products, count(price) AS priced, count(*) FILTER (WHERE price <= 0) AS not_positive "
            "FROM amazon_products WHERE org_id = :org_id AND category = :category",
            org_id=org_id,
            category=category,
        )
        return PriceCoverage(row.products, row.priced, row.not_positive)

    def listings_outside_band(self, org_id: str, category: str) -> list[str]:
        """Current listings of a category that lie outside the price band of the search that last saw them."""
        return self._listings(
            "NOT (l.price BETWEEN s.price_low AND s.price_high AND l.currency = s.currency)", org_id, category
        )

    def listings_against_filters(self, org_id: str, category: str) -> list[str]:
        """Current listings of a category that are not new, at a fixed price, delivered free, and in the US."""
        condition = "NOT (l.condition_id = '1000' AND l.is_fixed_price AND l.is_delivery_free AND l.country = 'US')"
        return self._listings(condition, org_id, category)

    def _listings(self, condition: str, org_id: str, category: str) -> list[str]:
        rows = self._rows(
            f"""
            SELECT DISTINCT l.listing_id
            FROM ({LISTINGS}) l
            CROSS JOIN LATERAL (
                SELECT * FROM product_searches s
                WHERE s.collection_id = l.last_collection_id AND s.asin = l.asin OFFSET 0
            ) s
            WHERE l.gone_at IS NULL AND {condition}
            """,  # noqa: S608
            org_id=org_id,
            category=category,
        )
        return sorted(row.listing_id for row in rows)

    def bad_seller_keys(self, org_id: str, category: str) -> list[str]:
        """Keys of a category's sellers that are not normalised, and so could stand twice for one account."""
        rows = self._rows(
            f"""
            SELECT s.seller_key
            FROM (SELECT DISTINCT marketplace, seller_key FROM ({LISTINGS}) l WHERE gone_at IS NULL) l
            CROSS JOIN LATERAL (
                SELECT * FROM sellers s
                WHERE s.org_id = :org_id AND s.marketplace = l.marketplace AND s.seller_key = l.seller_key OFFSET 0
            ) s
            WHERE s.status = 'active'
            """,  # noqa: S608
            org_id=org_id,
            category=category,
        )
        return sorted(row.seller_key for row in rows if not _is_normalised(row.seller_key))

    def wrong_figures(self, org_id: str, category: str) -> list[str]:
        """Products of a category whose kept figures, or those of some of their sellers, are not what counting gives.

        In one statement, which sees one moment: what others change meanwhile is kept and counted the same.
        """
        rows = self._rows(_WRONG_FIGURES, org_id=org_id, category=category)
        return sorted(row.asin for row in rows)

    def snapshot_audit(self, org_id: str) -> SnapshotAudit:
        """The newest snapshot and the live list, each beside the audit log."""
        [row] = self._rows(
            """
            SELECT
                s.seller_count AS snapshot,
                (SELECT a.seller_count_snapshot FROM seller_audit_log a
                 WHERE a.org_id = :org_id AND a.created_at <= s.taken_at ORDER BY a.id DESC LIMIT 1) AS logged_then,
                (SELECT count(*) FROM sellers l WHERE l.org_id = :org_id AND l.status = 'active') AS live,
                (SELECT a.seller_count_snapshot FROM seller_audit_log a
                 WHERE a.org_id = :org_id ORDER BY a.id DESC LIMIT 1) AS logged_now
            FROM (SELECT 1) one
            LEFT JOIN LATERAL (SELECT seller_count, taken_at FROM seller_count_snapshots
                               WHERE org_id = :org_id ORDER BY id DESC LIMIT 1) s ON true
            """,
            org_id=org_id,
        )
        return SnapshotAudit(row.snapshot, row.logged_then, row.live, row.logged_now)

    def _rows(self, query: str, **parameters: str) -> list[sa.Row[tuple[object, ...]]]:
        with self._engine.connect() as connection:
            return list(connection.execute(sa.text(query), parameters))


def _is_normalised(key: str) -> bool:
    try:
        return seller_key(key) == key
    except PipelineError:
        return False
