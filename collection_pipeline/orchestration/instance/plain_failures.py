"""Failures that say in a sentence what happened and what to do, without the stack of a program that did as it should.

Dagster gives every failure a stack trace, and repeats the error that it was raised from: whoever opens a failed run
looks for one sentence among a hundred lines. A `dg.Failure` with a description is a sentence of ours; any other error
is a fault in the program and keeps its stack.
"""

import dagster as dg
from dagster._core.events import DagsterEvent, JobFailureData
from dagster._core.execution.plan.objects import StepFailureData
from dagster_shared.error import SerializableErrorInfo


def plainly(entry: dg.EventLogEntry) -> dg.EventLogEntry:
    """The entry as it is stored: the failure of a step or a run as its sentence, if it has one, all else as it is."""
    event = entry.dagster_event
    plain = None if event is None else _plain(event)
    return entry if plain is None else entry._replace(dagster_event=plain, error_info=None)


def _plain(event: DagsterEvent) -> DagsterEvent | None:
    match event.event_specific_data:
        case StepFailureData(user_failure_data=failure) as step if failure is not None and failure.description:
            return event._replace(event_specific_data=step._replace(error=_sentence(failure.description)))
        case JobFailureData(first_step_failure_event=DagsterEvent() as first) as run if plain := _plain(first):
            error = plain.step_failure_data.error
            return event._replace(event_specific_data=run._replace(error=error, first_step_failure_event=plain))
    return None


def _sentence(description: str) -> SerializableErrorInfo:
    return SerializableErrorInfo(message=description, stack=[], cls_name=None)
