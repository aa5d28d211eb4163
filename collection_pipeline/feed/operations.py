"""The one table of addresses: how each is asked, which endpoint answers, and what the answer looks like."""

from __future__ import annotations

from collection_pipeline.core.activity import Action
from collection_pipeline.core.collecting.progress import Progress
from collection_pipeline.feed.endpoints import Endpoints
from collection_pipeline.feed.health import Readiness
from collection_pipeline.feed.operation import Operation, Parameter, limit_parameter
from collection_pipeline.feed.schemas import Schema, list_of, object_of, schema_of
from collection_pipeline.tables.watching.page_figures import (
    CategoryRow,
    CollectionRow,
    Metrics,
    SnapshotRow,
)

_ORG = Parameter("org_id", "Only those of this organisation.", {"type": "string"})
_CHANGED = object_of({"collection_id": schema_of(str), "changed": schema_of(bool)})
_EVENT_ID: Schema = {"type": "integer", "minimum": 0}
_READING = (
    Parameter("run_id", "Only the events of this Dagster run.", {"type": "string"}),
    Parameter("worker_id", "Only the events of this worker; 0 is the system.", {"type": "integer", "minimum": 0}),
    Parameter(
        "action",
        "Only events of this action; may be given several times.",
        {"type": "array", "items": {"type": "string", "enum": [*Action]}},
    ),
    Parameter("last_event_id", "Go on after this event, as Last-Event-ID does.", _EVENT_ID),
    Parameter("Last-Event-ID", "Go on after this event; browsers send it when they come back.", _EVENT_ID, "header"),
)
_META = object_of(
    {
        "dagster_url": schema_of(str | None),
        "may_control": schema_of(bool),
        "has_simulated_data": schema_of(bool),
        "org_id": schema_of(str),
    }
)
_STREAM: Schema = {
    "type": "string",
    "description": "`activity`: an event as JSON, with its id. `status`: the collection's status, at the start and at "
    "every change. `end`: its final status when there is nothing more to come, after which the stream is closed. A "
    "comment every 15 seconds.",
}

_ONE = "/api/collections/{collection_id}"

OPERATIONS = (
    Operation(
        "GET", "/healthz", Endpoints.healthz, "Whether the process lives.", object_of({"status": schema_of(str)})
    ),
    Operation(
        "GET",
        "/readyz",
        Endpoints.readyz,
        "Whether the database answers, its schema is current and new events are announced; 503 if not.",
        schema_of(Readiness),
    ),
    Operation(
        "GET",
        "/metrics",
        Endpoints.prometheus,
        "Figures of the whole installation, in Prometheus' text format.",
        {"type": "string"},
        (),
        "text/plain",
    ),
    Operation("GET", "/api/meta", Endpoints.meta, "What the page needs to know about this server.", _META),
    Operation(
        "GET",
        "/api/collections",
        Endpoints.collections,
        "The newest collections.",
        list_of("collections", CollectionRow),
        (limit_parameter(50, 500), _ORG),
    ),
    Operation("GET", _ONE, Endpoints.collection, "One collection.", schema_of(CollectionRow)),
    Operation("GET", f"{_ONE}/progress", Endpoints.progress, "The figures of one collection.", schema_of(Progress)),
    Operation("GET", f"{_ONE}/categories", Endpoints.categories, "Its categories.", list_of("categories", CategoryRow)),
    Operation("GET", f"{_ONE}/metrics", Endpoints.metrics, "Its events, counted.", schema_of(Metrics)),
    Operation("POST", f"{_ONE}/pause", Endpoints.pause, "Pauses it, where this server may control.", _CHANGED),
    Operation(
        "POST", f"{_ONE}/resume", Endpoints.resume, "Starts what is missing of it, where this server may.", _CHANGED
    ),
    Operation("POST", f"{_ONE}/cancel", Endpoints.cancel, "Cancels it, where this server may control.", _CHANGED),
    Operation(
        "GET",
        "/api/seller-counts",
        Endpoints.seller_counts,
        "How many sellers an organisation's list held, oldest first.",
        list_of("snapshots", SnapshotRow),
        (
            limit_parameter(200, 5_000),
            Parameter("org_id", "Whose list; by default this installation's.", {"type": "string"}),
        ),
    ),
    Operation(
        "GET",
        "/collections/{collection_id}/activity",
        Endpoints.activity,
        "What happens in it: the last 100 events, or those after the one named, then live ones (Server-Sent Events).",
        _STREAM,
        _READING,
        "text/event-stream",
    ),
)
