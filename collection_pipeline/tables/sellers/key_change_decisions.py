"""Decisions about listings that name other sellers in bulk: the same accounts under other keys, or other accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.seller_list import AuditAction, ListedSeller, SellerChange
from collection_pipeline.tables.schema.tables import ebay_listings, key_changes
from collection_pipeline.tables.sellers.edits import Author, listed, record
from collection_pipeline.tables.sellers.seller_list import lock_list

Decision = Literal["same_accounts", "other_accounts"]
"""What a person makes of it: the accounts that were known, called otherwise; or really other ones."""

# What is known of an account moves with it, unless its new key is on the list already.
_RENAMED = (
    """
    UPDATE sellers s SET seller_key = :new
    WHERE s.org_id = :org_id AND s.seller_key = :former AND NOT EXISTS (
        SELECT FROM sellers o WHERE o.org_id = s.org_id AND o.marketplace = s.marketplace AND o.seller_key = :new)
    """,
    """
    UPDATE seller_sightings g SET seller_key = :new
    FROM collections c
    WHERE c.collection_id = g.collection_id AND c.org_id = :org_id AND g.seller_key = :former AND NOT EXISTS (
        SELECT FROM seller_sightings o
        WHERE o.collection_id = g.collection_id AND o.marketplace = g.marketplace AND o.seller_key = :new)
    """,
    "UPDATE ebay_listings SET seller_key = :new WHERE org_id = :org_id AND seller_key = :former",
    "UPDATE listing_judgements SET seller_key = :new WHERE org_id = :org_id AND seller_key = :former",
)


@dataclass(frozen=True, slots=True)
class HeldChange:
    """One detection that waits for a decision."""

    change_id: int
    collection_id: str
    category: str
    known_listings: int
    changed_listings: int


class KeyChangeStore:
    """Reads what is held, and carries out decisions."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def held(self, org_id: str) -> list[HeldChange]:
        """What waits for a decision, oldest first."""
        query = (
            sa.select(
                key_changes.c.id,
                key_changes.c.collection_id,
                key_changes.c.category,
                key_changes.c.known_listings,
                key_changes.c.changed_listings,
            )
            .where(key_changes.c.org_id == org_id, key_changes.c.decision.is_(None))
            .order_by(key_changes.c.id)
        )
        with self._engine.connect() as connection:
            return [HeldChange(*row) for row in connection.execute(query)]

    def examples(self, org_id: str, limit: int = 10) -> list[tuple[str, str, int]]:
        """The most frequent pairs of former and present key, with the number of listings that show them."""
        with self._engine.connect() as connection:
            return _pairs(connection, org_id)[:limit]

    def decide(self, org_id: str, decision: Decision, actor: str) -> int:
        """Carries a decision out for everything that is held; how many sellers were renamed. Raises PipelineError."""
        with self._engine.begin() as connection:
            lock_list(connection, org_id)
            # Many statements rename listings of many products. Alone, they need no order among each other's locks.
            connection.execute(sa.text("LOCK TABLE ebay_listings IN SHARE ROW EXCLUSIVE MODE"))
            decided = connection.execute(
                key_changes.update()
                .where(key_changes.c.org_id == org_id, key_changes.c.decision.is_(None))
                .values(decision=decision, decided_by=actor, decided_at=sa.func.clock_timestamp())
            ).rowcount
            if not decided:
                raise PipelineError("No change of names waits for a decision.")
            pairs = _unmistakable(_pairs(connection, org_id)) if decision == "same_accounts" else {}
            changes = _renamings(connection, org_id, pairs)
            if changes:
                _rename_rows(connection, org_id, pairs)
                record(connection, org_id, changes, AuditAction.REKEYED, Author(actor), affected=len(pairs))
            connection.execute(
                ebay_listings.update().where(ebay_listings.c.org_id == org_id).values(former_seller_key=None)
            )
        return len(pairs)


def _pairs(connection: sa.Connection, org_id: str) -> list[tuple[str, str, int]]:
    count = sa.func.count()
    query = (
        sa.select(ebay_listings.c.former_seller_key, ebay_listings.c.seller_key, count)
        .where(ebay_listings.c.org_id == org_id, ebay_listings.c.former_seller_key.is_not(None))
        .group_by(ebay_listings.c.former_seller_key, ebay_listings.c.seller_key)
        .order_by(count.desc(), ebay_listings.c.former_seller_key)
    )
    return [(str(former), str(new), int(listings)) for former, new, listings in connection.execute(query)]


def _unmistakable(pairs: Sequence[tuple[str, str, int]]) -> dict[str, str]:
    """New key by former one, without those of which either side has several: whose listings merely changed hands."""
    formers, news = Counter(pair[0] for pair in pairs), Counter(pair[1] for pair in pairs)
    return {former: new for former, new, _ in pairs if formers[former] == 1 and news[new] == 1}


def _renamings(connection: sa.Connection, org_id: str, pairs: Mapping[str, str]) -> list[SellerChange]:
    """The former seller goes, and the new one comes with all that people said of the former."""
    known: dict[str, ListedSeller] = {
        seller.seller_key: seller for seller in listed(connection, org_id, [*pairs.keys(), *pairs.values()])
    }
    changes: list[SellerChange] = []
    for former, new in pairs.items():
        if (before := known.get(former)) is not None:
            changes.append(SellerChange(before, None))
            changes.append(SellerChange(known.get(new), replace(before, seller_key=new)))
    return changes


def _rename_rows(connection: sa.Connection, org_id: str, pairs: Mapping[str, str]) -> None:
    for former, new in pairs.items():
        for statement in _RENAMED:
            connection.execute(sa.text(statement), {"org_id": org_id, "former": former, "new": new})
