"""Forgetting a seller on request: everywhere, for every organisation, and so that no collection brings it back.

The audit log keeps adding up, with a name of nobody in the place of the one that was erased.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.identity import MARKETPLACE, seller_key
from collection_pipeline.core.sellers.seller_list import AuditAction, SellerChange, from_json
from collection_pipeline.tables.schema.tables import erased_sellers, seller_audit_log
from collection_pipeline.tables.sellers.edits import Author, Naming, record
from collection_pipeline.tables.sellers.seller_list import lock_list

_KNOWN_AS = sa.text("""
    SELECT seller_key FROM sellers WHERE marketplace = :marketplace
      AND (seller_key = :key OR lower(display_name) = lower(:name))
    UNION SELECT seller_key FROM seller_versions WHERE marketplace = :marketplace
      AND (seller_key = :key OR lower(display_name) = lower(:name))
    UNION SELECT seller_key FROM ebay_listings WHERE marketplace = :marketplace AND seller_key = :key
""")
_ORGANISATIONS = sa.text("""
    SELECT DISTINCT org_id FROM seller_versions WHERE marketplace = :marketplace AND seller_key = :key ORDER BY org_id
""")
_EVERY_LIST = sa.text("SELECT org_id FROM collections UNION SELECT org_id FROM sellers ORDER BY org_id")
_DELETE = (
    """
    DELETE FROM listing_judgements j WHERE j.marketplace = :marketplace AND j.seller_key = :key OR EXISTS (
        SELECT FROM ebay_listings l
        WHERE l.org_id = j.org_id AND l.asin = j.asin AND l.listing_id = j.listing_id AND l.seller_key = :key)
    """,
    "DELETE FROM ebay_listings WHERE marketplace = :marketplace AND seller_key = :key",
    "UPDATE ebay_listings SET former_seller_key = NULL WHERE marketplace = :marketplace AND former_seller_key = :key",
    "DELETE FROM seller_sightings WHERE marketplace = :marketplace AND seller_key = :key",
    "UPDATE seller_versions SET seller_key = :nobody, display_name = :nobody, note = NULL "
    "WHERE marketplace = :marketplace AND seller_key = :key",
    "UPDATE sellers SET seller_key = :nobody, display_name = :nobody, note = NULL "
    "WHERE marketplace = :marketplace AND seller_key = :key",
)
_NAMING_ROWS = sa.text("""
    SELECT id, old_values, new_values FROM seller_audit_log
    WHERE old_values @> CAST(:named AS jsonb) OR new_values @> CAST(:named AS jsonb)
    FOR UPDATE
""")


class SellerErasure:
    """Forgets sellers."""

    def __init__(self, engine: sa.Engine, naming: Naming) -> None:
        self._engine = engine
        self._naming = naming

    def erase(self, name: str, actor: str) -> int:
        """Erases a seller from every list, listing, log and history; how many lists it was on. Raises PipelineError.

        `name` is a key, or a name that exactly one seller has or ever had. That a seller was erased is logged, without
        the name; what remains of it is a salted digest, by which collections and edits leave it out.
        """
        kept_as = self._naming(name)
        key = seller_key(kept_as)
        with self._engine.begin() as connection:
            _keep_others_away(connection)
            found = sorted(
                connection.scalars(_KNOWN_AS, {"marketplace": MARKETPLACE, "key": key, "name": kept_as.strip()})
            )
            if key not in found and len(found) > 1:
                raise PipelineError(
                    f"Nothing was erased: the name means several sellers: {', '.join(found)}. Give one."
                )
            key = key if key in found or not found else found[0]
            if not found and connection.scalar(sa.select(sa.func.is_erased(MARKETPLACE, key))):
                raise PipelineError("Nothing was erased: that seller was erased before.")
            _remember(connection, key)
            return _forget(connection, key, actor)


def _keep_others_away(connection: sa.Connection) -> None:
    """Waits for whoever writes sellers or listings; who writes next finds out that the seller was erased."""
    for org_id in connection.scalars(_EVERY_LIST).all():
        lock_list(connection, org_id)
    connection.execute(sa.text("LOCK TABLE ebay_listings IN SHARE ROW EXCLUSIVE MODE"))


def _remember(connection: sa.Connection, key: str) -> None:
    salt = secrets.token_hex(16)
    digest = hashlib.sha256(f"{salt}:{MARKETPLACE}:{key}".encode()).digest()
    connection.execute(erased_sellers.insert().values(digest=digest, salt=salt))


def _forget(connection: sa.Connection, key: str, actor: str) -> int:
    nobody = f"erased-{secrets.token_hex(8)}"
    names = {"marketplace": MARKETPLACE, "key": key, "nobody": nobody}
    organisations = list(connection.scalars(_ORGANISATIONS, names))
    for statement in _DELETE:
        connection.execute(sa.text(statement), names)
    _rename_in_log(connection, key, nobody)
    for org_id in organisations:
        query = sa.text("SELECT * FROM sellers WHERE org_id = :org_id AND seller_key = :nobody")
        row = connection.execute(query, {"org_id": org_id, "nobody": nobody}).one_or_none()
        if row is not None:
            change = SellerChange(from_json(row._asdict()), None)
            record(connection, org_id, [change], AuditAction.ERASED, Author(actor))
    return len(organisations)


def _rename_in_log(connection: sa.Connection, key: str, nobody: str) -> None:
    """Puts nobody's name where the seller's stood: the log still adds up, and names it no more."""
    named = json.dumps([{"marketplace": MARKETPLACE, "seller_key": key}])
    for row in connection.execute(_NAMING_ROWS, {"named": named}).all():
        values = {column: _without(getattr(row, column), key, nobody) for column in ("old_values", "new_values")}
        connection.execute(seller_audit_log.update().where(seller_audit_log.c.id == row.id).values(**values))


def _without(sellers: list[dict[str, Any]], key: str, nobody: str) -> list[dict[str, Any]]:
    return [
        {**one, "seller_key": nobody, "display_name": nobody, "note": None}
        if (one["marketplace"], one["seller_key"]) == (MARKETPLACE, key)
        else one
        for one in sellers
    ]
