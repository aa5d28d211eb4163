"""`collection-pipeline catalogue`: what can be collected."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from collection_pipeline.commands.session import stores, told_plainly
from collection_pipeline.core.catalogue import STARTER_FILE, CatalogueError, read_catalogue
from collection_pipeline.settings import Settings
from collection_pipeline.tables.store import Store


@click.group(short_help="What can be collected: departments, categories, presets.")
def catalogue() -> None:
    """Departments, categories with their Amazon browse nodes, and presets."""


@catalogue.command("list")
@told_plainly
def list_catalogue() -> None:
    """Show the catalogue in force.

    Example: collection-pipeline catalogue list
    """
    console = Console()
    with stores() as (_, store):
        in_force = store.catalogue.current()
    table = Table("department", "category", "name", "node")
    for category in in_force.categories.values():
        table.add_row(category.department_name, category.key, category.name, category.node)
    console.print(table)
    for preset in in_force.presets.values():
        console.print(f"[bold]{preset.key}[/] ({len(preset.categories)} categories): {preset.description}")


@catalogue.command("load")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@told_plainly
def load(file: Path | None) -> None:
    """Put the starter catalogue, together with FILE, in force. A wrong file is refused and changes nothing.

    Example: collection-pipeline catalogue load our-categories.yaml
    """
    loaded = read_catalogue(STARTER_FILE, *([file] if file else []))
    with stores() as (_, store):
        store.catalogue.load(loaded)
    click.echo(f"In force: {len(loaded.categories)} categories, {len(loaded.presets)} presets.")


def load_default_catalogue(store: Store, settings: Settings, console: Console) -> None:
    """Loads the starter catalogue and the team's own file, if there is one.

    A wrong file leaves the catalogue that is in force; without one in force, CatalogueError is raised.
    """
    files = [STARTER_FILE, *([settings.catalogue_file] if settings.catalogue_file else [])]
    try:
        store.catalogue.load(read_catalogue(*files))
    except CatalogueError as error:
        if not store.catalogue.current().categories:
            raise
        console.print(f"[bold red]The catalogue was refused, the old one stays in force:[/] {error}", soft_wrap=True)
