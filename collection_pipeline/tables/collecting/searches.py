"""Product searches: what is planned, what is left of it, and how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from collection_pipeline.core.collecting.category_work import CategoryWork
from collection_pipeline.core.collecting.searches import PlannedSearch, SearchPlan, SearchStatus, SearchTally
from collection_pipeline.tables.collecting.checkpoints import SearchCheckpoints
from collection_pipeline.tables.collecting.products import ProductStore
from collection_pipeline.tables.schema.category_listings import LISTINGS
from collection_pipeline.tables.schema.tables import product_searches


class SearchStore:
    """Plans searches and keeps how they ended."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def plan(self, work: CategoryWork, *, fresh_for: timedelta | None = None) -> SearchPlan:
        """Plans a search for each of the category's best sellers, and says which are left to be made.

        Products that any collection searched in the same band less than `fresh_for` ago are not searched again.
        """
        products = ProductStore(self._engine).searches(work.org_id, work.collection_id, work.category)
        self.add(work.collection_id, work.category, products)
        if fresh_for is not None:
            self.skip_fresh(work.org_id, work.collection_id, work.category, fresh_for=fresh_for)
        pages = self.pending(work.collection_id, work.category)
        pending = (replace(search, pages_done=pages[search.asin]) for search in products if search.asin in pages)
        return SearchPlan(len(products), tuple(pending))

    def add(self, collection_id: str, category: str, searches: Sequence[PlannedSearch]) -> None:
        """Makes the category's run responsible for the products that no other category of the collection has planned.

        A product that another category could only skip for want of a price is taken over where this one has it.
        """
        if not searches:
            return
        rows = [
            {
                "collection_id": collection_id,
                "asin": search.asin,
                "category": category,
                "status": SearchStatus.PLANNED,
            }
            for search in searches
        ]
        priced = sa.literal([search.asin for search in searches if search.price is not None], sa.ARRAY(sa.Text))
        upsert = insert(product_searches)
        with self._engine.begin() as connection:
            connection.execute(
                upsert.on_conflict_do_update(
                    constraint=product_searches.primary_key,
                    set_={"category": category, "status": SearchStatus.PLANNED, "reason": None},
                    where=(product_searches.c.reason == "no_price") & (product_searches.c.asin == sa.any_(priced)),
                ),
                # In one order everywhere, so that two categories that share products never wait for each other.
                sorted(rows, key=lambda row: row["asin"]),
            )

    def pending(self, collection_id: str, category: str) -> dict[str, int]:
        """What the category's run still has to search, failed ones included: ASIN, and how many pages are done."""
        pending = sa.select(product_searches.c.asin, product_searches.c.pages).where(
            product_searches.c.collection_id == collection_id,
            product_searches.c.category == category,
            product_searches.c.status.in_((SearchStatus.PLANNED, SearchStatus.FAILED)),
        )
        with self._engine.connect() as connection:
            return {row.asin: row.pages for row in connection.execute(pending)}

    def skip_fresh(self, org_id: str, collection_id: str, category: str, *, fresh_for: timedelta) -> None:
        """Skips planned products that another collection searched in the same band less than `fresh_for` ago.

        Their listings are current as they stand, and need not be bought again.
        """
        statement = sa.text("""
            UPDATE product_searches p SET status = 'skipped', reason = 'fresh', searched_at = now()
            WHERE p.collection_id = :collection_id AND p.category = :category AND p.status = 'planned' AND p.pages = 0
              AND EXISTS (
                SELECT 1 FROM product_searches s
                JOIN collections c ON c.collection_id = s.collection_id
                JOIN collections mine ON mine.collection_id = p.collection_id
                WHERE s.asin = p.asin AND s.status IN ('done', 'empty') AND s.searched_at > now() - :fresh_for
                  AND c.org_id = :org_id AND c.min_markup_percent = mine.min_markup_percent
                  AND c.max_markup_percent = mine.max_markup_percent
                OFFSET 0
              )
        """)
        parameters = {"org_id": org_id, "collection_id": collection_id, "category": category, "fresh_for": fresh_for}
        with self._engine.begin() as connection:
            connection.execute(statement, parameters)

    def tally(self, collection_id: str, category: str) -> SearchTally:
        """How the category's searches stand."""
        searched = sa.select(
            product_searches.c.status, product_searches.c.reason, product_searches.c.listings, product_searches.c.calls
        ).where(product_searches.c.collection_id == collection_id, product_searches.c.category == category)
        with self._engine.connect() as connection:
            rows = connection.execute(searched).all()
        return SearchTally(
            outcomes=Counter(SearchStatus(row.status) for row in rows),
            skipped=Counter(row.reason for row in rows if row.status == SearchStatus.SKIPPED),
            failed=Counter(row.reason for row in rows if row.status == SearchStatus.FAILED),
            listings=sum(row.listings for row in rows),
            calls=sum(row.calls for row in rows),
        )

    def preview(self, org_id: str, category: str, limit: int = 5) -> list[Sequence[object]]:
        """The newest listings of a category's products, as (title, price, listing id).

        Without sellers: Dagster keeps previews, and who asks to be forgotten must not stay in them.
        """
        newest = sa.text(f"""
            SELECT l.title, l.price, l.listing_id FROM ({LISTINGS}) l WHERE l.gone_at IS NULL
            ORDER BY l.last_seen_at DESC, l.listing_id LIMIT :limit
        """)  # noqa: S608
        with self._engine.connect() as connection:
            rows = connection.execute(newest, {"org_id": org_id, "category": category, "limit": limit})
            return [tuple(row) for row in rows]

    def checkpoints(self, org_id: str, collection_id: str) -> SearchCheckpoints:
        """Where the workers of one run commit what they find."""
        return SearchCheckpoints(self._engine, org_id, collection_id)
