"""`collection-pipeline catalogue`: what can be collected."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from collection_pipeline.commands.session import errors_as_messages, stores, with_simulator
from collection_pipeline.commands.tables import json_option, print_json, print_table
from collection_pipeline.core.catalogue import STARTER_FILE, Catalogue, CatalogueError, Category, read_catalogue
from collection_pipeline.core.errors import SourceError
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.sources.opening import open_best_sellers
from collection_pipeline.sources.oxylabs.jobs import OxylabsAccount
from collection_pipeline.tables.store import Store


@click.group(short_help="Show, check and load departments, categories and presets.")
def catalogue() -> None:
    """Departments, categories with their Amazon browse nodes, and presets."""


@catalogue.command("list")
@json_option
@errors_as_messages
def list_catalogue(*, is_json: bool) -> None:
    """Show the catalogue in force.

    Example: collection-pipeline catalogue list
    """
    with stores() as (_, store):
        in_force = store.catalogue.current()
    if is_json:
        print_json([_fields(category, in_force) for category in in_force.categories.values()])
        return
    table = Table("department", "category", "name", "node")
    for category in in_force.categories.values():
        table.add_row(category.department_name, category.key, category.name, category.node)
    print_table(table, whole=("category", "node"))
    console = Console()
    for preset in in_force.presets.values():
        console.print(f"[bold]{preset.key}[/] ({len(preset.categories)} categories): {preset.description}")


def _fields(category: Category, in_force: Catalogue) -> dict[str, Any]:
    """What `list --json` says of a category."""
    return {
        "department": category.department,
        "department_name": category.department_name,
        "category": category.key,
        "name": category.name,
        "node": category.node,
        "presets": [preset.key for preset in in_force.presets.values() if category.key in preset.categories],
    }


@catalogue.command("load")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@errors_as_messages
def load(file: Path | None) -> None:
    """Put the starter catalogue, together with FILE, in force. A wrong file is refused and changes nothing.

    Example: collection-pipeline catalogue load our-categories.yaml
    """
    loaded = read_catalogue(STARTER_FILE, *([file] if file else []))
    with stores() as (_, store):
        store.catalogue.load(loaded)
    click.echo(f"In force: {len(loaded.categories)} categories, {len(loaded.presets)} presets.")


@catalogue.command("check")
@click.option("--preset", help="Check only the categories of this preset. Default: the whole catalogue.")
@click.option("--category", "categories", multiple=True, help="Check only these categories. Repeatable.")
@json_option
@errors_as_messages
def check(preset: str | None, categories: tuple[str, ...], *, is_json: bool) -> None:
    """Ask the configured source for every category's node, one billed call each, and report those it does not know.

    Exits with 1 if any node could not be confirmed.

    Example: collection-pipeline catalogue check --preset starter
    """
    with stores() as (settings, store):
        in_force = store.catalogue.current()
        keys = in_force.select(preset=preset, categories=categories) if preset or categories else in_force.categories
        chosen = with_simulator(settings)
        account = OxylabsAccount(chosen.oxylabs_url, *chosen.oxylabs_credentials)
        answers = asyncio.run(_checked([in_force.categories[key] for key in keys], account, store))
    wrong = sum(not isinstance(answer, str) for _, answer in answers)
    if is_json:
        print_json([_answer_fields(category, answer) for category, answer in answers])
        sys.exit(1 if wrong else 0)
    table = Table("category", "node", "answer")
    for category, answer in answers:
        table.add_row(
            category.key, category.node, answer if isinstance(answer, str) else f"[red]{answer.kind}[/]: {answer}"
        )
    print_table(table, whole=("category", "node"))
    console = Console()
    console.print(f"{len(answers) - wrong} of {len(answers)} nodes are known to {chosen.oxylabs_url}.", soft_wrap=True)
    if chosen is not settings:
        console.print("That is the simulator: nothing is said about the real nodes.")
    sys.exit(1 if wrong else 0)


def _answer_fields(category: Category, answer: str | SourceError) -> dict[str, Any]:
    """What `check --json` says of a category."""
    is_known = isinstance(answer, str)
    return {"category": category.key, "node": category.node, "is_known": is_known, "answer": str(answer)}


async def _checked(
    categories: list[Category], account: OxylabsAccount, store: Store
) -> list[tuple[Category, str | SourceError]]:
    """What the source says of each category's node: how many products, or what went wrong."""
    # The vendor renders for 20 s and more; five at a time stay far below its 13 rendered requests a second.
    at_once = asyncio.Semaphore(5)
    async with store.governor.ledger() as ledger, open_best_sellers(account, ledger) as source:

        async def ask(category: Category) -> tuple[Category, str | SourceError]:
            async with at_once:
                try:
                    page = await source.best_sellers(category.node, 1)
                except SourceError as error:
                    return category, error
                return category, f"known, {page.items_count} products on page 1 of {page.pages}"

        return await asyncio.gather(*map(ask, categories))


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
