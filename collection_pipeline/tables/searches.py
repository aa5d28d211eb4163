"""Product searches and the listings they found: one commit for both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from collection_pipeline.core.listings import Listing
from collection_pipeline.core.money import PriceBand
from collection_pipeline.core.searches import PlannedSearch, SearchedPage, SearchStatus, SearchTally
from collection_pipeline.core.sellers import MARKETPLACE, seller_key
from collection_pipeline.tables.category_listings import LISTINGS
from collection_pipeline.tables.schema import ebay_listings, product_searches


class SearchStore:
    """Plans searches and keeps how they ended."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def plan(self, collection_id: str, category: str, searches: Sequence[PlannedSearch]) -> None:
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


_FORMER_KEY = sa.text(
    "nullif(coalesce(ebay_listings.former_seller_key, ebay_listings.seller_key), excluded.seller_key)"
)
"""Who a listing named before, as long as it names somebody else now; nobody if it names the same again."""

_FORGET_ERASED = sa.text(
    "DELETE FROM ebay_listings WHERE org_id = :org_id AND asin = :asin AND is_erased(marketplace, seller_key)"
)


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
        with self.engine.begin() as connection:
            mine = (product_searches.c.collection_id == self.collection_id) & (product_searches.c.asin == page.asin)
            before = connection.execute(product_searches.select().where(mine).with_for_update()).one()
            # The transaction's clock, as in last_seen_at: what this search has seen was not last seen before it began.
            began_at: datetime = before.began_at or connection.execute(sa.select(sa.func.now())).scalar_one()
            if listings:
                self._upsert_listings(connection, page.asin, listings)
            if page.status is SearchStatus.DONE and page.saw_everything and page.band is not None:
                self._mark_gone(connection, page.asin, page.band, began_at)
            seen = connection.scalar(
                sa.select(sa.func.count()).where(
                    ebay_listings.c.org_id == self.org_id,
                    ebay_listings.c.asin == page.asin,
                    ebay_listings.c.last_seen_at >= began_at,
                )
            )
            values = _values(page, before.rejected, seen or 0)
            connection.execute(product_searches.update().where(mine).values(began_at=began_at, **values))

    def _upsert_listings(self, connection: sa.Connection, asin: str, listings: Sequence[Listing]) -> None:
        upsert = insert(ebay_listings)
        first_facts = {"org_id", "asin", "listing_id", "first_collection_id"}
        rows = [self._row(asin, listing) for listing in listings]
        changed: dict[str, Any] = {name: upsert.excluded[name] for name in rows[0] if name not in first_facts}
        changed |= {"last_seen_at": sa.func.now(), "gone_at": None, "former_seller_key": _FORMER_KEY}
        connection.execute(upsert.on_conflict_do_update(constraint=ebay_listings.primary_key, set_=changed), rows)
        # Who asked to be forgotten is not kept, not even until the end of this search.
        connection.execute(_FORGET_ERASED, {"org_id": self.org_id, "asin": asin})

    def _row(self, asin: str, listing: Listing) -> dict[str, object]:
        assert listing.seller is not None, "evidence names its seller"
        assert listing.price is not None, "evidence has a price"
        return {
            "org_id": self.org_id,
            "asin": asin,
            "listing_id": listing.listing_id,
            "marketplace": MARKETPLACE,
            "seller_key": seller_key(listing.seller.name),
            "seller_name": listing.seller.name,
            "feedback_score": listing.seller.feedback_score,
            "feedback_percent": listing.seller.feedback_percent,
            "title": listing.title,
            "price": listing.price.amount,
            "currency": listing.price.currency,
            "condition_id": listing.condition_id,
            "is_fixed_price": listing.is_fixed_price,
            "is_delivery_free": listing.is_delivery_free,
            "country": listing.country,
            "url": listing.url,
            "first_collection_id": self.collection_id,
            "last_collection_id": self.collection_id,
        }

    def _mark_gone(self, connection: sa.Connection, asin: str, band: PriceBand, began_at: datetime) -> None:
        """Listings that the search should have seen and did not: those inside its own band, and no others."""
        connection.execute(
            ebay_listings.update()
            .where(
                ebay_listings.c.org_id == self.org_id,
                ebay_listings.c.asin == asin,
                ebay_listings.c.gone_at.is_(None),
                ebay_listings.c.last_seen_at < began_at,
                ebay_listings.c.price.between(band.low, band.high),
                ebay_listings.c.currency == band.currency,
            )
            .values(gone_at=sa.func.now())
        )


def _values(page: SearchedPage, rejected: Mapping[str, int], listings: int) -> dict[str, Any]:
    """What a page adds to the row of its search."""
    is_empty = page.status is SearchStatus.DONE and not listings
    return {
        "status": SearchStatus.EMPTY if is_empty else page.status,
        "reason": page.reason,
        "error_stage": page.error_stage,
        "error_message": page.error_message,
        "query": page.query or None,
        "price_low": page.band.low if page.band else None,
        "price_high": page.band.high if page.band else None,
        "currency": page.band.currency if page.band else None,
        "pages": product_searches.c.pages + page.pages,
        "calls": product_searches.c.calls + page.calls,
        "listings": listings,
        "rejected": dict(Counter(rejected) + Counter(page.rejected)),
        "duration_ms": sa.func.coalesce(product_searches.c.duration_ms, 0) + page.duration_ms,
        "searched_at": None if page.status is SearchStatus.PLANNED else sa.func.now(),
    }
