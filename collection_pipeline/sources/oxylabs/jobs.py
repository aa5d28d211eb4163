"""Jobs of the Oxylabs Web Scraper API, Realtime: one page fetched by one call (docs/sources.md 2.1 and 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from collection_pipeline.core.collecting.usage import Call, CallLedger
from collection_pipeline.core.errors import (
    FaultedJob,
    Malformed,
    RateLimited,
    Rejected,
    SourceError,
    Transient,
    Unauthorised,
)
from collection_pipeline.sources.discretion import Secrets
from collection_pipeline.sources.http import (
    json_object,
    mapping,
    quoted,
    retry_after_s,
    send,
    sequence,
    shown,
    text,
)

READ_TIMEOUT_S = 180
"""The vendor gives up on a rendered page after 150 s and says so at about 160 s (docs/sources.md 2.1)."""


@dataclass(frozen=True)
class OxylabsAccount:
    """Where Realtime answers, and who asks. The password is not part of the representation."""

    url: str
    username: str
    password: str = field(repr=False)

    @property
    def secrets(self) -> Secrets:
        """What no error may repeat."""
        return Secrets(self.username, self.password)


class OxylabsJobs:
    """Runs jobs one by one, each counted in the ledger before it is sent."""

    def __init__(
        self, account: OxylabsAccount, client: httpx.AsyncClient, ledger: CallLedger, *, clock: Callable[[], datetime]
    ) -> None:
        self._auth = httpx.BasicAuth(account.username, account.password)
        self._client = client
        self._ledger = ledger
        self._clock = clock

    async def run(self, job: Mapping[str, object], call: Call, what: str) -> tuple[dict[str, Any], str]:
        """The reply to a job that was accepted, and the address that was asked. Raises SourceError.

        An accepted job may still have failed: `finished` tells.
        """
        request = self._client.build_request("POST", "/v1/queries", json=dict(job))
        async with self._ledger.call(call):
            response = await send(self._client, request, what, self._auth)
        if (rate := allowed_per_s(response)) is not None:
            await self._ledger.observed("oxylabs", rate)
        require_success(response, what, self._clock())
        return json_object(response, what), shown(request.url)


def allowed_per_s(response: httpx.Response) -> int | None:
    """The lowest of the rates in the response's headers, in pages a second, or None where it has none.

    The headers carry a uuid in their middle, `x-ratelimit-total-requests-<uuid>-limit`, so they are known by their
    two ends (docs/sources.md 2.3).
    """
    limits = [
        int(value)
        for name, value in response.headers.items()
        if name.startswith("x-ratelimit-") and name.endswith("-limit") and value.isdecimal() and len(value) < 10
    ]
    return min(limits, default=None)


def require_success(response: httpx.Response, what: str, now: datetime) -> None:
    """Raises the SourceError that an HTTP status means (docs/sources.md 2.3)."""
    status, url = response.status_code, shown(response.request.url)
    if status == 200:
        return
    if status in (401, 403):
        raise Unauthorised(
            f"{what}: Oxylabs does not accept the credentials (HTTP {status}). Check OXYLABS_USERNAME and "
            "OXYLABS_PASSWORD: they are those of an API user, not of the dashboard.",
            url=url,
        )
    if status == 429:
        raise RateLimited(
            f"{what}: too many requests for Oxylabs ({_message(response)}).",
            url=url,
            retry_after_s=retry_after_s(response, now),
        )
    if status in (204, 408):
        raise FaultedJob(f"{what}: Oxylabs could not do it in time (HTTP {status}). Trying again may help.", url=url)
    if status >= 500:
        raise Transient(f"{what}: Oxylabs had a problem (HTTP {status}). Trying again may help.", url=url)
    raise Rejected(f"{what}: Oxylabs refuses the request (HTTP {status}: {_message(response)}).", url=url)


def finished(body: dict[str, Any], what: str, url: str, target: str) -> dict[str, Any]:
    """The one result of a job that was done and whose page came; HTTP 200 says neither (docs/sources.md 2.3).

    `target` is whose page it is, for errors. Raises SourceError.
    """
    job = mapping(body.get("job")).get("status", "done")
    results = sequence(body.get("results"))
    result = mapping(results[0]) if results else {}
    status = result.get("status_code")
    if job == "faulted" or status in (612, 613):
        raise FaultedJob(f"{what}: the job faulted ({quoted(status)}). Trying again may help.", url=url)
    if job != "done" or not results:
        raise Malformed(f"{what}: the job is {quoted(job)!r} with {len(results)} results.", url=url)
    if status != 200:
        kind = Transient if isinstance(status, int) and (status >= 500 or status == 429) else Malformed
        raise kind(f"{what}: {target} answered with status {quoted(status)}.", url=url)
    return result


def _message(response: httpx.Response) -> str:
    try:
        body = json_object(response, "")
    except SourceError:
        return "no reason given"
    said = text(body.get("message")) or ", ".join(filter(None, map(text, sequence(body.get("errors")))))
    return quoted(said or "no reason given")
