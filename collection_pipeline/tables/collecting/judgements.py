"""People's word on listings: it wins over the match, and stays when a listing is collected again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from collection_pipeline.core.collecting.product_match import ProductMatcher
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.printable import printable
from collection_pipeline.tables.collecting.product_titles import product_titles

LONGEST_REASON = 2_000
"""Characters of a reason that are kept."""

JUDGED = """
    SELECT j.asin, j.listing_id, CAST(j.is_same::integer AS numeric(4, 3)) AS match,
           CASE WHEN j.is_same THEN 'confirmed by ' ELSE 'rejected by ' END || j.actor
           || coalesce(': ' || j.reason, '') AS match_reasons
    FROM listing_judgements j
    WHERE j.org_id = :org_id AND j.withdrawn_at IS NULL
"""
"""An organisation's judgements that are in force, in the form of what the listings show. More conditions may follow."""

# Who writes listings at this moment has not seen the judgement yet, and would write the match over it.
_ALONE = sa.text("LOCK TABLE ebay_listings IN SHARE ROW EXCLUSIVE MODE")

_MEANT = sa.text("""
    SELECT l.asin, l.listing_id, l.title FROM ebay_listings l
    WHERE l.org_id = :org_id AND l.listing_id = ANY (CAST(:listing_ids AS text[]))
      AND (CAST(:asin AS text) IS NULL OR l.asin = :asin)
    ORDER BY l.asin, l.listing_id
""")
_IN_FORCE = sa.text("""
    SELECT j.asin, j.listing_id FROM listing_judgements j
    WHERE j.org_id = :org_id AND j.listing_id = ANY (CAST(:listing_ids AS text[])) AND j.withdrawn_at IS NULL
      AND (CAST(:asin AS text) IS NULL OR j.asin = :asin)
    ORDER BY j.asin, j.listing_id
""")
_WITHDRAW = sa.text("""
    UPDATE listing_judgements SET withdrawn_by = :actor, withdrawn_at = clock_timestamp()
    WHERE org_id = :org_id AND asin = :asin AND listing_id = :listing_id AND withdrawn_at IS NULL
""")
_JUDGE = sa.text("""
    INSERT INTO listing_judgements
        (org_id, asin, listing_id, marketplace, seller_key, is_same, reason, actor, judged_at)
    SELECT l.org_id, l.asin, l.listing_id, l.marketplace, l.seller_key, :is_same, :reason, :actor, clock_timestamp()
    FROM ebay_listings l WHERE l.org_id = :org_id AND l.asin = :asin AND l.listing_id = :listing_id
""")
# All listings in one statement, so that their figures are brought up to date together, in the order of everybody.
_SHOW_JUDGEMENTS = sa.text(f"""
    UPDATE ebay_listings l SET match = j.match, match_reasons = j.match_reasons
    FROM ({JUDGED} AND j.listing_id = ANY (CAST(:listing_ids AS text[]))) j
    WHERE l.org_id = :org_id AND l.asin = j.asin AND l.listing_id = j.listing_id
""")  # noqa: S608
_SHOW_MATCHES = sa.text("""
    UPDATE ebay_listings l SET match = n.match, match_reasons = n.match_reasons
    FROM jsonb_to_recordset(CAST(:matches AS jsonb)) AS n (
        asin text, listing_id text, match numeric(4, 3), match_reasons text)
    WHERE l.org_id = :org_id AND l.asin = n.asin AND l.listing_id = n.listing_id
""")
_PAIRS = sa.text("""
    SELECT l.asin, l.title, l.price, j.is_same,
           (SELECT p.price FROM amazon_products p WHERE p.org_id = l.org_id AND p.asin = l.asin AND p.price IS NOT NULL
            ORDER BY p.updated_at DESC LIMIT 1) AS product_price
    FROM listing_judgements j JOIN ebay_listings l USING (org_id, asin, listing_id)
    WHERE j.org_id = :org_id AND j.withdrawn_at IS NULL ORDER BY j.id
""")


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A product and a listing of which a person said whether they are the same. Prices in USD; None if not known."""

    product_title: str
    product_price: Decimal | None
    listing_title: str
    listing_price: Decimal
    is_same: bool


class JudgementStore:
    """Keeps what people say of listings. Every method is all or nothing, and raises PipelineError for a refusal."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def judge(
        self,
        org_id: str,
        listing_ids: Sequence[str],
        actor: str,
        *,
        is_same: bool,
        reason: str | None = None,
        asin: str | None = None,
    ) -> int:
        """Says whether listings are the product they were found for, in place of what was said before; how many.

        `asin` tells which product is meant where a listing was found for several.
        """
        with self._engine.begin() as connection:
            connection.execute(_ALONE)
            meant = _meant(connection, org_id, listing_ids, asin, _MEANT, "listing that was found for")
            said = {"org_id": org_id, "actor": actor, "is_same": is_same, "reason": _kept(reason)}
            judged = [{**said, "asin": row.asin, "listing_id": row.listing_id} for row in meant]
            for statement in (_WITHDRAW, _JUDGE):
                connection.execute(statement, judged)
            connection.execute(_SHOW_JUDGEMENTS, {"org_id": org_id, "listing_ids": list(listing_ids)})
        return len(meant)

    def withdraw(self, org_id: str, listing_ids: Sequence[str], actor: str, *, asin: str | None = None) -> int:
        """Takes back what was said of listings; how many. They show their match again, from their titles of now."""
        with self._engine.begin() as connection:
            connection.execute(_ALONE)
            judged = _meant(connection, org_id, listing_ids, asin, _IN_FORCE, "judgement of a listing of")
            scope = {"org_id": org_id, "actor": actor, "listing_ids": list(listing_ids), "asin": asin}
            listings = {(row.asin, row.listing_id): row.title for row in connection.execute(_MEANT, scope)}
            products = product_titles(connection, org_id, [row.asin for row in judged])
            rows = [{"asin": row.asin, "listing_id": row.listing_id} for row in judged]
            matches = [
                row | _match(products.get(row["asin"]), listings.get((row["asin"], row["listing_id"]))) for row in rows
            ]
            connection.execute(_WITHDRAW, [scope | row for row in rows])
            connection.execute(_SHOW_MATCHES, {"org_id": org_id, "matches": json.dumps(matches)})
        return len(judged)

    def pairs(self, org_id: str) -> Iterator[JudgedPair]:
        """What people said of listings that are still kept, oldest first, as examples to measure or to train with."""
        with self._engine.connect() as connection:
            rows = connection.execute(_PAIRS, {"org_id": org_id}).all()
            titles = product_titles(connection, org_id, [row.asin for row in rows])
        for row in rows:
            if row.asin in titles:
                yield JudgedPair(titles[row.asin], row.product_price, row.title, row.price, row.is_same)


