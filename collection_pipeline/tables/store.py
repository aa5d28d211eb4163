"""All stores on one engine: what the layers above hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa

from collection_pipeline.core.collecting.usage import DEFAULT_LIMITS, Limits, Source
from collection_pipeline.core.sellers.pseudonyms import plain
from collection_pipeline.tables.catalogue import CatalogueStore
from collection_pipeline.tables.collecting.candidates import CandidateStore
from collection_pipeline.tables.collecting.collections import CollectionStore
from collection_pipeline.tables.collecting.control import CollectionControl
from collection_pipeline.tables.collecting.governor import Governor
from collection_pipeline.tables.collecting.judgements import JudgementStore
from collection_pipeline.tables.collecting.listing_views import ListingViews
from collection_pipeline.tables.collecting.matches import MatchStore
from collection_pipeline.tables.collecting.products import ProductStore
from collection_pipeline.tables.collecting.searches import SearchStore
from collection_pipeline.tables.schema.time_limits import LIST_LIMIT_S, raise_took_too_long
from collection_pipeline.tables.schema.version import require_current_schema
from collection_pipeline.tables.sellers.edits import Naming, SellerEdits
from collection_pipeline.tables.sellers.erasing import SellerErasure
from collection_pipeline.tables.sellers.exports import ExportStore
from collection_pipeline.tables.sellers.history import HistoryStore
from collection_pipeline.tables.sellers.key_change_decisions import KeyChangeStore
from collection_pipeline.tables.sellers.seller_list import SellerStore
from collection_pipeline.tables.sellers.snapshots import SnapshotStore
from collection_pipeline.tables.server.database import create_engine, reachable
from collection_pipeline.tables.server.purging import PurgeStore
from collection_pipeline.tables.watching.activity import ActivityStore
from collection_pipeline.tables.watching.quality import QualityStore


class Store:
    """The output tables, one store per noun."""

    def __init__(
        self,
        engine: sa.Engine,
        limits: Mapping[Source, Limits] = DEFAULT_LIMITS,
        naming: Naming = plain,
        direct_url: sa.URL | None = None,
    ) -> None:
        self.engine = engine
        self.direct_url = direct_url or engine.url
        """Where announcements are heard: the engine's own address unless that leads through a pooler."""
        self.catalogue = CatalogueStore(engine)
        self.collections = CollectionStore(engine)
        self.control = CollectionControl(engine)
        self.products = ProductStore(engine)
        self.searches = SearchStore(engine)
        self.matches = MatchStore(engine)
        self.listings = ListingViews(engine)
        self.judgements = JudgementStore(engine)
        self.candidates = CandidateStore(engine)
        self.sellers = SellerStore(engine)
        self.quality = QualityStore(engine)
        self.snapshots = SnapshotStore(engine)
        self.activity = ActivityStore(engine)
        self.governor = Governor(engine, limits)
        self.edits = SellerEdits(engine, naming)
        self.history = HistoryStore(engine)
        self.exports = ExportStore(engine)
        self.key_changes = KeyChangeStore(engine)
        self.erasure = SellerErasure(engine, naming)
        self.purges = PurgeStore(engine)


@contextmanager
def open_store(
    url: sa.URL,
    limits: Mapping[Source, Limits] = DEFAULT_LIMITS,
    naming: Naming = plain,
    *,
    list_limit_s: int = LIST_LIMIT_S,
    direct_url: sa.URL | None = None,
) -> Iterator[Store]:
    """The stores of a database that answers and has this code's schema; closed afterwards. Raises PipelineError.

    `limits` are what the governor keeps all runs to; `naming` is what sellers' names are kept as; `list_limit_s` is how
    long, in seconds, a statement may hold a seller list; `direct_url` leads to the same database around a pooler.
    """
    with reachable(create_engine(url)) as engine:
        raise_took_too_long(engine, list_limit_s)
        require_current_schema(engine)
        yield Store(engine, limits, naming, direct_url)
