"""Edits of a seller list: each is one transaction with its audit row and the count after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers import edits
from collection_pipeline.core.sellers.edits import Known, NewSeller, SellerUpdate
from collection_pipeline.core.sellers.identity import is_nameable, seller_key
from collection_pipeline.core.sellers.seller_list import (
    AuditAction,
    AuditEntry,
    AuditSource,
    ListedSeller,
    SellerChange,
    as_json,
    from_json,
    reversed_change,
)
from collection_pipeline.tables.schema.tables import seller_audit_log, seller_count_snapshots, sellers
from collection_pipeline.tables.sellers.seller_list import count_sellers, lock_list

IMPORT_REVOCABLE_FOR = timedelta(hours=24)
"""How long an import can be taken back as a whole."""

_BY_COLLECTIONS = (AuditAction.DISCOVERED, AuditAction.RETURNED)
_FOR_GOOD = (AuditAction.ERASED, AuditAction.REKEYED)

Naming = Callable[[str], str]
"""What a seller's name is kept as: itself, or a keyed hash of it."""


Decide = Callable[[Sequence[ListedSeller]], Sequence[SellerChange]]
"""Given the list, removed sellers included, says what is to change."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who edits, and from where. `detail` is more about it: a file's name, a reason."""

    actor: str
    source: AuditSource = "manual"
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit that was made: its row in the audit log, how many sellers it changed, and the count after it."""

    audit_id: int
    action: AuditAction
    affected: int
    seller_count: int


class SellerEdits:
    """Changes seller lists for people. Every method is all or nothing, and raises PipelineError for a refusal."""

    def __init__(self, engine: sa.Engine, naming: Naming) -> None:
        self._engine = engine
        self._naming = naming

    def add(self, org_id: str, wanted: Sequence[NewSeller], by: Author) -> Edit:
        """Adds sellers, several as one edit. Who was removed before is active again."""
        named = [NewSeller(self._naming(one.name), one.note, one.is_flagged) for one in wanted]
        action = AuditAction.ADDED if len(named) == 1 else AuditAction.BULK_ADDED
        with self._engine.begin() as connection:
            lock_list(connection, org_id)
            _refuse_erased(connection, [one.name for one in named])
            changes = edits.additions(named, _known(connection, org_id, [one.name for one in named]))
            return record(connection, org_id, changes, action, by)

    def bring_in(self, org_id: str, by: Author, decide: Decide) -> Edit | None:
        """Makes the changes that `decide` makes of the whole list, as one import; None where it changes nothing."""
        with self._engine.begin() as connection:
            lock_list(connection, org_id)
            changes = decide(_listed(connection, sellers.c.org_id == org_id))
            _refuse_erased(connection, [change.after.seller_key for change in changes if change.after])
            return record(connection, org_id, changes, AuditAction.IMPORTED, by) if changes else None

    def update(self, org_id: str, name: str, wanted: SellerUpdate, by: Author) -> Edit:
        """Changes one seller's name, note or flag."""
        name = self._naming(name)
        with self._engine.begin() as connection:
            lock_list(connection, org_id)
            change = edits.update(name, wanted, _known(connection, org_id, [name]))
            return record(connection, org_id, [change], AuditAction.UPDATED, by)

    def remove(self, org_id: str, names: Sequence[str], by: Author) -> Edit:
        """Takes sellers off the list, several as one edit. Collections do not bring them back by themselves."""
        names = list(map(self._naming, names))
        action = AuditAction.REMOVED if len(names) == 1 else AuditAction.BULK_REMOVED
        with self._engine.begin() as connection:
            lock_list(connection, org_id)
            changes = edits.removals(names, _known(connection, org_id, names))
            return record(connection, org_id, changes, action, by)

    def flag(self, org_id: str, names: Sequence[str], by: Author, *, is_flagged: bool = True) -> Edit:
        """Flags sellers, or takes their flags away."""
        names = list(map(self._naming, names))
        with self._engine.begin() as connection:
            lock_list(connection, org_id)
            changes = edits.flag_changes(names, _known(connection, org_id, names), is_flagged=is_flagged)
            return record(connection, org_id, changes, AuditAction.FLAGGED, by)

    def undo(self, org_id: str, audit_id: int, by: Author, now: datetime) -> Edit:
        """Takes an earlier edit back, as an edit of its own. Refused where its sellers have changed again since."""
        with self._engine.begin() as connection:
            lock_list(connection, org_id)
            changes = reversed_change(_undoable(connection, org_id, audit_id, now))
            identities = [seller.seller_key for change in changes if (seller := change.before or change.after)]
            edits.require_unchanged(changes, {one.identity: one for one in listed(connection, org_id, identities)})
            return record(connection, org_id, changes, AuditAction.UNDONE, by, undoes=audit_id)

    def erased(self, names: Iterable[str]) -> set[str]:
        """The keys, of these names, of sellers who asked to be forgotten. Names that are none are left out."""
        with self._engine.connect() as connection:
            return _erased(connection, {seller_key(name) for name in names if is_nameable(name)})

    def all(self, org_id: str) -> list[ListedSeller]:
        """The whole list, removed sellers included, for a look before an import."""
        with self._engine.connect() as connection:
            return _listed(connection, sellers.c.org_id == org_id)


