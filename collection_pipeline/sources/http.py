"""HTTP for every source: one pooled client a run, exact JSON, and every failure given its kind once.

Nothing is retried here: `core.retrying` decides that, for all sources alike.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from collection_pipeline.core.errors import Malformed, Transient

MAX_CONNECTIONS = 10
"""A run has five workers, each with one request in flight."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL and lone surrogates are legal in JSON strings and illegal in Postgres text."""

LONGEST_QUOTE = 200
"""Characters of a vendor's own words that an error repeats; an edge's page can be any size."""

_SECRET = re.compile(r"token|secret|password|signature|api_?key", re.IGNORECASE)


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
    except (ValueError, ArithmeticError, RecursionError) as error:  # Arithmetic: an exponent beyond Decimal's own
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
    """A JSON number that can be a count, else None. Compared before it is converted: 1e9999999 has that many digits."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if isinstance(value, Decimal) and not value.is_finite():
        return None
    return int(value) if 0 <= value <= largest and value == int(value) else None


def quoted(value: object) -> str:
    """A vendor's own word as it may stand in an error: storable, and not longer than a sentence."""
    if value is not None and not isinstance(value, str | int | Decimal):
        return f"a JSON {'object' if isinstance(value, dict) else 'list'}"
    words = _UNSTORABLE.sub("", str(value)).strip()
    return words if len(words) <= LONGEST_QUOTE else words[: LONGEST_QUOTE - 1] + "…"


def retry_after_s(response: httpx.Response, now: datetime) -> float | None:
    """The vendor's wish of seconds to wait, where it sends one (as seconds or as a date)."""
    value = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,6}", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment - now).total_seconds()) if moment.tzinfo else None


def shown(url: httpx.URL) -> str:
    """An address as it may be shown: without credentials, whether before the host or among its parameters."""
    bare = url.copy_with(username=None, password=None)
    if secrets := [name for name in bare.params if _SECRET.search(name)]:
        bare = bare.copy_merge_params(dict.fromkeys(secrets, "hidden"))
    return str(bare)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
