"""The answers: what is asked of the address and the query, and where the answer comes from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from collection_pipeline.actions import controlling
from collection_pipeline.actions.controlling import Controlled
from collection_pipeline.core.activity import Action
from collection_pipeline.feed.access import PAGE, PAGE_FILES, FeedConfig
from collection_pipeline.feed.answers import Refused, answer
from collection_pipeline.feed.health import IN_ORDER
from collection_pipeline.feed.hub import Hub
from collection_pipeline.feed.metrics import CONTENT_TYPE
from collection_pipeline.feed.observing import Observing
from collection_pipeline.feed.parameters import (
    may_control,
    org_of,
    parsed_number,
    require_control,
    shown_org,
    whole_number,
)
from collection_pipeline.feed.reading import Answers, Lane
from collection_pipeline.feed.stream import Reader
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.activity import EventFilter
from collection_pipeline.tables.watching.page_figures import FeedStore

HERE = "on the live activity page"

MOST_READERS = 500
"""Each takes a connection and a few kilobytes; beyond this many the machine is better asked less."""

R = TypeVar("R")


class _OfOrg(Protocol):
    @property
    def org_id(self) -> str: ...


OfOrg = TypeVar("OfOrg", bound=_OfOrg)


class Endpoints:
    """The endpoints of one server."""

    def __init__(self, config: FeedConfig, store: Store, hub: Hub, questions: Lane, observing: Observing) -> None:
        self._config, self._store, self._hub, self._questions = config, store, hub, questions
        self._observing = observing
        self._facts = FeedStore(store.engine)
        self._answers = Answers(questions)

    async def page(self, request: Request) -> Response:
        """One file of the page."""
        path = PAGE / PAGE_FILES[request.url.path]
        if not path.is_file():
            raise Refused(404, "The page is not part of this installation; the addresses of /openapi.json are.")
        return FileResponse(path, headers={"Cache-Control": "no-cache"})

    async def healthz(self, _: Request) -> Response:
        """Whether the process lives: it does if this comes back."""
        return answer({"status": IN_ORDER})

    async def readyz(self, _: Request) -> Response:
        """Whether the server can do its work."""
        readiness = await self._observing.readiness()
        return answer(readiness, 200 if readiness.ready else 503)

    async def prometheus(self, request: Request) -> Response:
        """The figures of this moment."""
        if shown_org(request) is not None:
            raise Refused(403, "These figures are about all organisations; they need COLLECTION_FEED_TOKEN.")
        return Response(await self._observing.exposition(), headers={"Content-Type": CONTENT_TYPE})

    async def meta(self, request: Request) -> Response:
        """What the page needs to know about this server."""
        return answer(
            {
                "dagster_url": self._config.dagster_url,
                "may_control": may_control(request),
                "has_simulated_data": self._config.has_simulated_data,
                "org_id": org_of(request, self._config.org_id),
            }
        )

    async def collections(self, request: Request) -> Response:
        """The newest collections."""
        limit = whole_number(request, "limit", 50, least=1, most=500)
        org_id = org_of(request, None)
        return answer({"collections": await self._answers.to(self._facts.collections, limit, org_id)})

    async def collection(self, request: Request) -> Response:
        """One collection."""
        return answer(await self._known(request, self._facts.collection))

    async def progress(self, request: Request) -> Response:
        """The figures of one collection."""
        return answer(await self._known(request, self._store.collections.find_progress))

    async def categories(self, request: Request) -> Response:
        """The categories of one collection."""
        return answer({"categories": await self._of_known(request, self._facts.categories)})

    async def metrics(self, request: Request) -> Response:
        """The events of one collection, counted."""
        return answer(await self._of_known(request, self._facts.metrics))

    async def seller_counts(self, request: Request) -> Response:
        """The snapshots of one organisation's list."""
        limit = whole_number(request, "limit", 200, least=1, most=5_000)
        org_id = org_of(request, self._config.org_id)
        return answer({"snapshots": await self._answers.to(self._facts.snapshots, org_id, limit)})

    async def pause(self, request: Request) -> Response:
        """Pauses a collection."""
        return await self._control(request, partial(controlling.pause, asked=HERE))

    async def resume(self, request: Request) -> Response:
        """Starts what is missing of a collection."""
        return await self._control(request, partial(controlling.resume, asked=HERE))

    async def cancel(self, request: Request) -> Response:
        """Cancels a collection."""
        return await self._control(request, partial(controlling.cancel, asked=HERE))

    async def activity(self, request: Request) -> Response:
        """The stream of one collection's events."""
        wanted, last_event_id = _wanted(request), _last_event_id(request)
        collection_id = (await self._known(request, self._facts.collection)).collection_id
        if self._hub.readers >= MOST_READERS:
            raise Refused(503, f"{MOST_READERS} readers follow activity here already. Try again later.")
        reader = Reader(self._hub, self._store.activity, collection_id, wanted, last_event_id)
        return EventSourceResponse(
            reader.frames(),
            ping=self._config.keep_alive_s,
            ping_message_factory=lambda: ServerSentEvent(comment="keep-alive", sep="\n"),
        )

    async def _known(self, request: Request, query: Callable[[str], OfOrg | None]) -> OfOrg:
        """The query's answer about the collection in the address; 404 where there is none that this reader may see."""
        collection_id = request.path_params["collection_id"]
        found = await self._answers.to(query, collection_id)
        if found is None or shown_org(request) not in (None, found.org_id):
            raise Refused(404, f"There is no collection {collection_id!r}. /api/collections lists them.")
        return found

    async def _of_known(self, request: Request, query: Callable[[str], R]) -> R:
        """The query's answer about the collection in the address; 404 where there is no such collection."""
        collection = await self._known(request, self._facts.collection)
        return await self._answers.to(query, collection.collection_id)

    async def _control(self, request: Request, change: Callable[[Store, str], Controlled]) -> Response:
        require_control(request)
        collection_id = (await self._known(request, self._facts.collection)).collection_id
        controlled = await self._questions.read(change, self._store, collection_id)
        self._answers.forget()
        return answer({"collection_id": collection_id, "changed": controlled.has_changed})


def _wanted(request: Request) -> EventFilter:
    actions = frozenset(filter(None, request.query_params.getlist("action")))
    if unknown := sorted(actions - set(Action)):
        raise Refused(400, f"action is {unknown[0]!r}; it must be one of {', '.join(Action)}.")
    has_worker = bool(request.query_params.get("worker_id"))
    return EventFilter(
        run_id=request.query_params.get("run_id") or None,
        worker_id=whole_number(request, "worker_id", 0, least=0, most=32_767) if has_worker else None,
        actions=actions,
    )


def _last_event_id(request: Request) -> int | None:
    """Where a reader left off. A browser that comes back says so in the header; its address is that of the start."""
    text = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
    return None if not text else parsed_number(text, "Last-Event-ID", least=0, most=2**63 - 1)