def record(
    connection: sa.Connection,
    org_id: str,
    changes: Sequence[SellerChange],
    action: AuditAction,
    by: Author,
    *,
    undoes: int | None = None,
    affected: int | None = None,
) -> Edit:
    """Makes changes in a transaction that holds the list's lock: the list, its audit row, and its count.

    `affected` is how many sellers they are about, where that is not their number.
    """
    affected = len(changes) if affected is None else affected
    gone = [change.before for change in changes if change.before and change.after is None]
    kept = [change.after for change in changes if change.after]
    for seller in gone:
        connection.execute(sellers.delete().where(_is(org_id, seller)))
    if kept:
        upsert = insert(sellers)
        facts = ("display_name", "status", "note", "is_flagged")
        connection.execute(
            upsert.on_conflict_do_update(
                constraint=sellers.primary_key, set_={name: upsert.excluded[name] for name in facts}
            ),
            [{"org_id": org_id, **as_json(seller)} for seller in kept],
        )
    seller_count = count_sellers(connection, org_id)
    audit_id = connection.execute(
        seller_audit_log.insert()
        .values(
            org_id=org_id,
            action=action,
            actor=by.actor,
            source=by.source,
            detail=by.detail,
            undoes=undoes,
            affected_count=affected,
            old_values=[as_json(change.before) for change in changes if change.before],
            new_values=[as_json(seller) for seller in kept],
            seller_count_snapshot=seller_count,
        )
        .returning(seller_audit_log.c.id)
    ).scalar_one()
    connection.execute(
        seller_count_snapshots.insert().values(
            org_id=org_id,
            seller_count=seller_count,
            new_sellers=sum(_is_active(change.after) and not _is_active(change.before) for change in changes),
            cause="import" if by.source == "import" else "manual",
            audit_id=audit_id,
        )
    )
    return Edit(audit_id, action, affected, seller_count)


def _undoable(connection: sa.Connection, org_id: str, audit_id: int, now: datetime) -> AuditEntry:
    mine = (seller_audit_log.c.org_id == org_id) & (seller_audit_log.c.id == audit_id)
    row = connection.execute(seller_audit_log.select().where(mine)).one_or_none()
    if row is None:
        raise PipelineError(f"There is no change {audit_id}. `collection-pipeline sellers history` lists them.")
    if row.action in _BY_COLLECTIONS:
        raise PipelineError(f"Change {audit_id} is what a collection found. Remove the sellers instead.")
    if row.action in _FOR_GOOD:
        raise PipelineError(f"Change {audit_id} ({row.action}) cannot be undone.")
    if row.action == AuditAction.IMPORTED and now - row.created_at > IMPORT_REVOCABLE_FOR:
        raise PipelineError(f"Import {audit_id} is more than 24 hours old. Remove its sellers instead.")
    undone = connection.scalar(sa.select(seller_audit_log.c.id).where(seller_audit_log.c.undoes == audit_id))
    if undone is not None:
        raise PipelineError(f"Change {audit_id} was undone already, by change {undone}.")
    return AuditEntry(
        audit_id, list(map(from_json, row.old_values)), list(map(from_json, row.new_values)), row.seller_count_snapshot
    )


def _refuse_erased(connection: sa.Connection, names: Sequence[str]) -> None:
    """Who asked to be forgotten is not written down again, by mistake or by an old file."""
    keys = {seller_key(name): row for row, name in enumerate(names, start=1) if is_nameable(name)}
    if rows := sorted(keys[key] for key in _erased(connection, set(keys))):
        raise PipelineError(
            f"No seller was added: row {', '.join(map(str, rows))} names a seller who was erased on request."
        )


def _erased(connection: sa.Connection, keys: set[str]) -> set[str]:
    erased = sa.text("SELECT key FROM unnest(CAST(:keys AS text[])) AS key WHERE is_erased('ebay', key)")
    return set(connection.scalars(erased, {"keys": sorted(keys)}))


def _known(connection: sa.Connection, org_id: str, names: Sequence[str]) -> Known:
    """The sellers that each name may mean, removed ones included."""
    keys = {name: seller_key(name) if is_nameable(name) else name for name in names}
    lowered = {name: name.strip().lower() for name in names}
    found = _listed(
        connection,
        (sellers.c.org_id == org_id)
        & (
            (sellers.c.seller_key == _any({*keys.values(), *names}))
            | (sa.func.lower(sellers.c.display_name) == _any(set(lowered.values())))
        ),
    )
    by_name = defaultdict[str, list[ListedSeller]](list)
    for seller in found:
        for word in {seller.seller_key, seller.display_name.lower()}:
            by_name[word].append(seller)
    return {
        name: list(
            {one.identity: one for word in (keys[name], name, lowered[name]) for one in by_name.get(word, ())}.values()
        )
        for name in names
    }


def listed(connection: sa.Connection, org_id: str, keys: Sequence[str]) -> list[ListedSeller]:
    """The sellers with these keys, removed ones included."""
    return _listed(connection, (sellers.c.org_id == org_id) & (sellers.c.seller_key == _any(set(keys))))


def _listed(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[ListedSeller]:
    columns = (
        sellers.c.seller_key,
        sellers.c.display_name,
        sellers.c.status,
        sellers.c.note,
        sellers.c.is_flagged,
        sellers.c.marketplace,
    )
    return [ListedSeller(*row) for row in connection.execute(sa.select(*columns).where(condition))]


def _any(values: set[str]) -> sa.CollectionAggregate[bool]:
    """Any of these, as one parameter: an import names more sellers than a statement may have parameters."""
    return sa.any_(sa.literal(sorted(values), sa.ARRAY(sa.Text)))


def _is(org_id: str, seller: ListedSeller) -> sa.ColumnElement[bool]:
    return (
        (sellers.c.org_id == org_id)
        & (sellers.c.marketplace == seller.marketplace)
        & (sellers.c.seller_key == seller.seller_key)
    )


def _is_active(seller: ListedSeller | None) -> bool:
    return seller is not None and seller.status == "active"
