"""Cutting our own credentials out of a vendor's messages: some echo a request, headers and all, in their errors.

Every source is opened behind one of these classes (opening.py), so that no error leaves `sources` with a secret in it,
whoever made its sentence.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from collection_pipeline.core.collecting.listings import ListingPage, ListingQuery, ListingSource
from collection_pipeline.core.collecting.products import BestSellerPage, BestSellerSource
from collection_pipeline.core.errors import SourceError

HIDDEN = "[hidden]"

SHORTEST = 6
"""Characters of a name or secret from which on it is looked for: shorter ones are parts of ordinary words."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not be repeated: a user name or client id, and its password or secret. Never in its own repr."""

    name: str
    password: str

    def __repr__(self) -> str:
        return "Secrets()"

    def hide(self, text: str) -> str:
        """The text without them, however they are written in it."""
        return self._pattern.sub(HIDDEN, text)

    @property
    def _pattern(self) -> re.Pattern[str]:
        forms = sorted(set(self._forms()), key=len, reverse=True)  # the longest first: it may hold a shorter one
        return re.compile("|".join(map(re.escape, forms)), re.IGNORECASE)

    def _forms(self) -> Iterable[str]:
        pair = f"{self.name}:{self.password}"
        for secret in (pair, *(one for one in (self.password, self.name) if len(one) >= SHORTEST)):
            encoded = base64.b64encode(secret.encode()).decode()
            yield from (secret, encoded, encoded.rstrip("="), quote(encoded, safe=""))
            yield from (quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1])


@contextmanager
def without(secrets: Secrets) -> Iterator[None]:
    """Cuts secrets out of a SourceError on its way through."""
    try:
        yield
    except SourceError as error:
        error.args = (secrets.hide(str(error)),)
        error.url = None if error.url is None else secrets.hide(error.url)
        raise


@dataclass(frozen=True, slots=True)
class DiscreetListings:
    """A source of listings that keeps secrets. Implements core.listings.ListingSource."""

    source: ListingSource
    secrets: Secrets

    async def search(self, query: ListingQuery, page: int) -> ListingPage:
        """The same as the source's. Raises SourceError."""
        with without(self.secrets):
            return await self.source.search(query, page)


@dataclass(frozen=True, slots=True)
class DiscreetBestSellers:
    """A source of best sellers that keeps secrets. Implements core.products.BestSellerSource."""

    source: BestSellerSource
    secrets: Secrets

    async def best_sellers(self, node: str, page: int) -> BestSellerPage:
        """The same as the source's. Raises SourceError."""
        with without(self.secrets):
            return await self.source.best_sellers(node, page)
