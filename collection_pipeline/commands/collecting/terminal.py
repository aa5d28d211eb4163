"""Watching a collection in a terminal: a moving display for people, a line now and then for logs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from collection_pipeline.core.activity import ActivityEvent
from collection_pipeline.core.collecting.collections import OPEN_STATUSES, CollectionStatus
from collection_pipeline.core.collecting.failed_units import FailedUnit, grouped
from collection_pipeline.core.collecting.progress import Progress
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import Money
from collection_pipeline.tables.store import Store

LOOK_EVERY_S = 0.5
LINE_EVERY_S = 5.0
RECENT_EVENTS = 8
NOTHING_STARTS_S = 90
"""A busy Dagster starts the first run within seconds; after this long it is not running, or its sensors are off."""


def watch(store: Store, collection_id: str, console: Console, check: Callable[[], None]) -> Progress:
    """Shows a collection until it is over or paused; its last figures. `check` raises when waiting is of no use."""
    display = _Display(console) if console.is_terminal else _Lines(console)
    latest, recent = 0, list[ActivityEvent]()
    with display:
        while True:
            progress = store.collections.progress(collection_id)
            for event_id, event in store.activity.since(collection_id, latest, RECENT_EVENTS):
                latest, recent = event_id, [*recent, event][-RECENT_EVENTS:]
            display.show(progress, recent)
            if progress.status not in OPEN_STATUSES or progress.status is CollectionStatus.PAUSED:
                return progress
            check()
            _require_start(progress)
            time.sleep(LOOK_EVERY_S)


def _require_start(progress: Progress) -> None:
    waited = (datetime.now(UTC) - progress.started_at).total_seconds()
    if waited > NOTHING_STARTS_S and not progress.categories_listed and not progress.categories_ended:
        raise PipelineError(
            f"Nothing has begun to work on {progress.collection_id} for {waited:.0f} s. Is Dagster running "
            "(`collection-pipeline up`), and are its sensors on? The collection is kept and starts as soon as they are."
        )


def summary(
    progress: Progress,
    failures: list[FailedUnit],
    snapshot: int | None,
    expected: Decimal | None,
    cost: Money | None,
) -> RenderableType:
    """What a collection came to, as a table; `expected` are the new sellers that its plan promised."""
    title = Text(f"Collection {progress.collection_id}: {progress.status.replace('_', ' ')}", style="bold")
    table = Table(show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    took = (progress.completed_at or datetime.now(UTC)) - progress.started_at
    kinds = [f"{group.count:,} × {group.unit}: {group.reason}" for group in grouped(failures)]
    rows: list[tuple[str, object]] = [
        ("Categories", f"{progress.categories_done} of {progress.categories_total}"),
        ("Products", progress.products_found),
        ("Searches", f"{progress.searches_ended:,} of {progress.searches_total:,}"),
        ("Listings", progress.listings_found),
        ("Sellers found", progress.sellers_found if progress.are_sellers_known else "no category is at its end yet"),
        ("New sellers", progress.new_sellers if progress.are_sellers_known else "–"),
        ("New sellers expected", "not planned" if expected is None else f"{expected:,.0f}"),
        ("Seller count snapshot", "none" if snapshot is None else snapshot),
        ("API calls", progress.calls),
        *([] if cost is None else [("Cost", str(cost))]),
        ("Took", _spoken(took)),
        ("Failures", ", ".join(kinds) or "none"),
    ]
    for name, value in rows:
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    if not progress.products_found:
        warning = Text("No product was found at all. Nothing can be said about sellers.", style="bold red")
        return Group(title, table, warning)
    return Group(title, table)


class _Display:
    """Bars and the newest events, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> None:
        self._live.__enter__()

    def __exit__(self, *error: object) -> None:
        self._live.__exit__(None, None, None)

    def show(self, progress: Progress, recent: list[ActivityEvent]) -> None:
        bars = Bars(TextColumn("{task.description:<12}"), BarColumn(40), MofNCompleteColumn())
        bars.add_task("categories", total=progress.categories_total, completed=progress.categories_ended)
        bars.add_task("searches", total=progress.searches_expected or None, completed=progress.searches_ended)
        lines = [Text(event.line(), style="red" if event.is_trouble else "dim", no_wrap=True) for event in recent]
        self._live.update(Group(bars, Text(_figures(progress)), *lines), refresh=True)


class _Lines:
    """A line of figures every few seconds, if anything has moved, for output that nobody watches."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = 0.0
        self._shown: Progress | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass

    def show(self, progress: Progress, recent: list[ActivityEvent]) -> None:
        is_over = progress.status not in OPEN_STATUSES or progress.status is CollectionStatus.PAUSED
        has_moved = self._shown is None or progress.has_moved_since(self._shown)
        if is_over or (has_moved and time.monotonic() - self._shown_at >= LINE_EVERY_S):
            self._shown_at, self._shown = time.monotonic(), progress
            done = f"{progress.categories_ended}/{progress.categories_total} categories"
            self._console.print(f"{done}, {_figures(progress)}", soft_wrap=True)
            if recent and recent[-1].is_trouble:
                self._console.print(Text(recent[-1].line()), soft_wrap=True)


def _figures(progress: Progress) -> str:
    parts = [
        f"{progress.products_found:,} products, {progress.searches_ended:,} of them searched",
        f"{progress.listings_found:,} listings",
    ]
    if progress.are_sellers_known:
        parts += [f"{progress.sellers_found:,} sellers", f"{progress.new_sellers:,} new"]
    parts.append(f"{progress.calls:,} calls")
    if progress.status is CollectionStatus.RUNNING:
        parts.append(f"{progress.searches_per_minute or 0:,.0f} searches/min")
        if progress.time_left is not None:
            parts.append(f"{_spoken(progress.time_left)} left")
    return ", ".join(parts)


def _spoken(duration: timedelta) -> str:
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
