"""The app: which address leads to which endpoint, with the guard before all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collection_pipeline.feed.access import PAGE_FILES, FeedConfig, Guard
from collection_pipeline.feed.answer_page.endpoints import AnswerEndpoints
from collection_pipeline.feed.answer_page.operations import ANSWER_OPERATIONS
from collection_pipeline.feed.answers import Refused, answer, broken, database_away, no_such_address, refused
from collection_pipeline.feed.description import description
from collection_pipeline.feed.endpoints import Endpoints
from collection_pipeline.feed.hub import Hub
from collection_pipeline.feed.observing import Observing
from collection_pipeline.feed.operations import OPERATIONS
from collection_pipeline.feed.reading import UNREACHABLE, Lane
from collection_pipeline.tables.store import Store


def build_app(config: FeedConfig, store: Store) -> Starlette:
    """A fresh server on the store's database; `app.state.hub` is its Hub, closed before a quick stop."""
    hub = Hub(store.engine, store.direct_url)
    questions, pages = Lane("questions", 3), Lane("pages", 2)
    observing = Observing(store, hub)
    endpoints = Endpoints(config, store, hub, questions, observing)
    answering = AnswerEndpoints(config, store, pages)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with hub.running():
            yield
        questions.close()
        pages.close()
        observing.close()

    app = Starlette(
        routes=[
            *[Route(path, endpoints.page) for path in PAGE_FILES],
            *[Route(one.path, partial(one.endpoint, endpoints), methods=[one.method]) for one in OPERATIONS],
            *[Route(one.path, partial(one.endpoint, answering), methods=[one.method]) for one in ANSWER_OPERATIONS],
            Route("/openapi.json", _described),
        ],
        middleware=[Middleware(Guard, config=config)],
        exception_handlers={
            Refused: refused,
            HTTPException: no_such_address,
            **dict.fromkeys(UNREACHABLE, database_away),
            Exception: broken,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.hub = hub
    return app


async def _described(_: Request) -> Response:
    return answer(description())
