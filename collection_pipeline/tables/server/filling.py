"""Figures of what was collected before there were figures: counted once, in small batches, beside whoever collects."""

from __future__ import annotations

import sqlalchemy as sa

from collection_pipeline.tables.schema.figures import SLICE

TO_BE_FILLED = "figures: to be filled"
"""A row of `locks`, which the migration leaves where there is something to count."""

_IS_DUE = sa.text("SELECT EXISTS (SELECT FROM locks WHERE name = :name)")
_DONE = sa.text("DELETE FROM locks WHERE name = :name")

# Products one after the other by the index: a loose scan, because DISTINCT would read every listing.
_NEXT = sa.text(f"""
    WITH RECURSIVE step AS (
        (SELECT org_id, asin FROM ebay_listings WHERE (org_id, asin) > (:org_id, :asin) ORDER BY org_id, asin LIMIT 1)
        UNION ALL
        SELECT n.org_id, n.asin FROM step s CROSS JOIN LATERAL (
            SELECT l.org_id, l.asin FROM ebay_listings l WHERE (l.org_id, l.asin) > (s.org_id, s.asin)
            ORDER BY l.org_id, l.asin LIMIT 1
        ) n
    )
    SELECT org_id, asin FROM step LIMIT {SLICE}
""")  # noqa: S608


def fill_figures(engine: sa.Engine) -> None:
    """Counts every product that has a listing, a batch a transaction; one that was interrupted starts anew.

    Triggers keep what changes meanwhile, and counting a product twice is harmless.
    """
    with engine.connect() as connection:
        if not connection.scalar(_IS_DUE, {"name": TO_BE_FILLED}):
            return
    last = ("", "")
    while batch := _next(engine, *last):
        for org_id in dict.fromkeys(org_id for org_id, _ in batch):
            asins = [asin for org, asin in batch if org == org_id]
            with engine.begin() as connection:
                connection.execute(sa.select(sa.func.refresh_figures(org_id, sa.cast(asins, sa.ARRAY(sa.Text)))))
        last = batch[-1]
    with engine.begin() as connection:
        connection.execute(_DONE, {"name": TO_BE_FILLED})


def _next(engine: sa.Engine, org_id: str, asin: str) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(row.org_id, row.asin) for row in connection.execute(_NEXT, {"org_id": org_id, "asin": asin})]