def _kept(reason: str | None) -> str | None:
    return printable(reason, LONGEST_REASON) if reason else None


def _match(product_title: str | None, listing_title: str | None) -> dict[str, str]:
    if product_title is None or listing_title is None:
        return {}
    match = ProductMatcher(product_title)(listing_title)
    return {"match": str(match.probability), "match_reasons": match.reasons}


def _meant(
    connection: sa.Connection,
    org_id: str,
    listing_ids: Sequence[str],
    asin: str | None,
    query: sa.TextClause,
    what: str,
) -> Sequence[sa.Row[tuple[str, ...]]]:
    """One row for each of the listings. Raises PipelineError where one has none or several."""
    asin = printable(asin) if asin else None
    scope = {"org_id": org_id, "listing_ids": list(map(printable, listing_ids)), "asin": asin}
    rows = connection.execute(query, scope).all()
    product = asin or "a product"
    for listing_id in listing_ids:
        asins = [row.asin for row in rows if row.listing_id == listing_id]
        if not asins:
            raise PipelineError(
                f"Nothing was changed: there is no {what} {product} with the number {listing_id[:80]!r}."
            )
        if len(asins) > 1:
            raise PipelineError(
                f"Nothing was changed: the listing {listing_id} was found for {len(asins)} products. "
                f"Say which is meant: {', '.join(asins)}."
            )
    return rows
