"""Sellers for a file: chosen, streamed, and the export itself written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from collection_pipeline.core.sellers.seller_list import SellerRow
from collection_pipeline.tables.schema.tables import seller_exports, seller_figures, sellers

AT_ONCE = 2_000
"""Rows that are held in memory while a million stream by."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which sellers are meant. Without any choice: the active ones of the list."""

    category: str | None = None
    """Sellers of current best sellers of this category."""
    collection_id: str | None = None
    """Sellers that this collection saw."""
    is_flagged: bool | None = None
    is_exported: bool | None = None
    """Whether they were part of an export before."""
    name_contains: str | None = None
    with_removed: bool = False
    keys: tuple[str, ...] | None = None
    """Exactly these, each by its key."""

    def __str__(self) -> str:
        said = [
            f"category {self.category}" if self.category else "",
            f"collection {self.collection_id}" if self.collection_id else "",
            {None: "", True: "flagged", False: "not flagged"}[self.is_flagged],
            {None: "", True: "exported before", False: "never exported"}[self.is_exported],
            f"name contains {self.name_contains!r}" if self.name_contains else "",
            "with removed ones" if self.with_removed else "",
            "" if self.keys is None else f"{len(self.keys)} chosen ones",
        ]
        return ", ".join(filter(None, said)) or "all"


_FIGURES = {
    "matched_products": sa.func.coalesce(seller_figures.c.matched_products, 0),
    "best_match": seller_figures.c.best_match,
}
_OF_SELLERS = sellers.outerjoin(
    seller_figures,
    sa.and_(*(seller_figures.c[name] == sellers.c[name] for name in ("org_id", "marketplace", "seller_key"))),
)


class ExportStore:
    """Reads sellers for lists and files, and remembers what was exported."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def count(self, org_id: str, selection: Selection) -> int:
        """How many sellers the selection covers."""
        query = sa.select(sa.func.count()).select_from(sellers).where(*_conditions(org_id, selection))
        with self._engine.connect() as connection:
            return connection.scalar(query) or 0

    @contextmanager
    def stream(
        self, org_id: str, selection: Selection, limit: int | None = None, *, is_simulated: bool = False
    ) -> Iterator[Iterator[SellerRow]]:
        """The sellers by name, as they all were at one moment, read while they are written: never all in memory.

        `is_simulated` is what each says of itself.
        """
        known = {**_FIGURES, "is_simulated": sa.literal(is_simulated)}
        columns = [known[name] if name in known else sellers.c[name] for name in SellerRow.__dataclass_fields__]
        query = sa.select(*columns).select_from(_OF_SELLERS).where(*_conditions(org_id, selection))
        query = query.order_by(sellers.c.display_name, sellers.c.seller_key).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execution_options(yield_per=AT_ONCE, stream_results=True).execute(query)
            yield (SellerRow(*row) for row in rows)

    def exported(
        self, org_id: str, selection: Selection, *, actor: str, file: str, count: int, are_names_hashed: bool
    ) -> None:
        """Writes an export down, and on each of its sellers that it was exported."""
        entry: Mapping[str, Any] = {
            "org_id": org_id,
            "actor": actor,
            "file": file,
            "selection": str(selection),
            "sellers": count,
            "are_names_hashed": are_names_hashed,
        }
        with self._engine.begin() as connection:
            connection.execute(seller_exports.insert().values(**entry))
            connection.execute(
                sellers.update().where(*_conditions(org_id, selection)).values(exported_at=sa.func.now())
            )


def _conditions(org_id: str, selection: Selection) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [sellers.c.org_id == org_id]
    if not selection.with_removed:
        conditions.append(sellers.c.status == "active")
    if selection.is_flagged is not None:
        conditions.append(sellers.c.is_flagged == selection.is_flagged)
    if selection.is_exported is not None:
        conditions.append(sellers.c.exported_at.is_not(None) == selection.is_exported)
    if selection.name_contains:
        name = selection.name_contains.lower()
        conditions.append(sa.func.strpos(sa.func.lower(sellers.c.display_name), name) > 0)
    if selection.keys is not None:
        conditions.append(sellers.c.seller_key == sa.any_(sa.literal(list(selection.keys), sa.ARRAY(sa.Text))))
    if selection.category:
        conditions.append(_named_in(_OF_CATEGORY, category=selection.category))
    if selection.collection_id:
        conditions.append(_named_in(_OF_COLLECTION, collection_id=selection.collection_id))
    return conditions


_OF_CATEGORY = """
    SELECT FROM category_sellers e WHERE e.category = :category AND e.org_id = sellers.org_id
      AND e.marketplace = sellers.marketplace AND e.seller_key = sellers.seller_key
"""
_OF_COLLECTION = """
    SELECT FROM seller_sightings e WHERE e.collection_id = :collection_id
      AND e.marketplace = sellers.marketplace AND e.seller_key = sellers.seller_key
"""


def _named_in(evidence: str, **values: str) -> sa.ColumnElement[bool]:
    return sa.text(f"EXISTS ({evidence})").bindparams(**values)  # type: ignore[return-value]
