"""HTTP for every source: one pooled client a run, bounded answers, exact JSON, and every failure given its kind once.

Nothing is retried here: `core.retrying` decides that, for all sources alike.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import zlib
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx

from collection_pipeline.core.collecting.usage import AnswerLimits
from collection_pipeline.core.errors import Garbled, Malformed, Oversized, Transient

MAX_CONNECTIONS = 10
"""A run has five workers, each with one request in flight."""


DEFAULT_ANSWER_LIMITS = AnswerLimits()


class BoundedClient(httpx.AsyncClient):
    """A client whose answers `send` keeps within limits."""

    limits = DEFAULT_ANSWER_LIMITS


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL and lone surrogates are legal in JSON strings and illegal in Postgres text."""

LONGEST_QUOTE = 200
"""Characters of a vendor's own words that an error repeats; an edge's page can be any size."""

_SECRET = re.compile(r"token|secret|password|signature|api_?key", re.IGNORECASE)


@cache
def trusted_authorities() -> ssl.SSLContext:
    """Whose certificates are believed. Reading them takes as long as a dozen requests, so a process does it once."""
    return httpx.create_ssl_context()


def pooled_client(url: str, *, read_timeout_s: float, limits: AnswerLimits = DEFAULT_ANSWER_LIMITS) -> BoundedClient:
    """A client for one vendor, with a pool of its own. To be closed by whoever opened it."""
    client = BoundedClient(
        base_url=url,
        verify=trusted_authorities(),
        timeout=httpx.Timeout(30, connect=10, read=min(read_timeout_s, limits.deadline_s), pool=60),
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
        follow_redirects=False,
        headers={"Accept-Encoding": "gzip"},  # the one that is unpacked here, bit by bit
    )
    client.limits = limits
    return client


async def send(
    client: httpx.AsyncClient, request: httpx.Request, what: str, auth: httpx.Auth | None = None
) -> httpx.Response:
    """The whole response to a request, whatever its status. `what` names the attempt in errors.

    Raises Transient where no whole response came (timeouts, refused and dropped connections), Garbled where it cannot
    be unpacked, and Oversized where it is larger than it may be.
    """
    limits = client.limits if isinstance(client, BoundedClient) else DEFAULT_ANSWER_LIMITS
    url = shown(request.url)
    try:
        async with asyncio.timeout(limits.deadline_s):
            response = await client.send(request, auth=auth, stream=True)
            try:
                body = await _whole_body(response, limits.largest, what, url)
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise Transient(
            f"{what}: the answer was not complete after {limits.deadline_s:g} s. Trying again may help.", url=url
        ) from error
    except httpx.TimeoutException as error:
        raise Transient(
            f"{what}: no answer in time ({type(error).__name__}). Trying again may help.", url=url
        ) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise Transient(
            f"{what}: the connection failed ({type(error).__name__}). Trying again may help; if it goes on, check the "
            "network and the address.",
            url=url,
        ) from error
    headers = [pair for pair in response.headers.multi_items() if pair[0] not in _ABOUT_TRANSFER]
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)


_ABOUT_TRANSFER = ("content-encoding", "content-length", "transfer-encoding")
"""Headers that are not true any more of a body that was read and unpacked."""


async def _whole_body(response: httpx.Response, largest: int, what: str, url: str) -> bytes:
    """The body, unpacked. No more than `largest` bytes of it are ever in memory, however well they were packed."""
    if response.is_stream_consumed:  # a transport that answers from memory has it whole
        return response.content
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise Garbled(f"{what}: the answer is packed as {quoted(encoding)}, which was not asked for.", url=url)
    unpacker = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        try:
            body += chunk if unpacker is None else unpacker.decompress(chunk, largest - len(body) + 1)
        except zlib.error as error:
            raise Garbled(f"{what}: the answer cannot be unpacked. Trying again may help.", url=url) from error
        if len(body) > largest:
            raise Oversized(
                f"{what}: the answer is larger than {largest / 2**20:g} MB and was not read to its end. If such "
                "answers are right, raise COLLECTION_ANSWER_LIMIT_MB.",
                url=url,
            )
    if unpacker is not None and body and not unpacker.eof:
        raise Garbled(f"{what}: the answer was cut off. Trying again may help.", url=url)
    return bytes(body)


def json_object(response: httpx.Response, what: str) -> dict[str, Any]:
    """The body as a JSON object, its numbers exact.

    Raises Garbled for what is no JSON, or `null`; Malformed for JSON of another shape.
    """
    url = shown(response.request.url)
    try:
        body = json.loads(response.content, parse_float=Decimal, parse_constant=_refuse)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Garbled(f"{what}: the reply is not JSON, or was cut off. Trying again may help.", url=url) from error
    except (
        ValueError,
        ArithmeticError,
        RecursionError,
    ) as error:  # endless numbers and brackets
        raise Malformed(f"{what}: the reply is JSON that cannot be read exactly.", url=url) from error
    if body is None:
        raise Garbled(f"{what}: the reply is empty (`null`). Trying again may help.", url=url)
    if not isinstance(body, dict):
        raise Malformed(f"{what}: the reply is not a JSON object.", url=url)
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
    """How many seconds the vendor asks us to wait, where it does (as seconds or as a date)."""
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
