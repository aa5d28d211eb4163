"""The eBay token that the processes of one machine share: 1,000 may be minted a day, and every category is a run."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import fasteners

from collection_pipeline.sources.ebay.token import EbayToken
from collection_pipeline.tables.server.private_folders import write_private

PATIENCE_S = 30.0
"""How long another process may mint. One that hangs keeps nobody from collecting: who waited so long mints as well."""

LOOKED_EVERY_S = 0.02


class TokenFile:
    """A token in COLLECTION_HOME, where only its user reads. Implements sources.ebay.token.SharedToken.

    Nothing depends on it: where the folder cannot be written to, as in a container, each process mints for itself.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / "ebay_token.json"

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """While this is open, no other process of this home is in it, unless one of them hangs."""
        lock = fasteners.InterProcessLock(self._file.with_suffix(".lock"))
        with suppress(OSError):
            deadline = time.monotonic() + PATIENCE_S
            while not lock.acquire(blocking=False) and time.monotonic() < deadline:
                await asyncio.sleep(LOOKED_EVERY_S)
        try:
            yield
        finally:
            if lock.acquired:
                lock.release()

    def read(self, fingerprint: str) -> EbayToken | None:
        """The token that was left for this account; None where there is none, or nothing that can be read."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            left = json.loads(self._file.read_text())
            if left["account"] == fingerprint:
                return EbayToken(str(left["token"]), datetime.fromisoformat(left["good_until"]).astimezone(UTC))
        return None

    def write(self, fingerprint: str, token: EbayToken) -> None:
        """Leaves a token in place of what was there."""
        left = {"account": fingerprint, "token": token.value, "good_until": token.good_until.isoformat()}
        with suppress(OSError):
            write_private(self._file, json.dumps(left))
