"""`collection-pipeline database`: the schema, and the address for other tools."""

from __future__ import annotations

import os

import click

from collection_pipeline.commands.session import errors_as_messages, stores
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.schema.reference import tables_document
from collection_pipeline.tables.server.database import create_engine, reachable
from collection_pipeline.tables.server.dbt_sources import dbt_sources
from collection_pipeline.tables.server.locating import application_database, direct_database
from collection_pipeline.tables.server.migrating import migrate


@click.group(short_help="Migrate, document and locate the database.")
def database() -> None:
    """The output tables' database."""


@database.command("migrate")
@errors_as_messages
def migrate_database() -> None:
    """Bring the database's schema to this version of the code.

    Example: collection-pipeline database migrate
    """
    with (
        direct_database(Settings.from_mapping(os.environ)) as url,
        reachable(create_engine(url)) as engine,
    ):
        migrate(engine)
    click.echo("The schema is current.")


@database.command("match")
@errors_as_messages
def match_listings() -> None:
    """Give listings their match that were collected before there were matches. May be stopped and started again.

    It works in small batches, beside collections. Collecting a product again does the same for its listings.

    Example: collection-pipeline database match
    """
    with stores() as (_, store):
        filled = sum(store.matches.fill())
    click.echo(f"{filled:,} listings have a match now.")


@database.command("url")
@errors_as_messages
def url() -> None:
    """Print the database's address, for psql and other tools. The embedded server answers while something uses it.

    Example: psql "$(collection-pipeline database url)"
    """
    with application_database(Settings.from_mapping(os.environ)) as address:
        click.echo(address.set(drivername="postgresql").render_as_string(hide_password=False))


@database.command("document")
@click.option("--dbt", "for_dbt", is_flag=True, help="As a sources.yml for dbt, with the tests that constraints imply.")
@errors_as_messages
def document(*, for_dbt: bool) -> None:
    """Print docs/tables.md: every table, column, view and function, as the database describes them.

    Example: collection-pipeline database document --dbt > models/sources.yml
    """
    with stores() as (_, store):
        click.echo(dbt_sources(store.engine) if for_dbt else tables_document(store.engine), nl=False)
