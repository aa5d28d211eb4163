"""The seller list: how a collection adds to it, and how many are on it.

Every change of a list happens under that list's lock, with its audit row and the count after it, in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from collection_pipeline.core.sellers.seller_list import AuditAction
from collection_pipeline.tables.schema.category_listings import LISTINGS
from collection_pipeline.tables.schema.locking import lock_turn
from collection_pipeline.tables.schema.tables import collection_categories, seller_audit_log, sellers
from collection_pipeline.tables.schema.time_limits import limit_waits_and_statements
from collection_pipeline.tables.sellers.key_change_detection import require_same_names, settle_names

# Rows of the list are found by key: one at a time, or by an upsert's unique index (tables/schema/category_listings.py).

# A listing whose match is not known is none from a match on: nothing says that it is the product.
_IS_EVIDENCE = "CAST(:evidence_match AS float8) = 0 OR l.match >= CAST(:evidence_match AS float8)"
_COUNTS = f"l.gone_at IS NULL AND ({_IS_EVIDENCE})"

_EVIDENCE = f"""
    SELECT * FROM (
        SELECT DISTINCT ON (l.marketplace, l.seller_key)
            l.marketplace, l.seller_key, l.seller_name, l.feedback_score, l.feedback_percent,
            l.last_collection_id, l.last_seen_at
        FROM ({LISTINGS}) l
        WHERE {_COUNTS}
        ORDER BY l.marketplace, l.seller_key, l.last_seen_at DESC, l.seller_name, l.listing_id
    ) e WHERE NOT is_erased(e.marketplace, e.seller_key)
"""  # noqa: S608

# A name that people gave and a removal by hand stay: only what the marketplace says of the account is refreshed.
_MERGE = sa.text(f"""
    WITH evidence AS MATERIALIZED ({_EVIDENCE}),
    merged AS (
        INSERT INTO sellers AS s (org_id, marketplace, seller_key, display_name, feedback_score, feedback_percent,
                                  first_collection_id, last_collection_id, first_seen_at, last_seen_at)
        SELECT :org_id, marketplace, seller_key, seller_name, feedback_score, feedback_percent,
               :collection_id, last_collection_id, last_seen_at, last_seen_at
        FROM evidence
        ON CONFLICT (org_id, marketplace, seller_key) DO UPDATE
        SET feedback_score = excluded.feedback_score, feedback_percent = excluded.feedback_percent,
            last_collection_id = excluded.last_collection_id, last_seen_at = excluded.last_seen_at
        WHERE excluded.last_seen_at >= s.last_seen_at
        RETURNING marketplace, seller_key, display_name, status, xmax = 0 AS is_new
    )
    SELECT (SELECT count(*) FROM evidence) AS found,
           coalesce(jsonb_agg(to_jsonb(merged) - 'is_new') FILTER (WHERE is_new), '[]') AS new
    FROM merged
""")  # noqa: S608

# Seen after the removal: a listing that was known before it says nothing new.
_REMOVED_AND_SEEN = sa.text(f"""
    SELECT s.marketplace, s.seller_key, s.display_name, s.status, s.note, s.is_flagged
    FROM ({_EVIDENCE}) e
    CROSS JOIN LATERAL (
        SELECT * FROM sellers s
        WHERE s.org_id = :org_id AND s.marketplace = e.marketplace AND s.seller_key = e.seller_key OFFSET 0
    ) s
    CROSS JOIN LATERAL (
        SELECT max(a.created_at) AS at FROM seller_versions v JOIN seller_audit_log a ON a.id = v.from_audit_id
        WHERE v.org_id = s.org_id AND v.marketplace = s.marketplace AND v.seller_key = s.seller_key
          AND v.to_audit_id IS NULL
    ) removed
    WHERE s.status = 'removed' AND e.last_seen_at > removed.at
    ORDER BY s.marketplace, s.seller_key
""")  # noqa: S608

_RETURN = sa.text("""
    UPDATE sellers SET status = 'active'
    WHERE org_id = :org_id AND marketplace = :marketplace AND seller_key = :seller_key
