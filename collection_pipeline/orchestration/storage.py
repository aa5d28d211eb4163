"""Dagster's own storage: the Postgres that the settings name, or the embedded one, started when somebody needs it.

dagster.yaml could name an environment variable instead, but has no way to say what to do without it; then not even
`dagster definitions validate` would work in a fresh checkout.
"""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from dagster._serdes import ConfigurableClassData

from collection_pipeline.orchestration.instance.pooled_storage import PooledPostgresStorage
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.server.locating import dagster_database

_server = ExitStack()
"""Keeps the embedded server in use, once this process has needed it, until the process ends."""


class ProjectStorage(PooledPostgresStorage):
    """PooledPostgresStorage whose address is found instead of configured."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No configuration: COLLECTION_DAGSTER_DATABASE_URL and COLLECTION_HOME say where."""
        return {}

    @classmethod
    def from_config_value(  # noqa: D102
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "ProjectStorage":
        del config_value
        settings = Settings.from_mapping(os.environ)
        url = _server.enter_context(dagster_database(settings, os.environ.get("COLLECTION_DAGSTER_DATABASE_URL")))
        return cls(postgres_url=url, inst_data=inst_data)
