"""What the whole installation is doing right now, in figures that stay cheap however much was collected.

Nothing here counts the rows of a large table. Sellers are read from the newest entry of each list's audit log, which
holds their number; errors are counted as they come, from the end of the events (error_counts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from collection_pipeline.core.collecting.collections import CategoryStatus, CollectionStatus
from collection_pipeline.core.collecting.usage import COSTS, DEFAULT_LIMITS, Limits, Source, vendor_day
from collection_pipeline.tables.watching.error_counts import ErrorCounts, ErrorKey

MOST_LISTS = 500
"""Seller lists whose size is read. Each is a series of its own wherever figures are kept."""

MOST_RUNNING = 100
"""Running collections whose newest event is looked for."""


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """How much of a source's limits is in use. Rates are in requests per second, quotas in the vendor's unit."""

    in_flight: int
    in_flight_limit: int
    requests_per_s_limit: float
    """The configured rate, or the one that the vendor says it allows where that is lower."""
    booked_ahead_s: float
    """How long a request that is made now waits for its moment, in seconds."""
    quota_used: float
    """Of the vendor's present day."""
    quota: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one moment."""

    calls: Mapping[tuple[str, str], int]
    """All calls ever made, by source and operation."""
    errors: Mapping[ErrorKey, int]
    """Failed requests and units since these figures were first read here."""
    sources: Mapping[Source, SourceFigures]
    collections: Mapping[str, int]
    """All collections, by status."""
    categories: Mapping[str, int]
    """The categories of open collections, by status."""
    queued_categories: int
    """Those among the planned ones whose run was requested of Dagster and has not begun."""
    sellers: Mapping[str, int]
    """Active sellers by organisation."""
    alerts_waiting: int
    last_event_at: datetime | None
    quietest_collection_at: datetime | None
    """Newest event, or start, of the running collection that was heard of least recently; None where none runs."""


class FigureStore:
    """Reads figures. Changes nothing; one at a time may read."""

    def __init__(
        self,
        engine: sa.Engine,
        limits: Mapping[Source, Limits] = DEFAULT_LIMITS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        # Each statement is a transaction of its own: no round trips to begin and to end one.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._limits, self._clock = limits, clock
        self._errors = ErrorCounts()

    def read(self) -> Figures:
        """The figures of this moment, in seven short statements on one connection."""
        with self._engine.connect() as connection:
            categories = connection.execute(_CATEGORIES).all()
            moment = connection.execute(_MOMENT, {"most": MOST_RUNNING}).one()
            sellers = connection.execute(_SELLERS, {"most": MOST_LISTS}).all()
            collections = connection.execute(_COLLECTIONS).all()
            return Figures(
                calls=_NO_CALLS | {(row.source, row.operation): row.calls for row in connection.execute(_CALLS)},
                errors=self._errors.up_to_now(connection),
                sources=self._sources(connection),
                collections=dict.fromkeys(CollectionStatus, 0) | {row.status: row.number for row in collections},
                categories=dict.fromkeys(CategoryStatus, 0) | {row.status: row.number for row in categories},
                queued_categories=sum(row.queued for row in categories),
                sellers={row.org_id: row.sellers for row in sellers},
                alerts_waiting=moment.alerts_waiting,
                last_event_at=moment.last_event_at,
                quietest_collection_at=moment.quietest_collection_at,
            )

    def _sources(self, connection: sa.Connection) -> dict[Source, SourceFigures]:
        now = self._clock()
        asked = {
            "sources": list(self._limits),
            "days": [vendor_day(source, now) for source in self._limits],
        }
        return {row.source: _source(row, self._limits[row.source]) for row in connection.execute(_SOURCES, asked)}


def _source(row: sa.Row[tuple[object, ...]], limits: Limits) -> SourceFigures:
    return SourceFigures(
        in_flight=row.in_flight,
        in_flight_limit=limits.in_flight,
        requests_per_s_limit=min(limits.requests_per_s, row.vendor_requests_per_s or limits.requests_per_s),
        booked_ahead_s=row.booked_ahead_s,
        quota_used=row.quota_used,
        quota=limits.calls_per_day,
    )


_NO_CALLS: dict[tuple[str, str], int] = {(call.source, call.operation): 0 for call in COSTS}

_CALLS = sa.text("SELECT source, operation, sum(calls)::bigint AS calls FROM api_usage GROUP BY source, operation")

_SOURCES = sa.text("""
    SELECT
        asked.source,
        (
            SELECT count(*) FROM requests_in_flight r
            WHERE r.source = asked.source AND r.held_until > clock_timestamp()
        ) AS in_flight,
        (
            SELECT coalesce(sum(u.cost), 0)::float8 FROM api_usage u
            WHERE u.source = asked.source AND u.day = asked.day
        ) AS quota_used,
        rate.vendor_requests_per_s,
        coalesce(greatest(0, extract(epoch FROM rate.next_at - clock_timestamp()))::float8, 0) AS booked_ahead_s
    FROM unnest(CAST(:sources AS text[]), CAST(:days AS date[])) AS asked(source, day)
    LEFT JOIN source_rates rate ON rate.source = asked.source
