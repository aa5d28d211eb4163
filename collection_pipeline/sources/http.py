"""HTTP for every source: one pooled client a run, exact JSON, and every failure given its kind once.

Nothing is retried here: `core.retrying` decides that, for all sources alike.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from collection_pipeline.core.errors import Malformed, Transient

MAX_CONNECTIONS = 10
"""A run has five workers, each with one request in flight."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL and lone surrogates are legal in JSON strings and illegal in Postgres text."""


def pooled_client(url: str, *, read_timeout_s: float) -> httpx.AsyncClient:
    """A client for one vendor, with a pool of its own. To be closed by whoever opened it."""
    return httpx.AsyncClient(
        base_url=url,
        timeout=httpx.Timeout(30, connect=10, read=read_timeout_s, pool=60),
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
        follow_redirects=False,
    )


async def send(
    client: httpx.AsyncClient, request: httpx.Request, what: str, auth: httpx.Auth | None = None
) -> httpx.Response:
    """The whole response to a request, whatever its status. `what` names the attempt in errors.

    Raises Transient where no whole response came: timeouts, refused and dropped connections.
    """
    try:
        return await client.send(request, auth=auth)
    except httpx.TimeoutException as error:
        raise Transient(
            f"{what}: no answer in time ({type(error).__name__}). Trying again may help.", url=shown(request.url)
        ) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise Transient(
            f"{what}: the connection failed ({type(error).__name__}). Trying again may help; if it goes on, check the "
            "network and the address.",
            url=shown(request.url),
        ) from error


def json_object(response: httpx.Response, what: str) -> dict[str, Any]:
    """The body as a JSON object, its numbers exact. Raises Malformed for anything else."""
    try:
        body = json.loads(response.content, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{what}: the reply is not JSON.", url=shown(response.request.url)) from error
    if not isinstance(body, dict):
        raise Malformed(f"{what}: the reply is not a JSON object.", url=shown(response.request.url))
    return body


def text(value: object) -> str | None:
    """A JSON string that says something, as the database can keep it; else None."""
    if not isinstance(value, str):
        return None
    return _UNSTORABLE.sub("", value).strip() or None


def mapping(value: object) -> dict[str, Any]:
    """A JSON object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """A JSON list, or an empty one where something else stands."""
    return value if isinstance(value, list) else []


def count(value: object, largest: int = 2**31 - 1) -> int | None:
    """A JSON number that can be a count, else None."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = int(value) if Decimal(value).is_finite() else -1
    return number if 0 <= number <= largest else None


def retry_after_s(response: httpx.Response, now: datetime | None = None) -> float | None:
    """The vendor's wish of seconds to wait, where it sends one (as seconds or as a date)."""
    value = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,6}", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()) if moment.tzinfo else None


def shown(url: httpx.URL) -> str:
    """An address as it may be shown: without credentials."""
    return str(url.copy_with(username=None, password=None))


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
