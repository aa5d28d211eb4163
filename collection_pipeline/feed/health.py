"""Whether this server can do its work: what a load balancer, or Kubernetes, asks every few seconds.

Anybody may ask, token or not, because no probe brings one. So an answer names no host, no database and nothing that was
collected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.feed.reading import UNREACHABLE
from collection_pipeline.tables.schema.version import require_current_schema

ANSWERS_WITHIN_S = 2.0
"""A database that takes longer for two short statements counts as away. Kubernetes waits as long as it is told to."""

IN_ORDER = "ok"

NO_ANSWER = "The database does not answer. Start it, or correct COLLECTION_DATABASE_URL."
NOT_KNOWN = "Unknown while the database does not answer."
NOT_LISTENING = (
    "New events are not announced to this server at the moment; it connects again by itself. If that lasts, its log "
    "says why. LISTEN needs a session: behind a pooler, COLLECTION_DATABASE_DIRECT_URL has to lead around it."
)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What is in order, and what is not, in one sentence each."""

    ready: bool
    checks: Mapping[str, str]
    """`database`, `schema` and `listener`: "ok", or what is wrong and what to do."""


def readiness(database: Mapping[str, str], *, is_listening: bool) -> Readiness:
    """The server is ready if the database answers, its schema is the code's, and new events are announced to it."""
    checks = {**database, "listener": IN_ORDER if is_listening else NOT_LISTENING}
    return Readiness(all(found == IN_ORDER for found in checks.values()), checks)


AWAY = {"database": NO_ANSWER, "schema": NOT_KNOWN}


def database_checks(engine: sa.Engine) -> dict[str, str]:
    """How the database is: whether it answers, and whether its schema is the code's."""
    try:
        require_current_schema(engine)
    except PipelineError as error:
        return {"database": IN_ORDER, "schema": str(error)}
    except UNREACHABLE:
        return dict(AWAY)
    return {"database": IN_ORDER, "schema": IN_ORDER}
