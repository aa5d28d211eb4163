"""Which category of which collection a run works on, and what becomes of it when the work fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from collection_pipeline.core.activity import Activity, Emit, Phase
from collection_pipeline.core.collections import collection_of_run
from collection_pipeline.core.errors import PipelineError, SourceError
from collection_pipeline.settings import Settings
from collection_pipeline.tables.store import Store

COLLECTION_TAG = "collection_id"
"""On every run of a collection: the UI finds a collection's runs by it."""

BACKFILL_TAG = "dagster/backfill"


@dataclass(frozen=True)
class Scope:
    """One category of one collection, being worked on by one run."""

    collection_id: str
    org_id: str
    category: str
    run_id: str

    def activity(self, phase: Phase, emit: Emit) -> Activity:
        """The events of this run and phase."""
        return Activity(emit, utc_now, self.run_id, self.collection_id, self.category, phase)


@contextmanager
def entered(context: dg.AssetExecutionContext, store: Store, settings: Settings) -> Iterator[Scope]:
    """Enters the run into its collection, which a run started by hand gets for itself.

    A PipelineError becomes the category's recorded failure and a Failure that Dagster shows without a traceback and
    does not retry: whatever deserved another attempt has had it.
    """
    run = context.run
    collection_id = run.tags.get(COLLECTION_TAG) or collection_of_run(
        run.run_id, run.root_run_id, run.tags.get(BACKFILL_TAG)
    )
    if COLLECTION_TAG not in run.tags:
        context.instance.add_run_tags(run.run_id, {COLLECTION_TAG: collection_id})
    collection = store.collections.enter(collection_id, context.partition_key, run.run_id, org_id=settings.org_id)
    scope = Scope(collection_id, collection.org_id, context.partition_key, run.run_id)
    try:
        yield scope
    except PipelineError as error:
        store.collections.category_failed(collection_id, scope.category, error)
        raise dg.Failure(description=str(error), metadata=_facts(error), allow_retries=False) from error


def _facts(error: PipelineError) -> dict[str, str]:
    facts = {"kind": error.kind}
    if isinstance(error, SourceError):
        facts |= {"stage": error.stage, "url": error.url or "–"}
    return facts


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)
