"""The feed's server as its page sees it: the same addresses, the same frames, scripted facts, and faults on command.

A stand-in at the wire, as the simulator is for the marketplaces: the page is the real one, in a real browser.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import collection_pipeline.feed
from collection_pipeline.feed.answers import HEADERS
from collection_pipeline.feed.serving import listening

PAGE = Path(collection_pipeline.feed.__file__).parent / "page"
STORED = 100
"""Events a new reader is shown, as the real server does."""

ENDED = ("completed", "completed_with_errors", "failed", "cancelled")

Facts = dict[str, Any]


def utc_text(ago_s: float = 0.0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat()


def category(
    key: str, status: str = "planned", began_s: float | None = None, ended_s: float | None = None, **facts: Any
) -> Facts:
    """A category; `began_s` and `ended_s` are seconds ago."""
    return {
        "category": key,
        "name": key.split("-", 1)[-1].replace("-", " ").title(),
        "department": key.split("-", 1)[0].title(),
        "status": status,
        "attempt": 1,
        "run_id": f"run-{key}" if status != "planned" else None,
        "products": 100 if status in ("running", "done") else None,
        "searches_total": 100 if status in ("running", "done") else 0,
        "searches_ended": {"running": 40, "done": 100}.get(status, 0),
        "sellers_found": 140 if status == "done" else None,
        "new_sellers": 25 if status == "done" else 0,
        "reason": None,
        "error_message": None,
        "started_at": None if began_s is None else utc_text(began_s),
        "ended_at": None if ended_s is None else utc_text(ended_s),
        **facts,
    }


@dataclass
class Scene:
    """One collection: its row, figures, categories and events."""

    collection_id: str
    status: str = "running"
    began_s: float = 900.0
    facts: Facts = field(default_factory=dict)
    categories: list[Facts] = field(default_factory=list)
    events: list[Facts] = field(default_factory=list)
    metrics: Facts = field(default_factory=lambda: {"events": 0, "failures": [], "workers": []})

    def __post_init__(self) -> None:
        self.started_at = utc_text(self.began_s)
        self.completed_at = utc_text() if self.status in ENDED else None

    @property
    def collection(self) -> Facts:
        return {
            "collection_id": self.collection_id,
            "org_id": "default",
            "status": self.status,
            "preset": "starter",
            "started_at": self.started_at,
            "completed_at": self.completed_at,
            "seller_count_snapshot": None,
            "cost": "412.0000",
            "cost_cap": "2000.0000",
            "paused_reason": None,
            "paused_message": None,
            "paused_until": None,
        } | {name: value for name, value in self.facts.items() if name not in ("failures", "time_left_s")}

    @property
    def progress(self) -> Facts:
        def of(status: str) -> list[Facts]:
            return [one for one in self.categories if one["status"] == status]

        return {
            "collection_id": self.collection_id,
            "org_id": "default",
            "status": self.status,
            "started_at": self.started_at,
            "completed_at": self.completed_at,
            "departments": len({one["department"] for one in self.categories}),
            "categories_total": len(self.categories),
            "categories_listed": sum(one["products"] is not None for one in self.categories),
            "categories_done": len(of("done")),
            "categories_failed": len(of("failed")),
            "products_found": sum(one["products"] or 0 for one in self.categories),
            "searches_total": sum(one["searches_total"] for one in self.categories),
            "searches_done": sum(one["searches_ended"] for one in self.categories),
            "searches_failed": 0,
            "searches_skipped": 0,
            "listings_found": 18 * sum(one["searches_ended"] for one in self.categories),
            "sellers_found": sum(one["sellers_found"] or 0 for one in self.categories),
            "new_sellers": sum(one["new_sellers"] for one in self.categories),
            "calls": 412,
            "cost": "412.0000",
            "cost_cap": "2000.0000",
            "failures": {},
            "searches_per_minute": 36.5 if self.status == "running" else None,
            "time_left_s": 900.0 if self.status == "running" else None,
            "paused_reason": None,
            "paused_until": None,
        } | {
            name: value for name, value in self.facts.items() if name not in ("paused_message", "seller_count_snapshot")
        }

    def end(self, status: str, **facts: Any) -> None:
        """The collection has ended; its readers are told."""
        self.facts |= facts
        self.completed_at = utc_text()
        self.status = status

    def emit(self, action: str, worker_id: int = 1, **facts: Any) -> Facts:
        """Something happens; its readers are told. The id is the next one."""
        name = facts.get("category", self.categories[0]["category"] if self.categories else "kitchen-blenders")
        event = {
            "id": len(self.events) + 1,
            "timestamp": utc_text(facts.pop("ago_s", 0.0)),
            "run_id": f"run-{name}",
            "collection_id": self.collection_id,
            "worker_id": worker_id,
            "phase": "ebay",
            "action": action,
            "category": name,
            "product_name": None,
            "new_sellers_count": None,
            "error_message": None,
            "url": None,
            "api_params": {},
            "duration_ms": None,
            "attempt": 1,
            "error_type": None,
            "error_stage": None,
            "items_count": None,
            **facts,
        }
        self.events.append(event)
        return event


class StandIn:
    """A server that answers from scenes. Everything may be changed while it runs."""

    def __init__(self) -> None:
        self.scenes: list[Scene] = []
        self.snapshots: list[Facts] = []
        self.meta: Facts = {"dagster_url": "http://127.0.0.1:3000", "may_control": False}
        self.token: str | None = None
        self.refuses_streams = False
        self.repeats = 0
        """Events that a reader who comes back is sent a second time."""
        self.is_slow = threading.Event()
        self.asked: list[tuple[str, str]] = []
        self.streams_opened: list[str | None] = []
        self._generation = 0

    def break_streams(self) -> None:
        """Ends every open stream in the middle, as a restart of the server would."""
        self._generation += 1

    def app(self) -> Starlette:
        one = "/api/collections/{collection_id}"
        return Starlette(
            routes=[
                Route("/", lambda _: FileResponse(PAGE / "index.html")),
                Route("/static/{name}", self._static),
                Route("/api/meta", lambda _: JSONResponse(self.meta)),
                Route("/api/collections", self._collections),
                Route(one, lambda request: self._answer(request, lambda scene: scene.collection)),
                Route(f"{one}/progress", lambda request: self._answer(request, lambda scene: scene.progress)),
                Route(f"{one}/categories", lambda request: self._answer(request, _categories)),
                Route(f"{one}/metrics", lambda request: self._answer(request, lambda scene: scene.metrics)),
                Route(f"{one}/{{control}}", self._control, methods=["POST"]),
                Route("/api/seller-counts", lambda _: JSONResponse({"snapshots": self.snapshots})),
                Route("/collections/{collection_id}/activity", self._activity),
            ],
            middleware=[Middleware(_Guard, standin=self)],
        )

    async def _static(self, request: Request) -> Response:
        return FileResponse(PAGE / request.path_params["name"])

    async def _collections(self, _: Request) -> Response:
        while self.is_slow.is_set():
            await asyncio.sleep(0.02)
        return JSONResponse({"collections": [scene.collection for scene in self.scenes]})

    def _scene(self, request: Request) -> Scene | None:
        wanted = request.path_params["collection_id"]
        return next((scene for scene in self.scenes if scene.collection_id == wanted), None)

    def _answer(self, request: Request, of: Any) -> Response:
        scene = self._scene(request)
        if scene is None:
            return JSONResponse({"error": "There is no such collection."}, 404)
        return JSONResponse(of(scene))

    async def _control(self, request: Request) -> Response:
        scene, wanted = self._scene(request), request.path_params["control"]
        if scene is None or not self.meta["may_control"]:
            return JSONResponse({"error": "This server may only look."}, 403)
        self.asked.append((scene.collection_id, wanted))
        scene.status = {"pause": "paused", "resume": "running", "cancel": "cancelling"}[wanted]
        return JSONResponse({"collection_id": scene.collection_id, "changed": True})

    async def _activity(self, request: Request) -> Response:
        scene = self._scene(request)
        if scene is None:
            return JSONResponse({"error": "There is no such collection."}, 404)
        if self.refuses_streams:
            return JSONResponse({"error": "The database does not answer at the moment."}, 503)
        last_id = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
        self.streams_opened.append(last_id)
        wanted = {name: request.query_params[name] for name in ("run_id", "worker_id") if name in request.query_params}
        return StreamingResponse(self._frames(scene, last_id, wanted), media_type="text/event-stream")

    async def _frames(self, scene: Scene, last_id: str | None, wanted: Facts) -> AsyncIterator[str]:
        generation, shown = self._generation, None

        def fitting(events: list[Facts]) -> list[Facts]:
            return [event for event in events if all(str(event[name]) == value for name, value in wanted.items())]

        batch = (
            fitting(scene.events)[-STORED:]
            if last_id is None
            else fitting(scene.events[max(0, int(last_id) - self.repeats) :])
        )
        position = len(scene.events)
        yield "retry: 300\n\n"
        while generation == self._generation:
            if batch:
                yield "".join(f"id: {event['id']}\nevent: activity\ndata: {json.dumps(event)}\n\n" for event in batch)
            if scene.status in ENDED:
                yield f'event: end\ndata: {{"status": "{scene.status}"}}\n\n'
                return
            if scene.status != shown:
                shown = scene.status
                yield f'event: status\ndata: {{"status": "{shown}"}}\n\n'
            await asyncio.sleep(0.02)
            batch = fitting(scene.events[position:])
            position += len(scene.events[position:])


def _categories(scene: Scene) -> Facts:
    return {"categories": scene.categories}


class _Guard:
    """The token and the headers of the real server."""

    def __init__(self, app: ASGIApp, standin: StandIn) -> None:
        self._app, self._standin = app, standin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *((name.lower().encode(), value.encode()) for name, value in HEADERS.items()),
                ]
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, token = Request(scope), self._standin.token
        is_page = request.url.path == "/" or request.url.path.startswith("/static/")
        brings = request.headers.get("authorization") == f"Bearer {token}" or request.query_params.get("token") == token
        if token and not is_page and not brings:
            await JSONResponse({"error": "A token is needed."}, 401)(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)


@contextmanager
def serving(standin: StandIn) -> Iterator[str]:
    """The stand-in on a port of its own; its address."""
    with listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(
            standin.app(), log_config=None, log_level="critical", timeout_graceful_shutdown=1, lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            standin.break_streams()
            standin.is_slow.clear()
            server.should_exit = True
            thread.join(timeout=10)
