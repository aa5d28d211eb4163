"""Everything that can happen while collecting. The table, the Dagster UI, the terminal and the feed show this object.

An action that is not listed here does not exist: add it here first, with its sentence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from collection_pipeline.core.errors import ErrorStage, SourceError

SYSTEM = 0
"""The worker id of the pipeline's own steps; the workers of a run are 1 to 5."""

Phase = Literal["amazon", "ebay"]


class Action(StrEnum):
    """What a worker or the system did."""

    FETCHING = "fetching"  # a request is about to be sent
    FOUND = "found"  # a page came back, with `items_count` usable items
    RATE_LIMITED = "rate_limited"  # the vendor said too fast; the worker waits and tries again
    ERROR = "error"  # a request or a unit failed; `error_type` and `error_stage` say how
    COMPLETE = "complete"  # a product, or a category's best sellers, is done and committed
    UPLOADING = "uploading"  # the pipeline starts writing `items_count` rows
    DEDUPED = "deduped"  # `items_count` distinct ones are left after merging duplicates
    INSERTED = "inserted"  # `items_count` rows are new
    UPDATED = "updated"  # `items_count` known rows were seen again
    PAUSED = "paused"  # collecting stopped early and can be resumed
    RESUMED = "resumed"  # collecting went on after a stop


@dataclass(frozen=True, slots=True)
class ActivityEvent:
    """One thing that happened, to be kept and shown. Times are UTC; `duration_ms` is that of the request or unit."""

    timestamp: datetime
    run_id: str
    collection_id: str
    worker_id: int
    phase: Phase
    action: Action
    category: str
    product_name: str | None = None
    new_sellers_count: int | None = None
    error_message: str | None = None
    url: str | None = None
    api_params: Mapping[str, str | int] = field(default_factory=dict)
    duration_ms: int | None = None
    attempt: int | None = None
    error_type: str | None = None
    error_stage: ErrorStage | None = None
    items_count: int | None = None

    @property
    def is_trouble(self) -> bool:
        """Whether the event should stand out from the ordinary ones."""
        return self.action in (Action.RATE_LIMITED, Action.ERROR, Action.PAUSED)

    def line(self) -> str:
        """The event as one line of text, for a terminal or a log."""
        who = "system" if self.worker_id == SYSTEM else f"worker {self.worker_id}"
        parts = [f"{self.category} · {who} · {self.action}"]
        if self.product_name:
            parts.append(_shortened(self.product_name))
        if page := self.api_params.get("page"):
            parts.append(f"page {page}")
        if self.items_count is not None:
            parts.append(f"{self.items_count} items")
        if self.new_sellers_count:
            parts.append(f"{self.new_sellers_count} new sellers")
        if self.attempt and self.attempt > 1:
            parts.append(f"attempt {self.attempt}")
        if self.duration_ms is not None:
            parts.append(f"{self.duration_ms} ms")
        if self.error_message:
            parts.append(f"{self.error_type}: {self.error_message}")
        return " · ".join(parts)


def json_line(event: ActivityEvent) -> str:
    """The event as one line of JSON, for a log that a machine reads."""
    return json.dumps({**asdict(event), "timestamp": event.timestamp.isoformat()}, ensure_ascii=False)


Emit = Callable[[ActivityEvent], None]
"""Takes an event and returns at once; whoever listens does the writing elsewhere."""


@dataclass(frozen=True)
class Activity:
    """Emits the events of one phase of one category's run, so that a worker only says what is new."""

    emit: Emit
    clock: Callable[[], datetime]
    run_id: str
    collection_id: str
    category: str
    phase: Phase

    def record(
        self,
        worker_id: int,
        action: Action,
        *,
        product_name: str | None = None,
        new_sellers_count: int | None = None,
        url: str | None = None,
        api_params: Mapping[str, str | int] | None = None,
        duration_ms: int | None = None,
        attempt: int | None = None,
        items_count: int | None = None,
        error: SourceError | None = None,
    ) -> None:
        """Emits one event, stamped with the time and with what went wrong, if anything did."""
        self.emit(
            ActivityEvent(
                timestamp=self.clock(),
                run_id=self.run_id,
                collection_id=self.collection_id,
                worker_id=worker_id,
                phase=self.phase,
                action=action,
                category=self.category,
                product_name=product_name,
                new_sellers_count=new_sellers_count,
                url=url or (error.url if error else None),
                api_params=api_params or {},
                duration_ms=duration_ms,
                attempt=attempt,
                items_count=items_count,
                error_message=str(error) if error else None,
                error_type=error.kind if error else None,
                error_stage=error.stage if error else None,
            )
        )


def _shortened(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
