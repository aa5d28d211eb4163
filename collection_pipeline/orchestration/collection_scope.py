"""A run within its collection: how it enters, and what becomes of its category when the work fails or is stopped."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import sqlalchemy as sa

from collection_pipeline.core.activity import SYSTEM, Action, ActivityEvent, Phase
from collection_pipeline.core.collecting.category_work import CategoryWork
from collection_pipeline.core.collecting.collections import pause_for
from collection_pipeline.core.errors import DiskFull, PipelineError, SourceError, Stopped
from collection_pipeline.core.full_disks import DATABASE_IS_FULL, disk_full
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.failures import dagster_failure
from collection_pipeline.orchestration.run_tags import (
    COLLECTION_TAG,
    INTERRUPTED,
    STOPPED_TAG,
    attempt_of,
    collection_of,
)
from collection_pipeline.orchestration.running_work import write_events
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.server.embedded import is_out_of_room
from collection_pipeline.tables.store import Store

PAUSE_PATIENCE_S = 60
"""How long a run tries to write down that it ends for want of room, before it ends without."""


@contextmanager
def collection_scope(context: dg.AssetExecutionContext, store: Store, settings: Settings) -> Iterator[CategoryWork]:
    """Enters the run into its collection, which a run started by hand gets for itself.

    A PipelineError becomes the category's recorded failure and a Failure that Dagster shows without a traceback and
    does not retry. One that would meet every other category too pauses the whole collection instead. A stop that
    somebody asked for ends the run as canceled, not as failed; so does a signal to its process.
    """
    run = context.run
    collection_id = collection_of(run)
    if COLLECTION_TAG not in run.tags:
        context.instance.add_run_tags(run.run_id, {COLLECTION_TAG: collection_id})
    work = CategoryWork(settings.org_id, collection_id, context.partition_key, run.run_id)
    try:
        yield _entered(context, store, work)
    except Stopped as stopped:
        raise _canceled(context, stopped) from None
    except dg.DagsterExecutionInterruptedError:
        if _is_asked_for(context):
            raise
        raise _canceled(
            context, Stopped(INTERRUPTED, "The process was told to stop. The next start goes on.")
        ) from None
    except PipelineError as error:
        _record_failure(context, store, work, error)
        raise dagster_failure(error) from error
    except (sa.exc.DBAPIError, OSError, ExceptionGroup) as error:
        full = disk_full(error) or _crashed_for_want_of_room(error, store, settings)
        if full is None:
            raise
        _pause_until_there_is_room(context, store, collection_id, full)
        raise dagster_failure(full) from None


def _entered(context: dg.AssetExecutionContext, store: Store, work: CategoryWork) -> CategoryWork:
    """The work, for the organisation that the collection belongs to."""
    place = store.control.enter(
        work.collection_id, work.category, work.run_id, org_id=work.org_id, attempt=attempt_of(context.run.tags)
    )
    if place.attempt > 1:
        _write_event(context, store, work, Action.RESUMED)
    return CategoryWork(place.org_id, work.collection_id, work.category, work.run_id)


def _record_failure(context: dg.AssetExecutionContext, store: Store, work: CategoryWork, error: PipelineError) -> None:
    """What has failed is the category, unless every other one would meet the same: then the collection pauses."""
    if isinstance(error, SourceError) and error.stops_collection:
        store.control.pause(work.collection_id, pause_for(error, utc_now()))
        _write_event(context, store, work, Action.PAUSED, error)
    else:
        store.control.category_failed(work.collection_id, work.category, work.run_id, error)


def _pause_until_there_is_room(
    context: dg.AssetExecutionContext, store: Store, collection_id: str, full: DiskFull
) -> None:
    """Pauses the collection, for which a full disk may still have room, or has it again a moment later.

    A run that cannot even write that ends all the same: its category is still called running, and a sensor that finds
    the run ended plans it anew as soon as that can be written.
    """
    gives_up_at = time.monotonic() + PAUSE_PATIENCE_S
    while True:
        try:
            store.control.pause(collection_id, pause_for(full, utc_now()))
        except sa.exc.DBAPIError:
            if time.monotonic() > gives_up_at:
                context.log.warning(f"{collection_id} could not be paused: {full}")
                return
            time.sleep(1)
        else:
            return


def _crashed_for_want_of_room(error: Exception, store: Store, settings: Settings) -> DiskFull | None:
    """The embedded server ends when its log does not fit the disk any more, and can only be seen to be away then."""
    is_ours = str(store.engine.url.query.get("host", "")).startswith("/")
    is_away = isinstance(error, sa.exc.OperationalError) and is_ours and is_out_of_room(settings.home)
    return DiskFull(DATABASE_IS_FULL) if is_away else None


def _write_event(
    context: dg.AssetExecutionContext,
    store: Store,
    work: CategoryWork,
    action: Action,
    error: SourceError | None = None,
) -> None:
    events: list[ActivityEvent] = []
    phase: Phase = "amazon" if context.asset_key.path[-1].startswith("amazon") else "ebay"
    work.activity(phase, events.append, utc_now).record(SYSTEM, action, error=error)
    write_events(context, store, events)


def _canceled(context: dg.AssetExecutionContext, stopped: Stopped) -> BaseException:
    """What to raise so that the run ends as canceled. Dagster takes an interruption for a failure unless it was asked
    for, so the run asks for it itself.
    """
    context.log.warning(str(stopped))
    context.instance.add_run_tags(context.run_id, {STOPPED_TAG: stopped.status})
    context.instance.report_run_canceling(context.run)
    return dg.DagsterExecutionInterruptedError(str(stopped))


def _is_asked_for(context: dg.AssetExecutionContext) -> bool:
    """Whether somebody terminated the run through Dagster."""
    run = context.instance.get_run_by_id(context.run_id)
    return run is None or run.status is dg.DagsterRunStatus.CANCELING