""")

# Counted anew instead of added up, for all who ever listed one of the category's products: twice changes nothing.
_RECOUNT = sa.text(f"""
    INSERT INTO sellers (org_id, marketplace, seller_key, display_name, listing_count, product_count)
    SELECT s.org_id, s.marketplace, s.seller_key, s.display_name, c.listings, c.products
    FROM (SELECT DISTINCT marketplace, seller_key FROM ({LISTINGS}) l) a
    CROSS JOIN LATERAL (
        SELECT * FROM sellers s
        WHERE s.org_id = :org_id AND s.marketplace = a.marketplace AND s.seller_key = a.seller_key OFFSET 0
    ) s
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT l.listing_id) AS listings, count(DISTINCT l.asin) AS products
        FROM ebay_listings l
        WHERE l.org_id = s.org_id AND l.marketplace = s.marketplace AND l.seller_key = s.seller_key
          AND l.gone_at IS NULL
    ) c
    WHERE (s.listing_count, s.product_count) IS DISTINCT FROM (c.listings, c.products)
    ON CONFLICT (org_id, marketplace, seller_key) DO UPDATE
    SET listing_count = excluded.listing_count, product_count = excluded.product_count
""")  # noqa: S608

_SIGHTINGS = sa.text(f"""
    INSERT INTO seller_sightings (collection_id, marketplace, seller_key)
    SELECT DISTINCT CAST(:collection_id AS text), l.marketplace, l.seller_key
    FROM ({LISTINGS}) l WHERE {_COUNTS}
    ON CONFLICT DO NOTHING
""")  # noqa: S608

# For each product searched: the sellers who were never on it before, and those of them whom this category brought to
# the list, as the log says. One who came with several of its products counts as a part on each, so that the sum over
# all categories of a collection is what it brought.
_CREDIT_SEARCHES = sa.text(f"""
    WITH came AS (
        SELECT p.asin, l.marketplace, l.seller_key
        FROM product_searches p
        CROSS JOIN LATERAL (
            SELECT l.marketplace, l.seller_key FROM ebay_listings l
            WHERE l.org_id = :org_id AND l.asin = p.asin AND ({_IS_EVIDENCE})
            GROUP BY l.marketplace, l.seller_key
            HAVING bool_and(l.first_collection_id = :collection_id) OFFSET 0
        ) l
        WHERE p.collection_id = :collection_id AND p.category = :category AND p.status IN ('done', 'empty')
    ), brought AS MATERIALIZED (
        SELECT DISTINCT n.marketplace, n.seller_key
        FROM seller_audit_log a
        CROSS JOIN LATERAL jsonb_to_recordset(a.new_values) n (marketplace text, seller_key text)
        WHERE a.collection_id = :collection_id AND a.org_id = :org_id AND a.category = :category
          AND a.action = '{AuditAction.DISCOVERED}'
    ), parts AS (
        SELECT c.asin, (b.seller_key IS NOT NULL)::int
                   / count(*) OVER (PARTITION BY c.marketplace, c.seller_key)::numeric AS part
        FROM came c LEFT JOIN brought b USING (marketplace, seller_key)
    )
    UPDATE product_searches p SET arrived = b.arrived, new_sellers = b.new_sellers
    FROM (
        SELECT q.asin, count(x.asin) AS arrived, coalesce(sum(x.part), 0) AS new_sellers
        FROM product_searches q LEFT JOIN parts x USING (asin)
        WHERE q.collection_id = :collection_id AND q.category = :category AND q.status IN ('done', 'empty')
        GROUP BY q.asin
    ) b
    WHERE p.collection_id = :collection_id AND p.asin = b.asin
