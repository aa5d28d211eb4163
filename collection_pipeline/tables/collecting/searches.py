"""Product searches: what is planned, what is left of it, and how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from collection_pipeline.core.collecting.category_work import CategoryWork
from collection_pipeline.core.collecting.planning.candidates import days
from collection_pipeline.core.collecting.planning.plan import plan
from collection_pipeline.core.collecting.planning.resting import LeftOut
from collection_pipeline.core.collecting.searches import PlannedSearch, SearchPlan, SearchStatus, SearchTally
from collection_pipeline.core.money import BandRule
from collection_pipeline.tables.collecting.candidates import CandidateStore
from collection_pipeline.tables.collecting.checkpoints import SearchCheckpoints
from collection_pipeline.tables.collecting.products import ProductStore
from collection_pipeline.tables.schema.category_listings import LISTINGS
from collection_pipeline.tables.schema.tables import collection_plans, collections, product_searches


class SearchStore:
    """Plans searches and keeps how they ended."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def plan(self, work: CategoryWork, *, fresh_for: timedelta | None = None) -> SearchPlan:
        """Plans a search for each of the category's best sellers, and says which are left to be made, in which order.

        Left out are products that any collection searched in the same band less than `fresh_for` ago, those that rest,
        and what exceeds the category's share of the collection's budget (docs/planning.md).
        """
        products = ProductStore(self._engine).searches(work.org_id, work.collection_id, work.category)
        self.add(work.collection_id, work.category, products)
        begun = self.pending(work.collection_id, work.category)
        due = [search for search in products if search.asin in begun]
        budget = self._left_of_budget(work)
        candidates, band = CandidateStore(self._engine), self._band(work.collection_id)
        made = plan(
            candidates.of_searches(work.org_id, work.collection_id, work.category, band, due),
            budget=budget,
            fresh_for_days=days(fresh_for) if fresh_for else 0.0,
            lately=candidates.first_searches(work.org_id),
        )
        self.leave_out(work.collection_id, work.category, made.left_out)
        pages = self.pending(work.collection_id, work.category)
        # What costs no call, and what has begun, comes before what is planned.
        order = {choice.candidate.asin: place for place, choice in enumerate(made.choices)}
        pending = [replace(search, pages_done=pages[search.asin]) for search in due if search.asin in pages]
        pending.sort(key=lambda search: order.get(search.asin, -1))
        return SearchPlan(len(products), tuple(pending), budget, made.expected)

    def _band(self, collection_id: str) -> BandRule:
        band = sa.select(collections.c.min_markup_percent, collections.c.max_markup_percent).where(
            collections.c.collection_id == collection_id
        )
        with self._engine.connect() as connection:
            row = connection.execute(band).one()
        return BandRule() if row.min_markup_percent is None else BandRule(*row)

    def _left_of_budget(self, work: CategoryWork) -> int | None:
        share = sa.select(collection_plans.c.budget_calls).where(
            collection_plans.c.collection_id == work.collection_id, collection_plans.c.category == work.category
        )
        with self._engine.connect() as connection:
            budget = connection.scalar(share)
        return None if budget is None else max(0, budget - self.tally(work.collection_id, work.category).calls)

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

    def leave_out(self, collection_id: str, category: str, reasons: Mapping[str, LeftOut]) -> None:
        """Skips planned products for a reason, by ASIN; those that have begun, or failed, stay as they are."""
        statement = sa.text("""
            UPDATE product_searches p SET status = 'skipped', reason = r.reason, searched_at = now()
            FROM unnest(CAST(:asins AS text[]), CAST(:reasons AS text[])) AS r (asin, reason)
            WHERE p.collection_id = :collection_id AND p.category = :category AND p.asin = r.asin
              AND p.status = 'planned' AND p.pages = 0
        """)
        parameters = {
            "collection_id": collection_id,
            "category": category,
            "asins": list(reasons),
            "reasons": list(reasons.values()),
        }
        if reasons:
            with self._engine.begin() as connection:
                connection.execute(statement, parameters)

    def leave_out_rest(self, work: CategoryWork, plan: SearchPlan) -> None:
        """Skips what a run did not begin any more, because the category's share of the budget was used up."""
        if plan.budget is not None:
            left = self.pending(work.collection_id, work.category)
            self.leave_out(work.collection_id, work.category, dict.fromkeys(left, "over_budget"))

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
