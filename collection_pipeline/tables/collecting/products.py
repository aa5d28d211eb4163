"""Best sellers: the current list of each category, and every earlier one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert

from collection_pipeline.core.collecting.products import BestSellerPage, Product
from collection_pipeline.core.collecting.searches import PlannedSearch
from collection_pipeline.core.money import Money
from collection_pipeline.tables.schema.deadlocks import again_after_deadlock
from collection_pipeline.tables.schema.tables import (
    amazon_product_history,
    amazon_products,
    best_seller_pages,
    collection_categories,
)

PAGES_GO_TOGETHER = timedelta(hours=6)
"""Amazon renews its lists every few hours; an older page belongs to another list than a page that comes now."""


_CHANGED = ("position", "title", "price", "currency", "rating", "ratings_count", "url", "collection_id")

# Before the first statement that changes any: the products that come and those that go, in the order of all others.
_LOCK_FIGURES = sa.text("""
    SELECT lock_figures(:org_id, ARRAY(
        SELECT asin FROM amazon_products WHERE org_id = :org_id AND category = :category
        UNION SELECT unnest(CAST(:asins AS text[]))
    ))
""")


# One statement for all: its trigger then locks their sellers in the order of all others. With a statement for each
# product, two categories that share sellers waited for each other.
_COLUMNS = (*amazon_products.primary_key.columns.keys(), *_CHANGED)
_UPSERT = sa.text(f"""
    INSERT INTO amazon_products ({", ".join(_COLUMNS)})
    SELECT {", ".join(_COLUMNS)} FROM jsonb_populate_recordset(NULL::amazon_products, CAST(:rows AS jsonb))
    ON CONFLICT (org_id, category, asin)
    DO UPDATE SET updated_at = now(), {", ".join(f"{name} = excluded.{name}" for name in _CHANGED)}
""")  # noqa: S608


def _forgetting(collection_id: str, category: str) -> sa.Delete:
    return best_seller_pages.delete().where(
        best_seller_pages.c.collection_id == collection_id, best_seller_pages.c.category == category
    )


class ProductStore:
    """Keeps the best sellers of an organisation's categories."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def count(self, org_id: str, category: str) -> int:
        """How many best sellers of a category are known."""
        count = sa.select(sa.func.count()).where(
            amazon_products.c.org_id == org_id, amazon_products.c.category == category
        )
        with self._engine.connect() as connection:
            return connection.scalar(count) or 0

    def keep_page(self, collection_id: str, category: str, page: BestSellerPage) -> None:
        """Keeps a page that was paid for until all pages of its category are there."""
        content = TypeAdapter(BestSellerPage).dump_python(page, mode="json")
        upsert = insert(best_seller_pages).values(
            collection_id=collection_id, category=category, page=page.page, content=content
        )
        with self._engine.begin() as connection:
            connection.execute(
                upsert.on_conflict_do_update(
                    constraint=best_seller_pages.primary_key, set_={"content": content, "fetched_at": sa.func.now()}
                )
            )

    def forget_pages(self, collection_id: str, category: str) -> None:
        """Lets go of kept pages that are not believed: another attempt fetches them anew."""
        with self._engine.begin() as connection:
            connection.execute(_forgetting(collection_id, category))

    def kept_pages(self, collection_id: str, category: str) -> list[BestSellerPage]:
        """The pages that an interrupted run has kept, first one first."""
        kept = (
            sa.select(best_seller_pages.c.content)
            .where(
                best_seller_pages.c.collection_id == collection_id,
                best_seller_pages.c.category == category,
                best_seller_pages.c.fetched_at > sa.func.now() - PAGES_GO_TOGETHER,
            )
            .order_by(best_seller_pages.c.page)
        )
        with self._engine.connect() as connection:
            return [TypeAdapter(BestSellerPage).validate_python(content) for content in connection.scalars(kept)]

    def was_fetched(self, collection_id: str, category: str) -> bool:
        """Whether this collection already has the category's best sellers, which then need not be bought again."""
        fetched = sa.select(collection_categories.c.products).where(
            collection_categories.c.collection_id == collection_id, collection_categories.c.category == category
        )
        with self._engine.connect() as connection:
            return connection.scalar(fetched) is not None

    def calls(self, collection_id: str, category: str) -> int:
        """How many calls the category's best sellers took in this collection."""
        calls = sa.select(collection_categories.c.calls).where(
            collection_categories.c.collection_id == collection_id, collection_categories.c.category == category
        )
        with self._engine.connect() as connection:
            return connection.scalar(calls) or 0

    @again_after_deadlock
    def replace(
        self, org_id: str, collection_id: str, category: str, products: Sequence[Product], *, calls: int
    ) -> None:
        """Makes `products` the category's current list and adds it to the history, all or nothing."""
        rows = [
            {
                "org_id": org_id,
                "category": category,
                "asin": product.asin,
                "position": product.position,
                "title": product.title,
                "price": product.price.amount if product.price else None,
                "currency": product.price.currency if product.price else None,
                "rating": product.rating,
                "ratings_count": product.ratings_count,
                "url": product.url,
                "collection_id": collection_id,
            }
            for product in products
        ]
        history = ("collection_id", "category", "asin", "position", "title", "price", "currency")
        with self._engine.begin() as connection:
            connection.execute(
                _LOCK_FIGURES, {"org_id": org_id, "category": category, "asins": [product.asin for product in products]}
            )
            connection.execute(_UPSERT, {"rows": json.dumps(rows, default=str)})
            connection.execute(
                amazon_products.delete().where(
                    amazon_products.c.org_id == org_id,
                    amazon_products.c.category == category,
                    amazon_products.c.asin.not_in([product.asin for product in products]),
                )
            )
            connection.execute(
                insert(amazon_product_history).on_conflict_do_nothing(),
                [{name: row[name] for name in history} for row in rows],
            )
            connection.execute(_forgetting(collection_id, category))
            connection.execute(
                collection_categories.update()
                .where(
                    collection_categories.c.collection_id == collection_id,
                    collection_categories.c.category == category,
                )
                .values(products=len(products), calls=collection_categories.c.calls + calls)
            )

    def searches(self, org_id: str, collection_id: str, category: str) -> list[PlannedSearch]:
        """A category's best sellers as searches to plan, best position first: those of this collection.

        A collection that has not fetched any, such as a run of the listings alone, searches the current ones.
        """
        history, current = amazon_product_history.c, amazon_products.c
        of_collection = (
            sa.select(history.asin, history.title, history.price, history.currency)
            .where(history.collection_id == collection_id, history.category == category)
            .order_by(history.position)
        )
        of_now = (
            sa.select(current.asin, current.title, current.price, current.currency)
            .where(current.org_id == org_id, current.category == category)
            .order_by(current.position)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(of_collection).all() or connection.execute(of_now).all()
        return [
            PlannedSearch(row.asin, row.title, None if row.price is None else Money(row.price, row.currency))
            for row in rows
        ]

    def preview(self, org_id: str, category: str, limit: int = 5) -> list[Sequence[object]]:
        """The first few products as (position, ASIN, title, price), for people."""
        top = (
            sa.select(
                amazon_products.c.position, amazon_products.c.asin, amazon_products.c.title, amazon_products.c.price
            )
            .where(amazon_products.c.org_id == org_id, amazon_products.c.category == category)
            .order_by(amazon_products.c.position)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(top)]
