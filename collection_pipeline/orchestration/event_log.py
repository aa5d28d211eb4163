"""Writing many structured events into Dagster's log at once.

One `context.log_event` costs 6 ms on Postgres, because the storage opens a connection for every event; a run with 300
events would spend two seconds on them. The storage's own batch insert takes 0.2 ms an event. It is public on the
storage, but the data class of an observation event is not exported, so this file owns that one private import.
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.events import AssetObservationData


def log_observations(
    context: dg.AssetExecutionContext, observations: Sequence[tuple[dg.AssetObservation, float, int]]
) -> None:
    """Stores observations on the run's current step, each with its time (seconds since 1970) and logging level."""
    step_key = context.op_execution_context.get_step_execution_context().step.key
    entries = [
        dg.EventLogEntry(  # type: ignore[no-untyped-call]
            error_info=None,
            level=level,
            user_message=observation.description or "",
            run_id=context.run_id,
            timestamp=timestamp,
            step_key=step_key,
            job_name=context.job_name,
            dagster_event=dg.DagsterEvent(
                event_type_value=dg.DagsterEventType.ASSET_OBSERVATION.value,
                job_name=context.job_name,
                step_key=step_key,
                event_specific_data=AssetObservationData(observation),
                message=observation.description,
            ),
        )
        for observation, timestamp, level in observations
    ]
    if entries:
        context.instance.event_log_storage.store_event_batch(entries)
