"""Which category of which collection a run works on, and what becomes of it when the work fails or is stopped."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import sqlalchemy as sa

from collection_pipeline.core.activity import SYSTEM, Action, Activity, ActivityEvent, Emit, Phase
from collection_pipeline.core.collecting.collections import collection_of_run, pause_for
from collection_pipeline.core.errors import DiskFull, PipelineError, SourceError, Stopped
from collection_pipeline.core.full_disks import DATABASE_IS_FULL, disk_full
from collection_pipeline.orchestration.reporting import write
from collection_pipeline.settings import Settings
from collection_pipeline.tables.server.embedded import is_out_of_room
from collection_pipeline.tables.store import Store

COLLECTION_TAG = "collection_id"
"""On every run of a collection: the UI finds a collection's runs by it."""

ATTEMPT_TAG = "collection_pipeline/attempt"
"""Which attempt at its category a run is; a run started by hand has none."""

STOPPED_TAG = "stopped"
"""Why a run ended early without having failed: paused, cancelling, superseded or interrupted."""

INTERRUPTED = "interrupted"
"""Stopped because its process was told to stop, as `up` does to runs when it stops itself."""

BACKFILL_TAG = "dagster/backfill"

_FAILURE_REASON_TAG = "dagster/failure_reason"
_UNEXPECTED_TERMINATION = "UNEXPECTED_TERMINATION"

PAUSE_PATIENCE_S = 60
"""How long a run tries to write down that it ends for want of room, before it ends without."""


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

    def require_wanted(self, store: Store) -> None:
        """Raises Stopped if somebody has paused or cancelled the collection, or another run took over."""
        store.control.require_wanted(self.collection_id, self.category, self.run_id)


def collection_of(run: dg.DagsterRun) -> str:
    """The collection that a run belongs to; one started by hand makes its own."""
    return run.tags.get(COLLECTION_TAG) or collection_of_run(run.run_id, run.root_run_id, run.tags.get(BACKFILL_TAG))


@contextmanager
def entered(context: dg.AssetExecutionContext, store: Store, settings: Settings) -> Iterator[Scope]:
    """Enters the run into its collection, which a run started by hand gets for itself.

    A PipelineError becomes the category's recorded failure and a Failure that Dagster shows without a traceback and
    does not retry: whatever deserved another attempt has had it. One that would meet every other category too pauses
    the whole collection instead. A stop that somebody asked for ends the run as canceled, not as failed; so does a
    signal to its process.
    """
    run = context.run
    collection_id = collection_of(run)
    if COLLECTION_TAG not in run.tags:
        context.instance.add_run_tags(run.run_id, {COLLECTION_TAG: collection_id})
    category = context.partition_key
    try:
        place = store.control.enter(
            collection_id, category, run.run_id, org_id=settings.org_id, attempt=attempt_of(run.tags)
        )
        if place.attempt > 1:
            _write_event(context, store, collection_id, Action.RESUMED)
        yield Scope(collection_id, place.org_id, category, run.run_id)
    except Stopped as stopped:
        raise _canceled(context, stopped) from None
    except dg.DagsterExecutionInterruptedError:
        if _is_asked_for(context):
            raise
        raise _canceled(
            context, Stopped(INTERRUPTED, "The process was told to stop. The next start goes on.")
        ) from None
    except PipelineError as error:
        if isinstance(error, SourceError) and error.stops_collection:
            store.control.pause(collection_id, pause_for(error, utc_now()))
            _write_event(context, store, collection_id, Action.PAUSED, error)
        else:
            store.control.category_failed(collection_id, category, run.run_id, error)
        raise dg.Failure(description=str(error), metadata=_facts(error), allow_retries=False) from error
    except (sa.exc.DBAPIError, OSError, ExceptionGroup) as error:
        full = disk_full(error) or _crashed_for_want_of_room(error, store, settings)
        if full is None:
            raise
        _pause_until_there_is_room(context, store, collection_id, full)
        raise dg.Failure(description=str(full), metadata=_facts(full), allow_retries=False) from None


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


@contextmanager
def told_plainly() -> Iterator[None]:
    """Makes a PipelineError a Failure that Dagster shows as one sentence, without a traceback or a retry."""
    try:
        yield
    except PipelineError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    except (sa.exc.DBAPIError, OSError) as error:
        full = disk_full(error)
        if full is None:
            raise
        raise dg.Failure(description=str(full), allow_retries=False) from None


def attempt_of(tags: Mapping[str, str]) -> int | None:
    """Which attempt at its category a run is, or None for a run that was started by hand or tagged oddly."""
    tag = tags.get(ATTEMPT_TAG, "")
    return int(tag) if tag.isdecimal() else None


def was_interrupted(tags: Mapping[str, str]) -> bool:
    """Whether a run ended because its process was told to stop: in a step of ours, or between two of them.

    The latter Dagster takes for a failure, of a kind that it notes.
    """
    return tags.get(STOPPED_TAG) == INTERRUPTED or tags.get(_FAILURE_REASON_TAG) == _UNEXPECTED_TERMINATION


def _write_event(
    context: dg.AssetExecutionContext,
    store: Store,
    collection_id: str,
    action: Action,
    error: SourceError | None = None,
) -> None:
    events: list[ActivityEvent] = []
    phase: Phase = "amazon" if context.asset_key.path[-1].startswith("amazon") else "ebay"
    activity = Activity(events.append, utc_now, context.run_id, collection_id, context.partition_key, phase)
    activity.record(SYSTEM, action, error=error)
    write(context, store, events)


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


def _facts(error: PipelineError) -> dict[str, str]:
    facts = {"kind": error.kind}
    if isinstance(error, SourceError):
        facts |= {"stage": error.stage, "url": error.url or "–"}
    return facts


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)
