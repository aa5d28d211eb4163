"""eBay's application tokens: minted once, shared by all workers, renewed before they expire (docs/sources.md 1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from collection_pipeline.core.collecting.usage import Call, CallLedger
from collection_pipeline.core.errors import Malformed, RateLimited, Rejected, SourceError, Transient, Unauthorised
from collection_pipeline.sources.discretion import Secrets
from collection_pipeline.sources.http import count, json_object, quoted, retry_after_s, send, shown, text

SCOPE = "https://api.ebay.com/oauth/api_scope"
RENEWED_BEFORE = timedelta(seconds=300)
"""A token that is about to expire is not used: a slow search would outlive it."""

_CALL = Call("ebay", "token")
_WHAT = "eBay token"


@dataclass(frozen=True)
class EbayAccount:
    """Where eBay's API answers, and which application asks. The secret is not part of the representation."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    marketplace: str = "EBAY_US"

    @property
    def secrets(self) -> Secrets:
        """What no error may repeat."""
        return Secrets(self.client_id, self.client_secret)


class EbayTokens:
    """The current token. Of several workers that need a new one, one fetches it (1,000 may be minted a day)."""

    def __init__(
        self, account: EbayAccount, client: httpx.AsyncClient, ledger: CallLedger, clock: Callable[[], datetime]
    ) -> None:
        self._auth = httpx.BasicAuth(account.client_id, account.client_secret)
        self._client = client
        self._ledger = ledger
        self._clock = clock
        self._minting = asyncio.Lock()
        self._token: str | None = None
        self._good_until: datetime | None = None

    async def current(self) -> str:
        """A token that is good for at least as long as a search takes. Raises SourceError."""
        async with self._minting:
            if self._token is None or self._good_until is None or self._clock() >= self._good_until:
                self._token, lifetime = await self._mint()
                self._good_until = self._clock() + max(lifetime - RENEWED_BEFORE, lifetime / 2)
            return self._token

    def refuse(self, token: str) -> None:
        """eBay did not accept this token: the next one is fetched anew, once, however many workers say so."""
        if token == self._token:
            self._token = None

    async def _mint(self) -> tuple[str, timedelta]:
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        request = self._client.build_request("POST", "/identity/v1/oauth2/token", data=form)
        async with self._ledger.call(_CALL):
            response = await send(self._client, request, _WHAT, self._auth)
        _require_success(response, self._clock())
        body = json_object(response, _WHAT)
        token, seconds = text(body.get("access_token")), count(body.get("expires_in"))
        # One that is no header's value would be quoted by the error of sending it.
        if token is None or not (token.isascii() and token.isprintable()) or not seconds:
            raise Malformed(f"{_WHAT}: the reply has no token or no lifetime.", url=shown(request.url))
        return token, timedelta(seconds=seconds)


def _require_success(response: httpx.Response, now: datetime) -> None:
    status, url = response.status_code, shown(response.request.url)
    if status == 200:
        return
    if status == 429:
        raise RateLimited(f"{_WHAT}: too many requests.", url=url, retry_after_s=retry_after_s(response, now))
    if status >= 500 or status == 408:
        raise Transient(f"{_WHAT}: eBay had a problem (HTTP {status}). Trying again may help.", url=url)
    try:
        reason = quoted(text(json_object(response, _WHAT).get("error_description")) or "no reason given")
    except SourceError:
        reason = "no reason given"
    if status in (401, 403):
        raise Unauthorised(
            f"{_WHAT}: eBay does not accept the application ({reason}). Check EBAY_CLIENT_ID and EBAY_CLIENT_SECRET, "
            "and that the keyset is not disabled for want of marketplace account deletion notifications.",
            url=url,
        )
    raise Rejected(f"{_WHAT}: eBay refuses the request (HTTP {status}: {reason}).", url=url)
