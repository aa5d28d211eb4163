"""Seller files coming in and going out: the same for a command, a job in the Dagster UI, and the watched folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.printable import printable
from collection_pipeline.core.sellers.identity import is_nameable, seller_key
from collection_pipeline.core.sellers.import_plan import ImportPlan, ImportRow, RowOutcome, plan
from collection_pipeline.core.sellers.seller_list import ListedSeller, SellerChange
from collection_pipeline.files.export import Format, write
from collection_pipeline.files.mapping import ColumnMapping
from collection_pipeline.files.reading import Sheet, read
from collection_pipeline.tables.sellers.edits import Author, Edit
from collection_pipeline.tables.sellers.exports import Selection
from collection_pipeline.tables.store import Store


@dataclass(frozen=True)
class ImportRequest:
    """Which file to import, and how to read it."""

    file: Path
    mapping: ColumnMapping = field(default_factory=ColumnMapping)
    sheet: str | None = None
    restore: bool = False
    """Bring sellers back that were removed by hand."""
    skip_invalid: bool = False
    """Import the rows that are right of a file in which some are wrong."""
    are_links_followed: bool = True
    """Whether the file may be a link to another one."""


@dataclass(frozen=True)
class Imported:
    """What an import did, row by row, and its edit; no edit where it changed nothing."""

    plan: ImportPlan
    edit: Edit | None


def dry_run(store: Store, org_id: str, request: ImportRequest, naming: Callable[[str], str]) -> ImportPlan:
    """What importing a file would do, row by row. Changes nothing. Raises PipelineError for an unreadable file."""
    return _planned(_rows(store, request, naming), store.edits.all(org_id), request)


def import_file(
    store: Store, org_id: str, request: ImportRequest, actor: str, naming: Callable[[str], str]
) -> Imported:
    """Imports a file as one edit. Raises PipelineError, having changed nothing, where a row is wrong."""
    rows = _rows(store, request, naming)
    plans: list[ImportPlan] = []

    def decide(listed: Sequence[ListedSeller]) -> list[SellerChange]:
        planned = _planned(rows, listed, request)
        plans.append(planned)
        if planned.counts[RowOutcome.INVALID] and not request.skip_invalid:
            wrong = [row.line() for row in planned.rows if row.outcome is RowOutcome.INVALID]
            more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
            raise PipelineError(
                f"Nothing was imported from {printable(request.file.name)}: {'; '.join(wrong[:10])}{more}."
            )
        return planned.changes

    edit = store.edits.bring_in(org_id, Author(actor, "import", printable(request.file.name)), decide)
    return Imported(plans[0], edit)


def export_file(
    store: Store,
    org_id: str,
    selection: Selection,
    path: Path,
    format: Format,  # noqa: A002 - the word that people use for it
    actor: str,
    naming: Callable[[str], str],
    *,
    are_names_hashed: bool,
    is_simulated: bool,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Writes the chosen sellers to a file and logs that; how many. Raises PipelineError where it cannot be written.
    A file that is there already is replaced; `require_replaceable` says whether it may be.
    """
    with store.exports.stream(org_id, selection, is_simulated=is_simulated) as sellers:
        named = (
            replace(one, seller_key=naming(one.seller_key), display_name=naming(one.seller_key), note=None)
            if are_names_hashed
            else one
            for one in sellers
        )
        count = write(named, path, format, progress=progress)
    store.exports.exported(
        org_id, selection, actor=actor, file=printable(path.name), count=count, are_names_hashed=are_names_hashed
    )
    return count


def _rows(store: Store, request: ImportRequest, naming: Callable[[str], str]) -> list[ImportRow]:
    """The file's rows, their sellers named as the list names them; who asked to be forgotten is a wrong row."""
    rows = [_named(row, naming) for row in _read(request).rows]
    erased = store.edits.erased(word for row in rows for word in (row.key or row.name,) if word is not None)
    return [_without_erased(row, erased) for row in rows]


def _read(request: ImportRequest) -> Sheet:
    return read(request.file, request.mapping, sheet=request.sheet, are_links_followed=request.are_links_followed)


def _without_erased(row: ImportRow, erased: set[str]) -> ImportRow:
    word = row.key or row.name
    is_erased = word is not None and is_nameable(word) and seller_key(word) in erased
    return replace(row, problem="names a seller who was erased on request") if is_erased else row


def _named(row: ImportRow, naming: Callable[[str], str]) -> ImportRow:
    try:
        name, key = (None if text is None else naming(text) for text in (row.name, row.key))
    except PipelineError as error:
        return replace(row, problem=row.problem or str(error))
    return replace(row, name=name, key=key)


def _planned(rows: Sequence[ImportRow], listed: Sequence[ListedSeller], request: ImportRequest) -> ImportPlan:
    return plan(rows, {seller.seller_key: seller for seller in listed}, restore=request.restore)
