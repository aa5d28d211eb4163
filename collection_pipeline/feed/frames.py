"""How things look on the wire: JSON, and the frames of a Server-Sent Events stream."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal

from collection_pipeline.core.activity import ActivityEvent

RETRY = b"retry: 1000\n\n"
"""Asks browsers to come back a second after the stream broke; their own habit is three to five."""


@dataclass(frozen=True, slots=True)
class Message:
    """A stored event with its frame, made once for all who read it."""

    id: int
    event: ActivityEvent
    frame: bytes

    @classmethod
    def of(cls, stored: tuple[int, ActivityEvent]) -> Message:
        """The message of a stored event."""
        event_id, event = stored
        data = as_json({"id": event_id, **asdict(event)})
        return cls(event_id, event, b"id: %d\nevent: activity\ndata: %s\n\n" % (event_id, data))


def status_frame(name: str, status: str) -> bytes:
    """A frame without id, so that a reader who comes back still names the last event it got."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), as_json({"status": status}))


def as_json(value: object) -> bytes:
    """JSON on one line: rows as objects, moments in UTC, money as a string that loses no digit."""
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} has no JSON form")
