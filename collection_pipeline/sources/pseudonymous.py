"""A source of listings whose sellers are nameless: names become keyed hashes before anything keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from collection_pipeline.core.collecting.listings import Listing, ListingPage, ListingQuery, ListingSource
from collection_pipeline.core.collecting.usage import CallLedger
from collection_pipeline.core.sellers.identity import is_nameable

OpenListings = Callable[[CallLedger], AbstractAsyncContextManager[ListingSource]]
"""Opens a source of listings for one run: one pooled client, closed at its end."""


@dataclass(frozen=True)
class PseudonymousListings:
    """Another source's listings, with `naming` applied to every seller. Implements core.listings.ListingSource."""

    source: ListingSource
    naming: Callable[[str], str]

    async def search(self, query: ListingQuery, page: int) -> ListingPage:
        """The same page without names. Raises SourceError as that source does."""
        found = await self.source.search(query, page)
        return replace(found, listings=tuple(map(self._nameless, found.listings)))

    def _nameless(self, listing: Listing) -> Listing:
        seller = listing.seller
        if seller is None or not is_nameable(seller.name):
            return replace(listing, seller=None)
        return replace(listing, seller=replace(seller, name=self.naming(seller.name)))


def pseudonymous(opening: OpenListings, naming: Callable[[str], str]) -> OpenListings:
    """A way to open the same source, nameless."""

    @asynccontextmanager
    async def opened(ledger: CallLedger) -> AsyncIterator[ListingSource]:
        async with opening(ledger) as source:
            yield PseudonymousListings(source, naming)

    return opened
