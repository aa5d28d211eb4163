"""Who may look and who may control: what the server is started with, and what it asks of every request.

On 127.0.0.1 everybody on this machine may look, but no web page of another origin, also not one whose name was pointed
here. Anywhere else, and for control, a token is needed. The pages themselves and the answers to
probes hold no data and are given to everybody. A token may be one organisation's: it shows that one and no other.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collection_pipeline.core.collecting.collections import DEFAULT_ORG
from collection_pipeline.core.collecting.scheduling import ScheduleConfig
from collection_pipeline.core.collecting.usage import DEFAULT_LIMITS, Limits, Source
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.origins import comes_from_elsewhere, is_local, is_own_host
from collection_pipeline.core.sellers.pseudonyms import plain
from collection_pipeline.feed.answers import HEADERS, refusal
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.settings.schedule import schedule_config
from collection_pipeline.settings.values import base_address, flag, given

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8780

PAGE = Path(__file__).parent / "page"
ANSWER = "/answer"
ANSWER_VIEWS = ("sellers", "seller", "products", "product", "collections", "compare")
"""The answer page's views beside its overview; each has an address, which carries the view's whole state."""

_FILES = sorted(path.relative_to(PAGE).as_posix() for path in PAGE.rglob("*") if path.suffix in (".css", ".js"))
PAGE_FILES = (
    {"/": "index.html"}
    | dict.fromkeys((ANSWER, *(f"{ANSWER}/{view}" for view in ANSWER_VIEWS)), "answer/answer.html")
    | {f"/static/{file}": file for file in _FILES}
)
"""The pages: which file answers at which address."""

OPEN = frozenset({*PAGE_FILES, "/healthz", "/readyz"})
"""Nothing else is given without a token where there is one. Probes bring none, and their answers hold no data."""


@dataclass(frozen=True)
class FeedConfig:
    """How the server is started. Raises PipelineError where that would let strangers look or control."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    token: str | None = field(default=None, repr=False)
    """Shows all organisations."""
    org_tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By organisation, the token that shows it alone."""
    may_control: bool = False
    control_token: str | None = field(default=None, repr=False)
    """Lets whoever brings it control, where readers bring none. `up` makes one for the addresses that it prints."""
    dagster_url: str | None = None
    """Where the page's links to runs lead."""
    org_id: str = DEFAULT_ORG
    """Whose seller counts are shown to those who name nobody."""
    keep_alive_s: float = 15.0
    has_simulated_data: bool = False
    limits: Mapping[Source, Limits] = field(default_factory=lambda: DEFAULT_LIMITS)
    """What the sources allow a day, for what is left of it."""
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    """When the next collection begins, where the schedule is on."""
    exported_naming: Callable[[str], str] = plain
    """What a seller's name is in an export."""
    are_exported_names_hashed: bool = False

    def __post_init__(self) -> None:
        if not self.has_token and not self.is_local:
            raise PipelineError(
                f"The feed would be open to everybody who reaches {self.host}. Set COLLECTION_FEED_TOKEN to a secret "
                "that readers have to bring, or bind it to 127.0.0.1."
            )
        if not self.has_token and self.may_control:
            raise PipelineError(
                "COLLECTION_FEED_CONTROL lets the feed pause and cancel collections, so it needs a token. Set "
                "COLLECTION_FEED_TOKEN too."
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the server."""
        return is_local(self.host)

    @property
    def has_token(self) -> bool:
        """Whether readers have to bring one."""
        return bool(self.token or self.org_tokens)

    @classmethod
    def from_settings(cls, environment: Mapping[str, str], host: str, port: int, settings: Settings) -> FeedConfig:
        """The same, with what the answer page needs of the other settings. Raises PipelineError."""
        return replace(
            cls.from_mapping(environment, host, port, settings.org_id),
            has_simulated_data=settings.has_simulated_data,
            limits=settings.limits,
            schedule=schedule_config(environment),
            exported_naming=settings.exported_naming(are_hashed=settings.are_exported_names_hashed),
            are_exported_names_hashed=settings.are_exported_names_hashed,
        )

    @classmethod
    def from_mapping(cls, environment: Mapping[str, str], host: str, port: int, org_id: str) -> FeedConfig:
        """Reads what comes from a mapping such as os.environ; an empty value counts as none. Raises PipelineError."""
        values = given(environment)
        named = "COLLECTION_DAGSTER_URL" in values
        return cls(
            host=host,
            port=port,
            token=values.get("COLLECTION_FEED_TOKEN"),
            org_tokens=_org_tokens(values),
            may_control=flag(values, "COLLECTION_FEED_CONTROL"),
            control_token=values.get("COLLECTION_FEED_CONTROL_TOKEN"),
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

        request = Request(scope)
        reason = objection(self._config, request)
        reader = known_reader(self._config, request)
        state = scope.setdefault("state", {})
        state["org_id"] = reader.org_id if reader else None
        state["may_control"] = reader is not None and reader.may_control
        await (self._app if reason is None else refusal(*reason))(scope, receive, send_guarded)


def objection(config: FeedConfig, request: Request) -> tuple[int, str] | None:
    """Why a request is refused, as status and sentence; None if it is not."""
    if "\0" in request.url.path or b"%00" in request.scope["query_string"]:
        return 400, "No name holds a NUL character."
    if config.is_local and not is_own_host(request.headers.get("host", "")):
        return 403, "This server answers to localhost and 127.0.0.1 only."
    if comes_from_elsewhere(request.headers, request.method):
        return 403, "Pages of other origins may not ask this server."
    if config.has_token and request.url.path not in OPEN and known_reader(config, request) is None:
        return 401, "A token is needed: send `Authorization: Bearer …`, or `?token=…` where headers cannot be set."
    return None


@dataclass(frozen=True, slots=True)
class KnownReader:
    """Somebody who may look. `org_id` is the one organisation that is shown; None shows all."""

    org_id: str | None
    may_control: bool = False


def known_reader(config: FeedConfig, request: Request) -> KnownReader | None:
    """Who asks, by the token that comes along; None for a stranger."""
    brought = _brought(request)
    if config.control_token and _is_among(config.control_token, brought):
        return KnownReader(None, may_control=True)
    if not config.has_token:
        return KnownReader(None)
    # Every token is compared, whichever fits: how long it takes tells nothing.
    fitting = [org_id for org_id, token in config.org_tokens.items() if _is_among(token, brought)]
    if config.token and _is_among(config.token, brought):
        return KnownReader(None, config.may_control)
    return KnownReader(fitting[0], config.may_control) if fitting else None


def _brought(request: Request) -> tuple[bytes, bytes]:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    # Headers arrive as Latin-1; compared as the bytes they were.
    in_header = credential.strip().encode("latin-1") if scheme.lower() == "bearer" else b""
    return in_header, request.query_params.get("token", "").encode()


def _is_among(token: str, brought: tuple[bytes, bytes]) -> bool:
    in_header, in_query = (hmac.compare_digest(one, token.encode()) for one in brought)
    return in_header or in_query


def _org_tokens(values: Mapping[str, str]) -> dict[str, str]:
    name, tokens = "COLLECTION_FEED_ORG_TOKENS", dict[str, str]()
    for pair in filter(str.strip, values.get(name, "").split(",")):
        org_id, _, token = (part.strip() for part in pair.partition("="))
        if not org_id or not token or org_id in tokens or token in tokens.values():
            raise PipelineError(
                f"{name} must have pairs such as acme=secret with commas between them: each organisation once, each "
                "with a token of its own."
            )
        tokens[org_id] = token
    if values.get("COLLECTION_FEED_TOKEN") in tokens.values():
        raise PipelineError(
            f"{name} has the token of COLLECTION_FEED_TOKEN, which shows all organisations. Give that organisation "
            "another one."
        )
    return tokens