""")  # noqa: S608

_COUNT_EVIDENCE = sa.text(f"SELECT count(*) FROM ({LISTINGS}) l WHERE {_COUNTS}")  # noqa: S608

_PREVIEW = sa.text("""
    SELECT p.position, p.asin, p.title, l.sellers
    FROM amazon_products p
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT l.seller_key) AS sellers
        FROM ebay_listings l WHERE l.org_id = p.org_id AND l.asin = p.asin AND l.gone_at IS NULL
    ) l
    WHERE p.org_id = :org_id AND p.category = :category AND l.sellers > 0
    ORDER BY l.sellers DESC, p.position LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What merging one category's sellers did. `seller_count` is the list's length afterwards."""

    found: int
    new: int
    seller_count: int

    @property
    def known(self) -> int:
        """Sellers found that were on the list before, removed ones included."""
        return self.found - self.new


class SellerStore:
    """Keeps the seller lists."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def count(self, org_id: str) -> int:
        """How many active sellers an organisation's list holds."""
        with self._engine.connect() as connection:
            return count_sellers(connection, org_id)

    def evidence(self, org_id: str, category: str, evidence_match: float = 0) -> int:
        """How many current listings of a category count as evidence: what a merge starts from."""
        scope = {"org_id": org_id, "category": category, "evidence_match": evidence_match}
        with self._engine.connect() as connection:
            return connection.scalar(_COUNT_EVIDENCE, scope) or 0

    def merge(
        self,
        org_id: str,
        collection_id: str,
        category: str,
        *,
        actor: str,
        removed_return: bool = False,
        evidence_match: float = 0,
    ) -> MergeResult:
        """Adds the sellers of a category's current listings to the list. Merging twice changes nothing.

        Only listings with a match of at least `evidence_match` count, from 0 (all) to 1. Who is on the list stays.
        New sellers make one audit row with the count after it. Removed ones stay removed, unless `removed_return`.
        Raises KeysChanged, having merged nothing, where most known listings name another seller than before.
        """
        scope = {"org_id": org_id, "category": category, "collection_id": collection_id}
        evidence: dict[str, str | float] = {**scope, "evidence_match": evidence_match}
        require_same_names(self._engine, org_id, collection_id, category)
        with self._engine.begin() as connection:
            lock_list(connection, org_id)
            if removed_return:
                _return_removed(connection, actor, scope, evidence)
            merged = connection.execute(_MERGE, evidence).one()
            found, new = int(merged.found), merged.new
            seller_count = _log(connection, AuditAction.DISCOVERED, actor, scope, [], new)
            connection.execute(_RECOUNT, scope)
            connection.execute(_SIGHTINGS, evidence)
            settle_names(connection, org_id, category)
            connection.execute(
                collection_categories.update()
                .where(
                    collection_categories.c.collection_id == collection_id,
                    collection_categories.c.category == category,
                )
                .values(sellers_found=found, new_sellers=collection_categories.c.new_sellers + len(new))
            )
        # By itself: the list need not be held while the searches that brought its sellers are credited with them.
        with self._engine.begin() as connection:
            connection.execute(_CREDIT_SEARCHES, evidence)
        return MergeResult(found=found, new=len(new), seller_count=seller_count)

    def preview(self, org_id: str, category: str, limit: int = 5) -> list[Sequence[object]]:
        """The category's best sellers that most sellers carry, as (position, asin, title, sellers).

        Without the sellers' names: Dagster keeps previews, and who asks to be forgotten must not stay in them.
        """
        with self._engine.connect() as connection:
            rows = connection.execute(_PREVIEW, {"org_id": org_id, "category": category, "limit": limit})
            return [tuple(row) for row in rows]


def _return_removed(
    connection: sa.Connection, actor: str, scope: Mapping[str, str], evidence: Mapping[str, str | float]
) -> None:
    """Puts sellers back on the list who were removed from it and were seen since."""
    removed = [row._asdict() for row in connection.execute(_REMOVED_AND_SEEN, evidence)]
    if removed:
        connection.execute(_RETURN, [{**scope, **seller} for seller in removed])
        _log(connection, AuditAction.RETURNED, actor, scope, removed, [{**one, "status": "active"} for one in removed])


def _log(
    connection: sa.Connection,
    action: AuditAction,
    actor: str,
    scope: Mapping[str, str],
    before: Sequence[Mapping[str, object]],
    after: Sequence[Mapping[str, object]],
) -> int:
    """Writes what a collection changed into the log, if it changed anything; gives the count after it."""
    seller_count = count_sellers(connection, scope["org_id"])
    if after:
        connection.execute(
            seller_audit_log.insert().values(
                **scope,
                action=action,
                actor=actor,
                source="collection",
                affected_count=len(after),
                old_values=before,
                new_values=after,
                seller_count_snapshot=seller_count,
            )
        )
    return seller_count


def lock_list(connection: sa.Connection, org_id: str) -> None:
    """Makes this transaction the only one that changes the organisation's list, until it ends.

    Without it two transactions would each count without the other's sellers, and the audit log would not add up. What
    holds up everybody else may not take for ever: see tables/schema/time_limits.py. Raises TookTooLong.
    """
    limit_waits_and_statements(connection, org_id)
    lock_turn(connection, f"sellers: {org_id}")


def count_sellers(connection: sa.Connection, org_id: str) -> int:
    """Active sellers on the list, as this transaction sees it."""
    active = sa.select(sa.func.count()).where(sellers.c.org_id == org_id, sellers.c.status == "active")
    return connection.scalar(active) or 0
