"""The watched folder: seller files that are dropped there are imported, and moved away with a report."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import DataError

from collection_pipeline.actions.importing import ImportRequest, import_file
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.printable import printable
from collection_pipeline.files.inbox_files import Seen, file_away, observe, ready, stuck
from collection_pipeline.files.isolation import NoReader
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.sensing import sensor
from collection_pipeline.orchestration.sensor_store import SensorOutcome, with_store
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store

LOOK_S = 10.0
"""After so many seconds a look begins no other file: Dagster gives up on a look after 60, and one file may take 45."""

_MOST_TOLD = 20


@sensor(every_s=5)
def import_dropped_files(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> SensorOutcome:
    """Imports seller files from the folder COLLECTION_INBOX: each as one edit, then to `done/` or `rejected/`.

    A file is read once two looks have found it the same and nobody wrote to it for ten seconds. Each file is one edit,
    which `collection-pipeline sellers undo` takes back. The cursor holds what the former look saw.
    """
    inbox = settings.inbox
    if not inbox.is_dir():
        return dg.SkipReason(f"There is no folder {inbox}. Make it, and drop seller files there to have them imported.")
    try:
        current = observe(inbox)
    except PipelineError as error:
        return dg.SkipReason(str(error))
    return with_store(settings, lambda store: _import(inbox, _former(context.cursor), current, store, settings))


def _import(
    inbox: Path, former: Mapping[str, Seen], current: Mapping[str, Seen], store: Store, settings: Settings
) -> SensorOutcome:
    deadline = time.monotonic() + LOOK_S
    told: list[str] = []
    unmoved = stuck(former, current)
    left = {**current, **unmoved}

    def put_away(name: str, read: Read) -> None:
        try:
            file_away(inbox / name, inbox / read.goes_to, read.report, now=utc_now())
            del left[name]
            told.append(read.outcome)
        except PipelineError as error:
            left[name] = replace(current[name], goes_to=read.goes_to, outcome=read.outcome)
            told.append(f"{read.outcome} {error}")

    for name, seen in unmoved.items():
        put_away(name, Read(seen.goes_to, seen.outcome))
    for name, seen in current.items():
        if seen.unsupported and name not in unmoved:
            put_away(name, _turned_away(name))
    for name in ready(utc_now(), former, current):
        if time.monotonic() > deadline:
            break
        put_away(name, _bring_in(inbox / name, store, settings))
    waiting = f"{len(left)} files are not finished." if left else "No file waits."
    return dg.SensorResult(
        skip_reason=_joined(told) or waiting,
        cursor=json.dumps({name: asdict(seen) for name, seen in left.items() if seen.goes_to or not seen.unsupported}),
    )


def _former(cursor: str | None) -> Mapping[str, Seen]:
    return {name: Seen(**seen) for name, seen in json.loads(cursor or "{}").items()}


def _joined(told: Sequence[str]) -> str:
    more = f" And {len(told) - _MOST_TOLD} more." if len(told) > _MOST_TOLD else ""
    return " ".join(told[:_MOST_TOLD]) + more


@dataclass(frozen=True)
class Read:
    """What reading a file came to: a sentence, lines below it, and the folder that it belongs in."""

    goes_to: str
    outcome: str
    details: str = ""

    @property
    def report(self) -> str:
        """What stands beside the file when it has been moved."""
        return "\n".join(filter(None, (self.outcome, self.details))) + "\n"


def _bring_in(file: Path, store: Store, settings: Settings) -> Read:
    """Imports one file. One that is moved back later is a new file: importing it changes nothing."""
    name = printable(file.name)
    try:
        imported = import_file(
            store, settings.org_id, ImportRequest(file, are_links_followed=False), f"inbox, {name}", settings.naming
        )
    except NoReader:
        raise
    except PipelineError as error:
        return Read("rejected", f"{name} was rejected: {error}")
    except DataError:
        return Read("rejected", f"{name} was rejected: it holds something that the database cannot keep.")
    edit = imported.edit
    outcome = "Nothing had to be changed." if edit is None else f"Change {edit.audit_id}: {edit.affected} sellers."
    return Read("done", f"{name} was imported. {outcome}", "\n".join(imported.plan.lines()))


def _turned_away(name: str) -> Read:
    return Read("rejected", f"{printable(name)} was rejected: seller files are CSV, JSON or Excel (.xlsx).")
