"""Where a run's workers rest: a page's outcome and the listings it found, in one commit and few statements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from collection_pipeline.core.collecting.listings import Listing
from collection_pipeline.core.collecting.searches import SearchedPage, SearchStatus
from collection_pipeline.core.sellers.identity import MARKETPLACE, seller_key
from collection_pipeline.tables.collecting.judgements import JUDGED

# A page in one statement that commits by itself: one round trip, where a transaction of several takes six. Its parts
# see the tables as they were before it, so whatever looks at listings leaves out those of the page.
#
#   before   the clock is the statement's, as in last_seen_at: what this search sees was not last seen before it began
#   found    as JSON, because a parameter for each column costs more than the database's own work; who asked to be
#            forgotten is not kept, not even until the end of this search
#   judged   what people said of a listing wins over its match
#   kept     a listing keeps the seller that it named before, as long as it names another one now
#   gone     listings that the search should have seen and did not: those inside its own band, and no others
_RECORD = sa.text(f"""
    WITH before AS (
        SELECT coalesce(began_at, now()) AS began_at, rejected FROM product_searches
        WHERE collection_id = :collection_id AND asin = :asin FOR UPDATE
    ), found AS (
        SELECT n.* FROM jsonb_to_recordset(CAST(:listings AS jsonb)) AS n (
            listing_id text, seller_key text, seller_name text, feedback_score integer, feedback_percent numeric(4, 1),
            title text, price numeric(12, 2), currency text, condition_id text, is_fixed_price boolean,
            is_delivery_free boolean, country text, url text, match numeric(4, 3), match_reasons text)
        WHERE NOT is_erased(:marketplace, n.seller_key)
    ), judged AS (
        {JUDGED} AND j.asin = :asin
    ), kept AS (
        INSERT INTO ebay_listings AS l (
            org_id, asin, listing_id, marketplace, seller_key, seller_name, feedback_score, feedback_percent, title,
            price, currency, condition_id, is_fixed_price, is_delivery_free, country, url, match, match_reasons,
            first_collection_id, last_collection_id)
        SELECT :org_id, :asin, n.listing_id, :marketplace, n.seller_key, n.seller_name, n.feedback_score,
               n.feedback_percent, n.title, n.price, n.currency, n.condition_id, n.is_fixed_price, n.is_delivery_free,
               n.country, n.url, coalesce(j.match, n.match), coalesce(j.match_reasons, n.match_reasons),
               :collection_id, :collection_id
        FROM found n LEFT JOIN judged j USING (listing_id)
        ON CONFLICT (org_id, asin, listing_id) DO UPDATE SET
            former_seller_key = nullif(coalesce(l.former_seller_key, l.seller_key), excluded.seller_key),
            marketplace = excluded.marketplace, seller_key = excluded.seller_key, seller_name = excluded.seller_name,
            feedback_score = excluded.feedback_score, feedback_percent = excluded.feedback_percent,
            title = excluded.title, price = excluded.price, currency = excluded.currency,
            condition_id = excluded.condition_id, is_fixed_price = excluded.is_fixed_price,
            is_delivery_free = excluded.is_delivery_free, country = excluded.country, url = excluded.url,
            match = excluded.match, match_reasons = excluded.match_reasons,
            last_collection_id = excluded.last_collection_id, last_seen_at = now(), gone_at = NULL
    ), gone AS (
        UPDATE ebay_listings l SET gone_at = now() FROM before
        WHERE :saw_everything AND l.org_id = :org_id AND l.asin = :asin AND l.gone_at IS NULL
          AND l.last_seen_at < before.began_at
          AND l.price BETWEEN CAST(:low AS numeric) AND CAST(:high AS numeric) AND l.currency = CAST(:currency AS text)
          AND NOT EXISTS (SELECT FROM found f WHERE f.listing_id = l.listing_id)
    ), seen AS (
        SELECT (SELECT count(*) FROM found) + count(*) AS listings FROM ebay_listings l, before
        WHERE l.org_id = :org_id AND l.asin = :asin AND l.last_seen_at >= before.began_at
          AND NOT EXISTS (SELECT FROM found f WHERE f.listing_id = l.listing_id)
    ), refused AS (
        SELECT coalesce(jsonb_object_agg(why, times), '{{}}') AS counted FROM (
            SELECT key AS why, sum(CAST(value AS integer)) AS times FROM (
                SELECT r.* FROM before, jsonb_each_text(before.rejected) r
                UNION ALL SELECT * FROM jsonb_each_text(CAST(:rejected AS jsonb))
            ) each GROUP BY key
        ) summed
    )
    UPDATE product_searches s SET
        began_at = before.began_at, reason = :reason, error_stage = :error_stage, error_message = :error_message,
        status = CASE WHEN :status = 'done' AND seen.listings = 0 THEN 'empty' ELSE :status END,
        query = :query, price_low = :low, price_high = :high, currency = :currency,
        pages = s.pages + :pages, calls = s.calls + :calls, listings = seen.listings, rejected = refused.counted,
        duration_ms = coalesce(s.duration_ms, 0) + :duration_ms,
        searched_at = CASE WHEN :status <> 'planned' THEN now() END
    FROM before, seen, refused
    WHERE s.collection_id = :collection_id AND s.asin = :asin
""")  # noqa: S608


@dataclass(frozen=True)
class SearchCheckpoints:
    """Commits finished searches of one collection. Implements core.collecting.Checkpoints; safe to use from threads."""

    engine: sa.Engine
    org_id: str
    collection_id: str

    def record(self, page: SearchedPage, listings: Sequence[Listing]) -> None:
        """Commits a page's outcome together with its listings, or neither.

        Only a search that saw everything there is says which known listings are gone: unknown is not empty.
        """
        is_complete = page.status is SearchStatus.DONE and page.saw_everything and page.band is not None
        values = {
            "org_id": self.org_id,
            "collection_id": self.collection_id,
            "asin": page.asin,
            "marketplace": MARKETPLACE,
            "listings": json.dumps([_row(listing) for listing in listings]),
            "saw_everything": is_complete,
            "low": page.band.low if page.band else None,
            "high": page.band.high if page.band else None,
            "currency": page.band.currency if page.band else None,
            "status": page.status.value,
            "reason": page.reason,
            "error_stage": page.error_stage,
            "error_message": page.error_message,
            "query": page.query or None,
            "pages": page.pages,
            "calls": page.calls,
            "rejected": json.dumps(page.rejected),
            "duration_ms": page.duration_ms,
        }
        with self._autocommit.connect() as connection:
            recorded = connection.execute(_RECORD, values)
        assert recorded.rowcount == 1, "what is searched was planned"

    @cached_property
    def _autocommit(self) -> sa.Engine:
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")


def _row(listing: Listing) -> dict[str, object]:
    assert listing.seller is not None, "evidence names its seller"
    assert listing.price is not None, "evidence has a price"
    percent = listing.seller.feedback_percent
    return {
        "listing_id": listing.listing_id,
        "seller_key": seller_key(listing.seller.name),
        "seller_name": listing.seller.name,
        "feedback_score": listing.seller.feedback_score,
        "feedback_percent": None if percent is None else str(percent),
        "title": listing.title,
        "price": str(listing.price.amount),
        "currency": listing.price.currency,
        "condition_id": listing.condition_id,
        "is_fixed_price": listing.is_fixed_price,
        "is_delivery_free": listing.is_delivery_free,
        "country": listing.country,
        "url": listing.url,
        "match": None if listing.match is None else str(listing.match.probability),
        "match_reasons": None if listing.match is None else listing.match.reasons,
    }
