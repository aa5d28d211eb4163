"""eBay's application tokens: minted once, shared by all workers, renewed before they expire (docs/sources.md 1.1)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

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

    @property
    def fingerprint(self) -> str:
        """What tells whose a kept token is, without saying who that is."""
        return hashlib.sha256("\0".join((self.url, self.client_id, self.client_secret)).encode()).hexdigest()


@dataclass(frozen=True)
class EbayToken:
    """A token, which is a secret, and until when it is used."""

    value: str = field(repr=False)
    good_until: datetime


class SharedToken(Protocol):
    """Where processes leave a token for each other."""

    def alone(self) -> AbstractAsyncContextManager[None]:
        """While this is open, no other process mints."""
        ...

    def read(self, fingerprint: str) -> EbayToken | None:
        """What was left for the account of this fingerprint, good or not."""
        ...

    def write(self, fingerprint: str, token: EbayToken) -> None:
        """Leaves a token."""
        ...


class NotShared:
    """Every process mints for itself. Implements SharedToken."""

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Nobody to wait for."""
        yield

    def read(self, fingerprint: str) -> None:
        """Nothing was left."""

    def write(self, fingerprint: str, token: EbayToken) -> None:
        """Leaves nothing."""


NOT_SHARED = NotShared()


class EbayTokens:
    """The current token. Of several workers that need a new one, one fetches it (1,000 may be minted a day)."""

    def __init__(
        self,
        account: EbayAccount,
        client: httpx.AsyncClient,
        ledger: CallLedger,
        clock: Callable[[], datetime],
        shared: SharedToken,
    ) -> None:
        self._auth = httpx.BasicAuth(account.client_id, account.client_secret)
        self._fingerprint = account.fingerprint
        self._client = client
        self._ledger = ledger
        self._clock = clock
        self._shared = shared
        self._renewing = asyncio.Lock()
        self._token: EbayToken | None = None
        self._refused: str | None = None

    async def current(self) -> str:
        """A token that is good for at least as long as a search takes. Raises SourceError."""
        async with self._renewing:
            if self._token is None or not self._is_good(self._token):
                self._token = await self._left_or_minted()
            return self._token.value

    def refuse(self, token: str) -> None:
        """eBay did not accept this token: the next one is fetched anew, once, however many workers say so."""
        if self._token is not None and token == self._token.value:
            self._token, self._refused = None, token

    async def _left_or_minted(self) -> EbayToken:
        async with self._shared.alone():
            left = self._shared.read(self._fingerprint)
            if left is not None and self._is_good(left) and left.value != self._refused:
                return left
            value, lifetime = await self._mint()
            minted = EbayToken(value, self._clock() + max(lifetime - RENEWED_BEFORE, lifetime / 2))
            self._shared.write(self._fingerprint, minted)
            return minted

    def _is_good(self, token: EbayToken) -> bool:
        return self._clock() < token.good_until

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
