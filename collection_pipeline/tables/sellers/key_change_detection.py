"""Listings that name other sellers in bulk: noticed before the list changes. What to do is decided in key_changes.py.

A marketplace that sends user ids in place of names would otherwise look as if everybody had left and others had come.
"""

from __future__ import annotations

import sqlalchemy as sa

from collection_pipeline.core.errors import KeysChanged
from collection_pipeline.core.sellers.identity import looks_renamed
from collection_pipeline.tables.schema.category_listings import LISTINGS
from collection_pipeline.tables.schema.tables import key_changes

_COUNTED = sa.text(f"""
    SELECT count(*) AS known, count(l.former_seller_key) AS changed
    FROM ({LISTINGS}) l
    WHERE l.gone_at IS NULL AND l.first_seen_at < l.last_seen_at AND l.last_collection_id = :collection_id
""")  # noqa: S608

_UNSETTLED = sa.text(f"""
    SELECT l.asin, l.listing_id FROM ({LISTINGS}) l WHERE l.former_seller_key IS NOT NULL ORDER BY l.asin, l.listing_id
""")  # noqa: S608

_SETTLE = sa.text("""
    UPDATE ebay_listings SET former_seller_key = NULL
    WHERE org_id = :org_id AND asin = :asin AND listing_id = :listing_id
""")


def require_same_names(engine: sa.Engine, org_id: str, collection_id: str, category: str) -> None:
    """Raises KeysChanged, having noted it, if most known listings of a category name another seller than before."""
    scope = {"org_id": org_id, "collection_id": collection_id, "category": category}
    with engine.begin() as connection:
        counted = connection.execute(_COUNTED, scope).one()
        if not looks_renamed(counted.known, counted.changed):
            return
        mine = [key_changes.c[name] == value for name, value in scope.items()]
        if not connection.scalar(sa.select(sa.exists().where(*mine, key_changes.c.decision.is_(None)))):
            connection.execute(
                key_changes.insert().values(**scope, known_listings=counted.known, changed_listings=counted.changed)
            )
    raise KeysChanged(
        f"{category}: {counted.changed} of {counted.known} known listings name another seller than before, as when a "
        "marketplace changes the form of its names. Nothing was merged. Look at `collection-pipeline sellers renamed`, "
        "decide with --same-accounts or --other-accounts, and resume the collection.",
        stage="seller_extraction",
    )


def settle_names(connection: sa.Connection, org_id: str, category: str) -> None:
    """Forgets which names a category's listings showed before: the list has the present ones now."""
    unsettled = connection.execute(_UNSETTLED, {"org_id": org_id, "category": category}).all()
    if unsettled:
        connection.execute(_SETTLE, [{"org_id": org_id, **row._asdict()} for row in unsettled])
