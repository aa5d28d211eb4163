"""Seller files: import with a look before, and export."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from collection_pipeline.actions.importing import ImportRequest, dry_run, export_file, import_file
from collection_pipeline.commands.sellers.authors import person
from collection_pipeline.commands.sellers.choosing import require_known, seller_selection_options
from collection_pipeline.commands.session import errors_as_messages, stores
from collection_pipeline.core.printable import printable
from collection_pipeline.files.export import Format, format_of
from collection_pipeline.files.mapping import ColumnMapping
from collection_pipeline.files.own_exports import require_replaceable
from collection_pipeline.tables.sellers.exports import Selection


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--dry-run", "is_dry_run", is_flag=True, help="Show row by row what would happen, without changing anything."
)
@click.option("--name-column", help="The column with seller names, if it has another heading.")
@click.option("--key-column", help="The column with seller keys.")
@click.option("--note-column", help="The column with notes.")
@click.option("--flag-column", help="The column with flags: yes or no.")
@click.option("--sheet", help="The sheet of a workbook. Default: the first.")
@click.option("--restore", is_flag=True, help="Restore sellers that were removed by hand.")
@click.option("--skip-invalid", is_flag=True, help="Import the valid rows even if others are not.")
@errors_as_messages
def import_sellers(
    file: Path,
    name_column: str | None,
    key_column: str | None,
    note_column: str | None,
    flag_column: str | None,
    sheet: str | None,
    *,
    is_dry_run: bool,
    restore: bool,
    skip_invalid: bool,
) -> None:
    """Import sellers from a CSV, JSON or Excel file, as one edit that can be undone as a whole for 24 hours.

    A file needs a column with names (name, seller, username, …) or the columns of an export; notes and flags are
    optional. What a file says nothing about stays as it is.

    Example: collection-pipeline sellers import fair.xlsx --dry-run
    """
    mapping = ColumnMapping(name_column, key_column, note_column, flag_column)
    request = ImportRequest(file, mapping, sheet, restore=restore, skip_invalid=skip_invalid)
    with stores() as (settings, store):
        if is_dry_run:
            for line in dry_run(store, settings.org_id, request, settings.naming).lines():
                click.echo(line)
            click.echo("Nothing was changed.")
            return
        imported = import_file(store, settings.org_id, request, person(), settings.naming)
    *_, counts = imported.plan.lines()
    click.echo(counts)
    if imported.edit is None:
        click.echo("Nothing had to be changed.")
        return
    click.echo(
        f"The list holds {imported.edit.seller_count:,} now. Take it back within 24 hours with: "
        f"collection-pipeline sellers undo {imported.edit.audit_id}"
    )


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@seller_selection_options
@click.option("--format", "wanted", type=click.Choice([*Format]), help="Default: the suffix of the file's name.")
@click.option("--hash-names", is_flag=True, help="Write keyed hashes instead of names (needs COLLECTION_NAME_KEY).")
@click.option("--force", is_flag=True, help="Replace the file even if it is not an unchanged export.")
@errors_as_messages
def export_sellers(file: Path, selection: Selection, wanted: str | None, *, hash_names: bool, force: bool) -> None:
    """Export sellers as CSV, JSON, Parquet or Excel; the columns are described in docs/sellers.md.

    An earlier export of that name is replaced.

    Example: collection-pipeline sellers export flagged.xlsx --flagged
    """
    chosen = Format(wanted) if wanted else format_of(file)
    require_replaceable(file, is_forced=force)
    with stores() as (settings, store):
        require_known(store, settings.org_id, selection)
        are_hashed = hash_names or settings.are_exported_names_hashed
        naming = settings.exported_naming(are_hashed=are_hashed)
        with _bar() as bar:
            task = bar.add_task("Exporting", total=store.exports.count(settings.org_id, selection))
            count = export_file(
                store,
                settings.org_id,
                selection,
                file,
                chosen,
                person(),
                naming,
                are_names_hashed=are_hashed,
                is_simulated=settings.has_simulated_data,
                progress=lambda done: bar.update(task, completed=done),
            )
    click.echo(f"{count:,} sellers ({selection}) are in {printable(str(file))}.")


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
