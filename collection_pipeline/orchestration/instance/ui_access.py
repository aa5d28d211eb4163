"""Who may use Dagster's UI: people and tools on this machine, and those who come by a name that was allowed.

Dagster asks nobody who they are. Whoever can send it a request can start runs, so no web page of another origin may,
nor one whose name was pointed to this machine.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from collection_pipeline.core.origins import comes_from_elsewhere, is_own_host

GRAPHQL = "/graphql"
_NEED_PERMISSION = ("application/json", "application/graphql")
"""Types of content that a browser sends to another origin only with that one's permission, which is never given."""


class UiGuard:
    """Stands around the whole application: pages, GraphQL, and the websockets of its subscriptions."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif (reason := objection(scope, self._hosts)) is None:
            await self._app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await WebSocketClose(code=1008, reason=reason)(scope, receive, send)
        else:
            await PlainTextResponse(f"{reason}\n", status_code=403)(scope, receive, send)


def objection(scope: Scope, hosts: Collection[str] = ()) -> str | None:
    """Why a request is refused; None if it is not."""
    headers = Headers(scope=scope)
    if not is_own_host(headers.get("host", ""), hosts):
        return (
            "Dagster's UI answers to localhost and 127.0.0.1 only. Other names that it may be reached by stand in "
            "COLLECTION_UI_HOSTS."
        )
    if comes_from_elsewhere(headers, scope.get("method", "")):
        return "Pages of other origins may not ask Dagster's UI."
    if scope["type"] == "http" and scope["path"].rstrip("/") == GRAPHQL and not _is_permitted(scope, headers):
        return "Queries are taken by POST as application/json, which no page of another origin may send."
    return None


def _is_permitted(scope: Scope, headers: Headers) -> bool:
    """Whether a request to GraphQL is one that old browsers, too, would have asked permission for.

    Dagster also executes what stands in the address, mutations included, for a GET and for a POST of any type.
    """
    if scope["method"] == "POST":
        return headers.get("content-type", "").partition(";")[0].strip().lower() in _NEED_PERMISSION
    return "text/html" in headers.get("accept", "")  # the page for trying queries, which executes none by itself


def _unframed(send: Send) -> Send:
    """No other page shows the UI inside of itself, where its reader would press buttons that he does not see."""

    async def send_unframed(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).setdefault("X-Frame-Options", "SAMEORIGIN")
        await send(message)

    return send_unframed
