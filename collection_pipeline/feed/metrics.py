"""Figures as Prometheus reads them: names, types, units, and a sentence for each.

Names follow https://prometheus.io/docs/practices/naming/: the product, what is counted, the unit; `_total` for what
only grows. What comes from the tables is the same at every feed server of an installation: do not add theirs up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from collection_pipeline import __version__
from collection_pipeline.core.collecting.usage import Source
from collection_pipeline.tables.watching.figures import Figures, SourceFigures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

PREFIX = "collection_pipeline"


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """What this one server knows about itself."""

    readers: int
    is_listening: bool
    read_s: float
    """How long it took to read the figures from the tables, in seconds."""


def exposition(figures: Figures, server: ServerFigures) -> bytes:
    """The figures in Prometheus' text format, with those of this process (memory, CPU, open files)."""
    registry = CollectorRegistry()
    registry.register(_OnceRead([*metrics(figures), *server_metrics(server)]))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _OnceRead(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def metrics(figures: Figures) -> Iterator[Metric]:
    """Everything that the tables say."""
    yield InfoMetricFamily(f"{PREFIX}_build", "Version of the feed server.", {"version": __version__})
    yield _counter("calls", "Calls to marketplaces.", ("source", "operation"), figures.calls)
    yield _counter("errors", "Failed requests and units since this server started.", ("phase", "kind"), figures.errors)
    yield from _source_metrics(figures.sources)
    yield _gauge("collections", "Collections.", ("status",), _by_one(figures.collections))
    yield _gauge("categories", "Categories of open collections.", ("status",), _by_one(figures.categories))
    yield _value(
        "queued_categories",
        "Categories whose run was requested of Dagster and has not begun.",
        figures.queued_categories,
    )
    yield _gauge("sellers", "Active sellers on an organisation's list.", ("org_id",), _by_one(figures.sellers))
    yield _value("alerts_waiting", "Alerts that the webhook has not taken yet.", figures.alerts_waiting)
    yield _moment("last_event_timestamp_seconds", "When the newest event happened.", figures.last_event_at)
    yield _moment(
        "quietest_collection_timestamp_seconds",
        "Newest event, or start, of the running collection that was heard of least recently.",
        figures.quietest_collection_at,
    )


def _source_metrics(sources: Mapping[Source, SourceFigures]) -> Iterator[Metric]:
    def gauge(name: str, what: str, values: Mapping[Source, float]) -> Metric:
        return _gauge(name, what, ("source",), _by_one(values))

    yield gauge(
        "rate_limit_requests_per_second",
        "Request rate that all runs keep to together; they use up to 96 % of it.",
        {source: one.requests_per_s_limit for source, one in sources.items()},
    )
    yield gauge(
        "rate_booked_ahead_seconds",
        "How long a request that is made now waits for its moment.",
        {source: one.booked_ahead_s for source, one in sources.items()},
    )
    yield gauge(
        "requests_in_flight",
        "Requests that have a place at this moment.",
        {source: one.in_flight for source, one in sources.items()},
    )
    yield gauge(
        "requests_in_flight_limit",
        "Places for requests at a time.",
        {source: one.in_flight_limit for source, one in sources.items()},
    )
    yield gauge(
        "quota_used_calls",
        "Calls of the vendor's present day that count against its quota.",
        {source: one.quota_used for source, one in sources.items()},
    )
    yield gauge(
        "quota_limit_calls",
        "Calls that the vendor allows a day; absent where there is no quota.",
        {source: one.quota for source, one in sources.items() if one.quota is not None},
    )


def server_metrics(server: ServerFigures) -> Iterator[Metric]:
    """What this server knows about itself."""
    yield _value("feed_readers", "Readers of live activity at this server.", server.readers)
    yield _value(
        "feed_listener_connected",
        "Whether this server hears of new events at once (1) or not (0).",
        int(server.is_listening),
    )
    yield _value("figures_read_duration_seconds", "Time it took to read these figures from the tables.", server.read_s)


Label = TypeVar("Label", bound=str)

Samples = Mapping[tuple[str, ...], float]
"""Values by those of the labels."""


def _by_one(values: Mapping[Label, float]) -> Samples:
    return {(label,): value for label, value in values.items()}


def _counter(name: str, what: str, labels: tuple[str, str], samples: Mapping[tuple[str, str], int]) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}_{name}", what, labels=labels)
    for key, value in samples.items():
        family.add_metric(key, value)
    return family


def _gauge(name: str, what: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", what, labels=labels)
    for key, value in samples.items():
        family.add_metric(key, value)
    return family


def _value(name: str, what: str, value: float | None) -> Metric:
    """A gauge without labels. It has no sample where the value is not known: unknown is not zero."""
    return _gauge(name, what, (), {} if value is None else {(): value})


def _moment(name: str, what: str, at: datetime | None) -> Metric:
    return _value(name, what, None if at is None else at.timestamp())
