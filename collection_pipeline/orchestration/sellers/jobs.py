"""What people do to the seller list from the Dagster UI: one job each, whose launch configuration explains itself."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
from pydantic import Field, model_validator

from collection_pipeline.actions.importing import ImportRequest, dry_run, export_file, import_file
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.edits import NewSeller, SellerUpdate
from collection_pipeline.files.export import Format, require_plain_name
from collection_pipeline.files.own_exports import require_replaceable
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.failures import errors_as_failures
from collection_pipeline.orchestration.launching import launchable
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.sellers.edits import Author, Edit
from collection_pipeline.tables.sellers.exports import Selection
from collection_pipeline.tables.store import Store

SELLERS = "ebay_sellers"


class ListConfig(dg.Config):
    """Whose list, and who edits it."""

    organisation: str = Field(default="", description="Whose list it is; empty is that of COLLECTION_ORG.")
    actor: str = Field(default="", description="Who edits, for the audit log; empty names this run.")


class NamesConfig(ListConfig):
    """Several sellers."""

    names: list[str] = Field(min_length=1, description="The sellers, each by its key or its present name.")


class AddConfig(ListConfig):
    """A new seller."""

    name: str = Field(min_length=1, max_length=200, description="Name of the eBay account.")
    note: str = Field(default="", max_length=2_000, description="A note on it.")
    is_flagged: bool = Field(default=False, description="Flag it.")


class BulkAddConfig(NamesConfig):
    """Several new sellers."""

    note: str = Field(default="", max_length=2_000, description="A note on each of them.")
    is_flagged: bool = Field(default=False, description="Flag them.")


class UpdateConfig(ListConfig):
    """What to change about a seller. Fields left empty stay as they are."""

    name: str = Field(min_length=1, description="The seller, by its key or its present name.")
    rename: str = Field(default="", max_length=200, description="The name that people are to see.")
    note: str | None = Field(default=None, max_length=2_000, description='A note; "" takes it away.')
    is_flagged: bool | None = Field(default=None, description="Flag it, or take the flag away.")


class RemoveConfig(ListConfig):
    """A seller."""

    name: str = Field(min_length=1, description="The seller, by its key or its present name.")


class FlagConfig(NamesConfig):
    """Sellers to be flagged."""

    is_flagged: bool = Field(default=True, description="False takes their flags away.")


class UndoConfig(ListConfig):
    """An edit."""

    audit_id: int = Field(gt=0, description="The change, by its number in seller_audit_log; each edit logs its own.")


class ImportConfig(ListConfig):
    """A file of sellers on the machine that runs this."""

    file: str = Field(min_length=1, description="Path of a CSV, JSON or Excel file.")
    only_dry_run: bool = Field(default=True, description="Say row by row what would happen, and change nothing.")
    restore: bool = Field(default=False, description="Bring sellers back that were removed by hand.")
    skip_invalid: bool = Field(default=False, description="Import what is right of a file with wrong rows.")


class ExportConfig(ListConfig):
    """Which sellers go into which file."""

    file: str = Field(
        min_length=1, max_length=200, description="Name of the file to write, in the folder COLLECTION_EXPORTS."
    )
    format: Format = Field(default=Format.CSV, description="csv, json, parquet or xlsx.")
    category: str = Field(default="", description="Only sellers of this category's best sellers.")
    collection_id: str = Field(default="", description="Only sellers that this collection saw.")
    only_flagged: bool = Field(default=False, description="Only flagged sellers.")
    only_never_exported: bool = Field(default=False, description="Only sellers that no export had yet.")
    hash_names: bool = Field(default=False, description="Keyed hashes in place of names (COLLECTION_NAME_KEY).")

    @model_validator(mode="after")
    def _goes_into_the_folder(self) -> "ExportConfig":
        require_plain_name(self.file, self.format)
        return self


@dg.op
def add_one(
    context: dg.OpExecutionContext,
    config: AddConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Adds one seller to the list. Refused if it is on the list already."""
    seller = NewSeller(config.name, config.note or None, config.is_flagged)
    with errors_as_failures():
        _tell(context, store.edits.add(org_of(config, settings), [seller], author_of(context, config)))


