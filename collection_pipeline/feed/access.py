"""Who may look and who may control: what the server is started with, and what it asks of every request.

On 127.0.0.1 everybody on this machine may look, but no web page of another origin, also not one whose name was pointed
here. Anywhere else, and for control, a token is needed. The page itself and the answers to
probes hold no data and are given to everybody.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collection_pipeline.core.collecting.collections import DEFAULT_ORG
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.origins import comes_from_elsewhere, is_local, is_own_host
from collection_pipeline.feed.answers import HEADERS, refusal
from collection_pipeline.settings.values import base_address, flag, given

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8780

PAGE = Path(__file__).parent / "page"
PAGE_FILES = {"/": "index.html"} | {
    f"/static/{file.name}": file.name for file in sorted(PAGE.iterdir()) if file.suffix in (".css", ".js")
}
"""The page: which file answers at which address."""

OPEN = frozenset({*PAGE_FILES, "/healthz", "/readyz"})
"""Nothing else is given without a token where there is one. Probes bring none, and their answers hold no data."""


@dataclass(frozen=True)
class FeedConfig:
    """How the server is started. Raises PipelineError where that would let strangers look or control."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    token: str | None = field(default=None, repr=False)
    may_control: bool = False
    dagster_url: str | None = None
    """Where the page's links to runs lead."""
    org_id: str = DEFAULT_ORG
    """Whose seller counts are shown to those who name nobody."""
    keep_alive_s: float = 15.0

    def __post_init__(self) -> None:
        if not self.token and not self.is_local:
            raise PipelineError(
                f"The feed would be open to everybody who reaches {self.host}. Set COLLECTION_FEED_TOKEN to a secret "
                "that readers have to bring, or bind it to 127.0.0.1."
            )
        if not self.token and self.may_control:
            raise PipelineError(
                "COLLECTION_FEED_CONTROL lets the feed pause and cancel collections, so it needs a token. Set "
                "COLLECTION_FEED_TOKEN too."
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the server."""
        return is_local(self.host)

    @classmethod
    def from_mapping(cls, environment: Mapping[str, str], host: str, port: int, org_id: str) -> FeedConfig:
        """Reads what comes from a mapping such as os.environ; an empty value counts as none. Raises PipelineError."""
        values = given(environment)
        named = "COLLECTION_DAGSTER_URL" in values
        return cls(
            host=host,
            port=port,
            token=values.get("COLLECTION_FEED_TOKEN"),
            may_control=flag(values, "COLLECTION_FEED_CONTROL"),
            dagster_url=base_address(values, "COLLECTION_DAGSTER_URL", "") if named else None,
            org_id=org_id,
        )


class Guard:
    """Asks every request who it is, before any endpoint sees it, and puts the security headers on every response."""

    def __init__(self, app: ASGIApp, config: FeedConfig) -> None:
        self._app, self._config = app, config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        reason = objection(self._config, Request(scope))
        await (self._app if reason is None else refusal(*reason))(scope, receive, send_guarded)


def objection(config: FeedConfig, request: Request) -> tuple[int, str] | None:
    """Why a request is refused, as status and sentence; None if it is not."""
    if "\0" in request.url.path or b"%00" in request.scope["query_string"]:
        return 400, "No name holds a NUL character."
    if config.is_local and not is_own_host(request.headers.get("host", "")):
        return 403, "This server answers to localhost and 127.0.0.1 only."
    if comes_from_elsewhere(request.headers, request.method):
        return 403, "Pages of other origins may not ask this server."
    if config.token and request.url.path not in OPEN and not _brings(config.token, request):
        return 401, "A token is needed: send `Authorization: Bearer …`, or `?token=…` where headers cannot be set."
    return None


def _brings(token: str, request: Request) -> bool:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    # Headers arrive as Latin-1; compared as the bytes they were.
    in_header = credential.strip().encode("latin-1") if scheme.lower() == "bearer" else b""
    in_query = request.query_params.get("token", "").encode()
    expected = token.encode()
    return hmac.compare_digest(in_header, expected) or hmac.compare_digest(in_query, expected)
