"""What the tables know of products that could be searched: their places, prices, and what earlier searches brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from collection_pipeline.core.collecting.listings import query_text
from collection_pipeline.core.collecting.planning.candidates import Candidate, Past
from collection_pipeline.core.collecting.planning.correcting import Outcome
from collection_pipeline.core.collecting.planning.expecting import FirstSearches
from collection_pipeline.core.collecting.planning.shares import unknown_lists
from collection_pipeline.core.collecting.searches import PlannedSearch, skip_reason
from collection_pipeline.core.money import BandRule, Money

# Searches in the same band alone tell what another one will bring. `empty`: how many of the latest found nothing.
_PASTS = sa.text("""
    SELECT w.asin, h.age_days, s.*
    FROM unnest(CAST(:asins AS text[])) AS w (asin)
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM now() - min(seen_at))::float8 / 86400 AS age_days
        FROM amazon_product_history h WHERE h.asin = w.asin
    ) h
    CROSS JOIN LATERAL (
        SELECT count(*) AS searches,
               extract(epoch FROM now() - min(p.searched_at))::float8 / 86400 AS first_days_ago,
               extract(epoch FROM now() - max(p.searched_at))::float8 / 86400 AS last_days_ago,
               avg(p.listings)::float8 AS found,
               (array_agg(p.pages ORDER BY p.searched_at DESC))[1] AS calls,
               array_agg(coalesce(p.arrived, 0) ORDER BY p.searched_at) AS arrived,
               array_agg(coalesce(p.new_sellers, 0)::float8 ORDER BY p.searched_at) AS new_sellers,
               coalesce(array_position(array_agg(p.status ORDER BY p.searched_at DESC), 'done') - 1, count(*)) AS empty
        FROM product_searches p JOIN collections c USING (collection_id)
        WHERE p.asin = w.asin AND p.status IN ('done', 'empty') AND p.collection_id <> :collection_id
          AND c.org_id = :org_id AND c.min_markup_percent = :low AND c.max_markup_percent = :high
    ) s
""")

LEARNT_FROM = 24
"""Collections that a plan is corrected by, the newest ones."""

# Categories that were not collected brought nothing for another reason than that too much was expected.
_OUTCOMES = sa.text("""
    SELECT c.started_at, sum(p.expected_new_sellers)::float8 AS expected, sum(u.new_sellers)::float8 AS came
    FROM collections c
    JOIN collection_plans p USING (collection_id)
    JOIN collection_categories u USING (collection_id, category)
    WHERE c.org_id = :org_id AND c.completed_at IS NOT NULL AND u.status = 'done'
    GROUP BY c.collection_id ORDER BY c.started_at DESC LIMIT :most
""")

NEWEST = 300
"""First searches that tell how full the list is; categories that are collected last add to what the others brought."""

# A few of the newest collections, and the last searches of each: enough of them are of products never searched before.
_FIRST_SEARCHES = sa.text("""
    SELECT count(*) AS searches, coalesce(sum(new_sellers), 0)::float8 AS new_sellers FROM (
        SELECT s.new_sellers
        FROM (SELECT collection_id FROM collections WHERE org_id = :org_id ORDER BY started_at DESC LIMIT 10) c
        CROSS JOIN LATERAL (
            SELECT p.asin, p.searched_at, p.new_sellers FROM product_searches p
            WHERE p.collection_id = c.collection_id AND p.status IN ('done', 'empty') AND p.new_sellers IS NOT NULL
            ORDER BY p.searched_at DESC LIMIT :newest
        ) s
        WHERE NOT EXISTS (
            SELECT FROM product_searches q JOIN collections d USING (collection_id)
            WHERE q.asin = s.asin AND d.org_id = :org_id AND q.status IN ('done', 'empty')
              AND q.searched_at < s.searched_at
        )
        ORDER BY s.searched_at DESC LIMIT :newest
    ) newest
