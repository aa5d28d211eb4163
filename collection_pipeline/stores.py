"""The stores as the settings want them: where the tables are, what the governor keeps to, how names are kept.

Everybody who opens the stores does it here, so that no setting is forgotten on any path.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables import store
from collection_pipeline.tables.server.database import database_url
from collection_pipeline.tables.server.locating import application_database
from collection_pipeline.tables.store import Store


@contextmanager
def open_store(settings: Settings, url: sa.URL | None = None) -> Iterator[Store]:
    """The stores of the settings' database, or of the one at `url`. Raises PipelineError if they cannot be opened.

    The embedded server is started if need be, and left as it was found.
    """
    if url is None:
        with application_database(settings) as found, open_store(settings, found) as opened:
            yield opened
    else:
        direct = settings.database_direct_url
        with store.open_store(
            url,
            settings.limits,
            settings.naming,
            list_limit_s=settings.list_limit_s,
            direct_url=None if direct is None else database_url(direct, "COLLECTION_DATABASE_DIRECT_URL"),
        ) as opened:
            yield opened
