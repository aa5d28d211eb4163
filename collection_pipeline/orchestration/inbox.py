"""The watched folder: seller files that are dropped there are imported, and moved away with a report."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import dagster as dg

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.files.settled import Seen, file_away, observe, ready
from collection_pipeline.importing import ImportWish, import_file
from collection_pipeline.orchestration.reaching import Look, reaching
from collection_pipeline.orchestration.scope import utc_now
from collection_pipeline.orchestration.sensing import sensor
from collection_pipeline.settings import Settings
from collection_pipeline.tables.store import Store


@sensor(every_s=5)
def import_dropped_files(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> Look:
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
    return reaching(settings, lambda store: _import(inbox, _former(context.cursor), current, store, settings))


def _import(
    inbox: Path, former: Mapping[str, Seen], current: Mapping[str, Seen], store: Store, settings: Settings
) -> Look:
    finished = ready(utc_now(), former, current)
    told = [_bring_in(inbox / name, store, settings) for name in finished]
    unusable = [_turn_away(inbox / name) for name, seen in current.items() if seen.unsupported]
    left = {name: seen for name, seen in current.items() if name not in finished and not seen.unsupported}
    waiting = f"{len(left)} files are not finished." if left else "No file waits."
    return dg.SensorResult(
        skip_reason=" ".join((*told, *unusable)) or waiting,
        cursor=json.dumps({name: asdict(seen) for name, seen in left.items()}),
    )


def _former(cursor: str | None) -> Mapping[str, Seen]:
    return {name: Seen(**seen) for name, seen in json.loads(cursor or "{}").items()}


def _bring_in(file: Path, store: Store, settings: Settings) -> str:
    """Imports one file and moves it away. One that is moved back later is a new file: importing it changes nothing."""
    try:
        imported = import_file(store, settings.org_id, ImportWish(file), f"inbox, {file.name}", settings.naming)
    except PipelineError as error:
        file_away(file, file.parent / "rejected", f"{error}\n", now=utc_now())
        return f"{file.name} was rejected: {error}"
    edit = imported.edit
    outcome = "Nothing had to be changed." if edit is None else f"Change {edit.audit_id}: {edit.affected} sellers."
    report = "\n".join((outcome, *imported.plan.lines(), ""))
    file_away(file, file.parent / "done", report, now=utc_now())
    return f"{file.name} was imported. {outcome}"


def _turn_away(file: Path) -> str:
    reason = f"{file.name} was rejected: seller files are CSV, JSON or Excel (.xlsx)."
    file_away(file, file.parent / "rejected", f"{reason}\n", now=utc_now())
    return reason
