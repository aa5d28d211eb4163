"""Tags of runs: what the UI filters by, and how sensors recognise a run."""

from collections.abc import Mapping

import dagster as dg

from collection_pipeline.core.collecting.collections import collection_of_run

COLLECTION_TAG = "collection_id"
"""On every run of a collection: the UI finds a collection's runs by it."""

ATTEMPT_TAG = "collection_pipeline/attempt"
"""Which attempt at its category a run is; a run started by hand has none."""

PRIORITY_TAG = "dagster/priority"
"""Dagster takes the runs with the highest ones from its queue first."""

STOPPED_TAG = "stopped"
"""Why a run ended early without having failed: paused, cancelling, superseded or interrupted."""

INTERRUPTED = "interrupted"
"""Stopped because its process was told to stop, as `up` does to runs when it stops itself."""

DATA_TAG = "data"
"""`simulated` on every run of an installation whose marketplaces are simulated."""

BACKFILL_TAG = "dagster/backfill"

_FAILURE_REASON_TAG = "dagster/failure_reason"
_UNEXPECTED_TERMINATION = "UNEXPECTED_TERMINATION"


def data_tags(*, is_simulated: bool) -> dict[str, str]:
    """What the runs of an installation say of its data; nothing where they are real."""
    return {DATA_TAG: "simulated"} if is_simulated else {}


def collection_of(run: dg.DagsterRun) -> str:
    """The collection that a run belongs to; one started by hand makes its own."""
    return run.tags.get(COLLECTION_TAG) or collection_of_run(run.run_id, run.root_run_id, run.tags.get(BACKFILL_TAG))


def attempt_of(tags: Mapping[str, str]) -> int | None:
    """Which attempt at its category a run is, or None for a run that was started by hand or tagged oddly."""
    tag = tags.get(ATTEMPT_TAG, "")
    return int(tag) if tag.isdecimal() else None


def was_interrupted(tags: Mapping[str, str]) -> bool:
    """Whether a run ended because its process was told to stop: in a step of ours, or between two of them.

    The latter Dagster takes for a failure, of a kind that it notes.
    """
    return tags.get(STOPPED_TAG) == INTERRUPTED or tags.get(_FAILURE_REASON_TAG) == _UNEXPECTED_TERMINATION
