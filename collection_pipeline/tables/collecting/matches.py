"""The matches of listings: filled in where they are missing, and what they come to for a category."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

import sqlalchemy as sa

from collection_pipeline.core.collecting.product_match import ProductMatcher
from collection_pipeline.tables.collecting.product_titles import product_titles
from collection_pipeline.tables.schema.category_listings import LISTINGS
from collection_pipeline.tables.schema.figures import SLICE

BATCH = SLICE
"""Listings that are filled in together: so many products at most as have their figures counted together."""

_START = ("", "", "")

# In the order of the primary key, from where the last batch ended.
_MISSING = sa.text(f"""
    SELECT l.org_id, l.asin, l.listing_id, l.title FROM ebay_listings l
    WHERE l.match IS NULL AND (l.org_id, l.asin, l.listing_id) > (:org_id, :asin, :listing_id)
    ORDER BY l.org_id, l.asin, l.listing_id LIMIT {BATCH}
""")  # noqa: S608
# What was collected or judged meanwhile has a match of its own, and so will what somebody is writing now. Waiting for
# that while holding other rows of its product could end in a deadlock.
_FILL = sa.text("""
    WITH found AS MATERIALIZED (
        SELECT n.* FROM jsonb_to_recordset(CAST(:matches AS jsonb)) AS n (
            asin text, listing_id text, title text, match numeric(4, 3), match_reasons text)
        CROSS JOIN LATERAL (
            SELECT FROM ebay_listings l
            WHERE l.org_id = :org_id AND l.asin = n.asin AND l.listing_id = n.listing_id AND l.match IS NULL
              AND l.title = n.title
            FOR UPDATE SKIP LOCKED
        ) l
    )
    UPDATE ebay_listings l SET match = n.match, match_reasons = n.match_reasons FROM found n
    WHERE l.org_id = :org_id AND l.asin = n.asin AND l.listing_id = n.listing_id
""")

_MEDIAN = f"""
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY l.match)::numeric(4, 3)
    FROM ({LISTINGS}) l WHERE l.gone_at IS NULL
"""  # noqa: S608
_NOTE_MEDIAN = sa.text(f"""
    UPDATE collection_categories SET median_match = ({_MEDIAN})
    WHERE collection_id = :collection_id AND category = :category RETURNING median_match
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class _Missing:
    org_id: str
    asin: str
    listing_id: str
    title: str


class MatchStore:
    """Fills in matches, and reads what they come to."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def fill(self) -> Iterator[int]:
        """Gives listings without a match theirs, a batch a transaction, beside whoever collects; how many in each.

        Listings whose product nobody knows the title of stay without one. May be stopped and begun anew at any time.
        """
        last = _START
        while batch := self._missing(*last):
            for org_id, listings in groupby(batch, key=attrgetter("org_id")):
                yield self._fill(org_id, list(listings))
            last = (batch[-1].org_id, batch[-1].asin, batch[-1].listing_id)

    def note_median(self, org_id: str, collection_id: str, category: str) -> Decimal | None:
        """Writes down the median match of a category's current listings for its collection; None where none has one."""
        scope = {"org_id": org_id, "collection_id": collection_id, "category": category}
        with self._engine.begin() as connection:
            median: Decimal | None = connection.execute(_NOTE_MEDIAN, scope).scalar_one_or_none()
            return median

    def _missing(self, org_id: str, asin: str, listing_id: str) -> list[_Missing]:
        with self._engine.connect() as connection:
            found = connection.execute(_MISSING, {"org_id": org_id, "asin": asin, "listing_id": listing_id})
            return [_Missing(*row) for row in found]

    def _fill(self, org_id: str, listings: Sequence[_Missing]) -> int:
        with self._engine.connect() as connection:
            titles = product_titles(connection, org_id, [listing.asin for listing in listings])
        matches = [
            row
            for asin, of_product in groupby(listings, key=attrgetter("asin"))
            if asin in titles
            for row in _rows(titles[asin], list(of_product))
        ]
        with self._engine.begin() as connection:
            return connection.execute(_FILL, {"org_id": org_id, "matches": json.dumps(matches)}).rowcount


def _rows(product_title: str, listings: Sequence[_Missing]) -> Iterator[dict[str, str]]:
    matcher = ProductMatcher(product_title)
    for listing in listings:
        match = matcher(listing.title)
        yield {
            "asin": listing.asin,
            "listing_id": listing.listing_id,
            "title": listing.title,
            "match": str(match.probability),
            "match_reasons": match.reasons,
        }
