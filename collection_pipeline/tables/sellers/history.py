"""A seller list's past: what it was at any moment, what changed between two, and who did it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.seller_list import AuditEntry, ListedSeller, from_json
from collection_pipeline.tables.schema.tables import seller_audit_log

Moment = int | datetime
"""A row of the audit log by its id (right after it), or a moment in UTC."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One active seller that was added, removed or changed between two moments."""

    change: str
    marketplace: str
    seller_key: str
    old_name: str | None
    new_name: str | None
    old_note: str | None
    new_note: str | None
    was_flagged: bool | None
    is_flagged: bool | None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that changed or counted a list, with the count after it."""

    happened_at: datetime
    kind: str
    action: str | None
    actor: str | None
    source: str
    collection_id: str | None
    affected_count: int
    seller_count: int
    audit_id: int | None


@dataclass(frozen=True, slots=True)
class Version:
    """One state that a seller was in, and the change that brought it about."""

    changed_at: datetime
    action: str
    actor: str
    display_name: str
    seller_key: str
    status: str
    note: str | None
    is_flagged: bool
    audit_id: int


class HistoryStore:
    """Reads the past of seller lists."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def at(self, org_id: str, moment: Moment) -> list[ListedSeller]:
        """The list as it was, removed sellers included, by name."""
        query = sa.text("""
            SELECT seller_key, display_name, status, note, is_flagged, marketplace
            FROM seller_list_at(:org_id, CAST(:audit_id AS bigint)) ORDER BY display_name, seller_key
        """)
        with self._engine.connect() as connection:
            audit_id = _audit_id(connection, org_id, moment)
            return [ListedSeller(*row) for row in connection.execute(query, {"org_id": org_id, "audit_id": audit_id})]

    def difference(self, org_id: str, first: Moment, second: Moment) -> list[Difference]:
        """Active sellers that were added, removed or changed from `first` to `second`."""
        query = sa.text("""
            SELECT * FROM seller_list_diff(:org_id, CAST(:first AS bigint), CAST(:second AS bigint))
            ORDER BY change, coalesce(new_name, old_name)
        """)
        with self._engine.connect() as connection:
            ids = {"first": _audit_id(connection, org_id, first), "second": _audit_id(connection, org_id, second)}
            return [Difference(*row) for row in connection.execute(query, {"org_id": org_id, **ids})]

    def versions(self, org_id: str, name: str, limit: int = 100) -> list[Version]:
        """Every state of the sellers whose name or key contains `name`, newest first."""
        # The few versions that are meant first, and only then the log: the server cannot know how few they are.
        query = sa.text("""
            WITH meant AS MATERIALIZED (
                SELECT * FROM seller_versions
                WHERE org_id = :org_id AND (strpos(lower(display_name), lower(:name)) > 0
                                            OR strpos(seller_key, lower(:name)) > 0)
                ORDER BY from_audit_id DESC, seller_key LIMIT :limit
            )
            SELECT a.created_at, a.action, a.actor, m.display_name, m.seller_key, m.status, m.note, m.is_flagged, a.id
            FROM meant m JOIN seller_audit_log a ON a.id = m.from_audit_id
            ORDER BY m.from_audit_id DESC, m.seller_key
        """)
        with self._engine.connect() as connection:
            rows = connection.execute(query, {"org_id": org_id, "name": name.strip(), "limit": limit})
            return [Version(*row) for row in rows]

    def timeline(self, org_id: str, limit: int = 50) -> list[TimelineEntry]:
        """What changed or counted the list, newest first."""
        query = sa.text("""
            SELECT happened_at, kind, action, actor, source, collection_id, affected_count, seller_count, audit_id
            FROM list_timeline WHERE org_id = :org_id ORDER BY happened_at DESC, audit_id DESC NULLS FIRST LIMIT :limit
        """)
        with self._engine.connect() as connection:
            return [TimelineEntry(*row) for row in connection.execute(query, {"org_id": org_id, "limit": limit})]

    def log(self, org_id: str) -> Iterator[AuditEntry]:
        """The whole audit log of a list, oldest first: what `core.seller_list.replayed` takes."""
        columns = (
            seller_audit_log.c.id,
            seller_audit_log.c.old_values,
            seller_audit_log.c.new_values,
            seller_audit_log.c.seller_count_snapshot,
        )
        query = sa.select(*columns).where(seller_audit_log.c.org_id == org_id).order_by(seller_audit_log.c.id)
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=1_000).execute(query):
                old, new = list(map(from_json, row.old_values)), list(map(from_json, row.new_values))
                yield AuditEntry(row.id, old, new, row.seller_count_snapshot)


def _audit_id(connection: sa.Connection, org_id: str, moment: Moment) -> int:
    """The row of the log that a moment refers to. Raises PipelineError for one that is not there."""
    if isinstance(moment, datetime):
        query = sa.text("SELECT audit_id_at(:org_id, :moment)")
        return int(connection.scalar(query, {"org_id": org_id, "moment": moment}) or 0)
    mine = (seller_audit_log.c.org_id == org_id) & (seller_audit_log.c.id == moment)
    if moment != 0 and not connection.scalar(sa.select(sa.exists().where(mine))):
        raise PipelineError(
            f"There is no change {moment} of this list. `collection-pipeline sellers history` shows all."
        )
    return moment