""")

_COLLECTIONS = sa.text("SELECT status, count(*) AS number FROM collections GROUP BY status")

# The open collections as an array: so the planner reads their categories by key, also where it knows no figures yet.
_CATEGORIES = sa.text("""
    SELECT status, count(*) AS number,
           count(*) FILTER (WHERE status = 'planned' AND started_attempt >= attempt) AS queued
    FROM collection_categories
    WHERE collection_id = ANY (ARRAY(
        SELECT collection_id FROM collections WHERE status IN ('running', 'paused', 'cancelling', 'finishing')
    ))
    GROUP BY status
""")

# From one organisation to the next, and to the end of each one's entries: a few steps in an index, however long the
# log.
_SELLERS = sa.text("""
    WITH RECURSIVE list AS (
        (SELECT org_id FROM seller_audit_log ORDER BY org_id LIMIT 1)
        UNION ALL
        SELECT (SELECT l.org_id FROM seller_audit_log l WHERE l.org_id > list.org_id ORDER BY l.org_id LIMIT 1)
        FROM list WHERE list.org_id IS NOT NULL
    )
    SELECT list.org_id, newest.seller_count_snapshot AS sellers
    FROM (SELECT org_id FROM list WHERE org_id IS NOT NULL LIMIT :most) list
    CROSS JOIN LATERAL (
        SELECT l.org_id, l.seller_count_snapshot FROM seller_audit_log l
        WHERE (l.org_id, l.id) <= (list.org_id, 9223372036854775807) ORDER BY l.org_id DESC, l.id DESC LIMIT 1
    ) newest
""")

# Compared as a pair, and ordered by both: only the index of both columns can serve that. With `collection_id = …` the
# planner may read all events backwards for one of a collection that has none.
_MOMENT = sa.text("""
    SELECT
        (SELECT count(*) FROM alerts WHERE sent_at IS NULL) AS alerts_waiting,
        (SELECT timestamp FROM activity_events ORDER BY id DESC LIMIT 1) AS last_event_at,
        (
            SELECT min(CASE WHEN newest.collection_id = running.collection_id
                            THEN newest.timestamp ELSE running.started_at END)
            FROM (
                SELECT collection_id, started_at FROM collections WHERE status = 'running'
                ORDER BY started_at LIMIT :most
            ) running
            LEFT JOIN LATERAL (
                SELECT e.collection_id, e.timestamp FROM activity_events e
                WHERE (e.collection_id, e.id) <= (running.collection_id, 9223372036854775807)
                ORDER BY e.collection_id DESC, e.id DESC LIMIT 1
            ) newest ON true
        ) AS quietest_collection_at
""")