""")

_LISTS = sa.text("""
    SELECT category, asin, position, title, price, currency FROM amazon_products
    WHERE org_id = :org_id AND category = ANY(:categories) ORDER BY category, position, asin
""")


class CandidateStore:
    """Reads the products that could be searched, each with its past in one organisation and price band."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of_categories(self, org_id: str, band: BandRule, categories: Sequence[str]) -> list[Candidate]:
        """The best sellers that categories had when they were last collected; stand-ins where none ever was."""
        with self._engine.connect() as connection:
            rows = connection.execute(_LISTS, {"org_id": org_id, "categories": list(categories)}).all()
        found: dict[str, list[tuple[int, PlannedSearch]]] = {category: [] for category in categories}
        for row in rows:
            price = None if row.price is None else Money(row.price, row.currency)
            found[row.category].append((row.position, PlannedSearch(row.asin, row.title, price)))
        pasts = self._pasts(org_id, band, [row.asin for row in rows])
        made = (
            _candidate(category, rank, search, band, pasts)
            for category, listed in found.items()
            for rank, search in listed
        )
        unknown = unknown_lists([category for category, listed in found.items() if not listed])
        return [*(each for each in made if each is not None), *unknown]

    def of_searches(
        self, org_id: str, collection_id: str, category: str, band: BandRule, searches: Sequence[PlannedSearch]
    ) -> list[Candidate]:
        """Searches that a collection has planned, best rank first; without those that nobody can make."""
        pasts = self._pasts(org_id, band, [search.asin for search in searches], collection_id)
        made = (_candidate(category, rank, search, band, pasts) for rank, search in enumerate(searches, 1))
        return [each for each in made if each is not None]

    def first_searches(self, org_id: str) -> FirstSearches:
        """The newest first searches of products, whatever category and band they were in."""
        with self._engine.connect() as connection:
            row = connection.execute(_FIRST_SEARCHES, {"org_id": org_id, "newest": NEWEST}).one()
        return FirstSearches(row.searches, row.new_sellers)

    def outcomes(self, org_id: str) -> list[Outcome]:
        """What was expected of each collection that was planned and has ended, and what came, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(_OUTCOMES, {"org_id": org_id, "most": LEARNT_FROM}).all()
        return [Outcome(row.expected, row.came) for row in reversed(rows)]

    def _pasts(
        self, org_id: str, band: BandRule, asins: Sequence[str], collection_id: str = ""
    ) -> dict[str, tuple[float | None, Past | None]]:
        """By ASIN: how many days ago it was first seen on a list, and its past in other collections than this one."""
        parameters = {
            "asins": sorted(set(asins)),
            "org_id": org_id,
            "collection_id": collection_id,
            "low": band.min_markup_percent,
            "high": band.max_markup_percent,
        }
        with self._engine.connect() as connection:
            rows = connection.execute(_PASTS, parameters).all()
        return {row.asin: (row.age_days, _past(row) if row.searches else None) for row in rows}


def _past(row: sa.Row[tuple[object, ...]]) -> Past:
    return Past(
        searches=row.searches,
        first_days_ago=row.first_days_ago,
        last_days_ago=row.last_days_ago,
        found=row.found,
        arrived=sum(row.arrived[1:]),
        first_new=row.new_sellers[0],
        later_new=sum(row.new_sellers[1:]),
        calls=row.calls,
        empty_in_a_row=row.empty,
    )


def _candidate(
    category: str,
    rank: int,
    search: PlannedSearch,
    band: BandRule,
    pasts: Mapping[str, tuple[float | None, Past | None]],
) -> Candidate | None:
    """A product to be planned, or None if it cannot be searched, which then costs no call."""
    text = query_text(search.title)
    if search.price is None or skip_reason(search, text, band) is not None:
        return None
    age_days, past = pasts[search.asin]
    return Candidate(search.asin, category, rank, text, band.band(search.price), age_days, past)