@dg.op
def add_many(
    context: dg.OpExecutionContext,
    config: BulkAddConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Adds several sellers as one edit, counted once, after all of them. One wrong name and none is added."""
    wanted = [NewSeller(name, config.note or None, config.is_flagged) for name in config.names]
    with errors_as_failures():
        _tell(context, store.edits.add(org_of(config, settings), wanted, author_of(context, config)))


@dg.op
def update_one(
    context: dg.OpExecutionContext,
    config: UpdateConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Renames, annotates or flags one seller. Who it is stays the same."""
    wanted = SellerUpdate(config.rename or None, config.note, config.is_flagged)
    with errors_as_failures():
        _tell(context, store.edits.update(org_of(config, settings), config.name, wanted, author_of(context, config)))


@dg.op
def remove_one(
    context: dg.OpExecutionContext,
    config: RemoveConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Takes one seller off the list. Collections do not bring it back."""
    with errors_as_failures():
        _tell(context, store.edits.remove(org_of(config, settings), [config.name], author_of(context, config)))


@dg.op
def remove_many(
    context: dg.OpExecutionContext,
    config: NamesConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Takes several sellers off the list as one edit. One wrong name and none is removed."""
    with errors_as_failures():
        _tell(context, store.edits.remove(org_of(config, settings), config.names, author_of(context, config)))


@dg.op
def flag_many(
    context: dg.OpExecutionContext,
    config: FlagConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Flags sellers, or takes their flags away."""
    by = author_of(context, config)
    with errors_as_failures():
        _tell(context, store.edits.flag(org_of(config, settings), config.names, by, is_flagged=config.is_flagged))


@dg.op
def undo_one(
    context: dg.OpExecutionContext,
    config: UndoConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Takes an edit or an import back. Refused where its sellers have changed again since."""
    by = author_of(context, config)
    with errors_as_failures():
        _tell(context, store.edits.undo(org_of(config, settings), config.audit_id, by, utc_now()))


@dg.op
def import_one(
    context: dg.OpExecutionContext,
    config: ImportConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Imports a file of sellers as one edit, or says what that would do."""
    request = ImportRequest(Path(config.file), restore=config.restore, skip_invalid=config.skip_invalid)
    org_id = org_of(config, settings)
    with errors_as_failures():
        if config.only_dry_run:
            context.log.info("\n".join(dry_run(store, org_id, request, settings.naming).lines()))
            return
        imported = import_file(store, org_id, request, author_of(context, config).actor, settings.naming)
    context.log.info("\n".join(imported.plan.lines()))
    if imported.edit is not None:
        _tell(context, imported.edit)


@dg.op
def export_one(
    context: dg.OpExecutionContext,
    config: ExportConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Writes sellers to a file in the folder COLLECTION_EXPORTS, over an earlier export of that name but no other file.

    The export is written down in seller_exports.
    """
    selection = Selection(
        category=config.category or None,
        collection_id=config.collection_id or None,
        is_flagged=True if config.only_flagged else None,
        is_exported=False if config.only_never_exported else None,
    )
    are_hashed = config.hash_names or settings.are_exported_names_hashed
    with errors_as_failures():
        file = _folder(settings) / config.file
        require_replaceable(file)
        count = export_file(
            store,
            org_of(config, settings),
            selection,
            file,
            config.format,
            author_of(context, config).actor,
            settings.exported_naming(are_hashed=are_hashed),
            are_names_hashed=are_hashed,
            is_simulated=settings.has_simulated_data,
        )
    metadata: dict[str, str | int] = {"exported": count, "selection": str(selection), "file": str(file)}
    context.log_event(dg.AssetObservation(SELLERS, metadata=metadata))


def _folder(settings: Settings) -> Path:
    try:
        settings.exports.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PipelineError(
            f"The folder for exports {settings.exports} cannot be made: {error.strerror}. Set COLLECTION_EXPORTS."
        ) from error
    return settings.exports


def org_of(config: ListConfig, settings: Settings) -> str:
    """Whose list is meant."""
    return config.organisation or settings.org_id


def author_of(context: dg.OpExecutionContext, config: ListConfig) -> Author:
    """Who edits."""
    return Author(config.actor or f"run {context.run_id}")


def _tell(context: dg.OpExecutionContext, edit: Edit) -> None:
    """The edit as a structured event on the asset. Without names: who asks to be forgotten must not stay in events."""
    metadata: dict[str, str | int] = {
        "action": str(edit.action),
        "affected": edit.affected,
        "seller_count": edit.seller_count,
        "audit_id": edit.audit_id,
    }
    description = f"{edit.affected} {edit.action.replace('_', ' ')}; the list holds {edit.seller_count} now."
    context.log_event(dg.AssetObservation(SELLERS, description=description, metadata=metadata))


SELLER_JOBS: Sequence[dg.JobDefinition] = [
    launchable("sellers_add", add_one, AddConfig),
    launchable("sellers_update", update_one, UpdateConfig),
    launchable("sellers_remove", remove_one, RemoveConfig),
    launchable("sellers_bulk_add", add_many, BulkAddConfig),
    launchable("sellers_bulk_remove", remove_many, NamesConfig),
    launchable("sellers_flag", flag_many, FlagConfig),
    launchable("sellers_undo", undo_one, UndoConfig),
    launchable("sellers_import", import_one, ImportConfig),
    launchable("sellers_export", export_one, ExportConfig),
]
