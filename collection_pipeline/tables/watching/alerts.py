"""Alerts between being raised and being sent, so that neither a crash nor a webhook that is down loses one.

The database decides what is told again: an event is raised once for ever, and of one cause and subject one message at
most is begun within an hour, however many processes raise and send at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from collection_pipeline.core.collecting.collections import CollectionStatus
from collection_pipeline.core.watching.alerts import QUIET, WORTH_TELLING, Alert, AlertCause, EndedCollection
from collection_pipeline.tables.schema.locking import lock_turn
from collection_pipeline.tables.schema.notices import DAEMON, announce
from collection_pipeline.tables.schema.tables import alerts

EARLIER = 12
"""Earlier collections that a count is compared with: a year of monthly ones."""

_ENDED = sa.text("""
    SELECT s.id, s.taken_at AS at, s.collection_id, s.org_id, s.ending, c.status, s.seller_count, s.new_sellers,
           c.cost, c.cost_cap,
           array(SELECT e.seller_count FROM seller_count_snapshots e
                 WHERE e.org_id = s.org_id AND e.cause = 'collection' AND e.id < s.id
                 ORDER BY e.id DESC LIMIT :earlier) AS earlier_counts,
           array(SELECT e.new_sellers FROM seller_count_snapshots e JOIN collections o USING (collection_id)
                 WHERE e.org_id = s.org_id AND o.preset = c.preset AND e.id < s.id
                   AND e.collection_id <> s.collection_id
                 ORDER BY e.id DESC LIMIT :earlier) AS earlier_new_sellers
    FROM seller_count_snapshots s JOIN collections c USING (collection_id)
    WHERE s.cause = 'collection' AND s.id > :after AND s.taken_at > :since
    ORDER BY s.id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Message:
    """Alerts of one cause and subject, which nobody else will send for the next hour."""

    ids: tuple[int, ...]
    alerts: tuple[Alert, ...]


class AlertStore:
    """Keeps alerts until they are sent, and afterwards."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, raised: Sequence[Alert]) -> int:
        """Raises alerts; how many of them are new. One that was raised before, also by another process, is not."""
        rows = [{**_columns(alert), "happened_at": alert.at} for alert in raised]
        if not rows:
            return 0
        adding = insert(alerts).values(rows).on_conflict_do_nothing(constraint="uq_alerts_event")
        with self._engine.begin() as connection:
            new = len(connection.execute(adding.returning(alerts.c.id)).all())
            if new:
                announce(connection, DAEMON)
        return new

    def claim(self, now: datetime) -> Message | None:
        """The oldest message that is due, for this caller alone; None where there is none.

        Whoever claims it says afterwards that it was sent, or puts it back. If neither happens, because the process
        died or the webhook left it open, it is due again after an hour: told late rather than twice within the hour.
        """
        quiet = alerts.alias()
        was_told = sa.exists().where(
            quiet.c.cause == alerts.c.cause, quiet.c.subject == alerts.c.subject, quiet.c.claimed_at > now - QUIET
        )
        oldest = sa.select(alerts.c.cause, alerts.c.subject).where(_waiting(now), ~was_told).order_by(alerts.c.id)
        with self._engine.begin() as connection:
            lock_turn(connection, "sending alerts")
            kind = connection.execute(oldest.limit(1)).one_or_none()
            if kind is None:
                return None
            rows = connection.execute(
                alerts.update()
                .where(_waiting(now), alerts.c.cause == kind.cause, alerts.c.subject == kind.subject)
                .values(claimed_at=now)
                .returning(*alerts.c)
            ).all()
        return Message(tuple(row.id for row in rows), tuple(_alert(row) for row in rows))

    def sent(self, message: Message, now: datetime) -> None:
        """The webhook took it."""
        self._mark(message, sent_at=now)

    def put_back(self, message: Message) -> None:
        """The webhook certainly did not take it: it is due again at once."""
        self._mark(message, claimed_at=None)

    def _mark(self, message: Message, **values: datetime | None) -> None:
        with self._engine.begin() as connection:
            connection.execute(alerts.update().where(alerts.c.id.in_(message.ids)).values(**values))

    def waiting(self, now: datetime) -> int:
        """How many alerts are not sent yet, and still worth it."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).where(_waiting(now))) or 0

    def ended(self, *, after: int, since: datetime, limit: int = 100) -> list[EndedCollection]:
        """Collections that ended, in the order of their snapshots from number `after` on, each with its history."""
        asked = {"after": after, "since": since, "limit": limit, "earlier": EARLIER}
        with self._engine.connect() as connection:
            rows = connection.execute(_ENDED, asked).all()
        return [EndedCollection(**{**row._asdict(), "status": CollectionStatus(row.status)}) for row in rows]


def _waiting(now: datetime) -> sa.ColumnElement[bool]:
    return alerts.c.sent_at.is_(None) & (alerts.c.raised_at > now - WORTH_TELLING)


def _columns(alert: Alert) -> dict[str, object]:
    return {name: value for name, value in asdict(alert).items() if name != "at"}


def _alert(row: sa.Row[tuple[object, ...]]) -> Alert:
    return Alert(AlertCause(row.cause), row.subject, row.event, row.text, row.path, row.happened_at)
