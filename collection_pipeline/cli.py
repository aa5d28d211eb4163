"""The commands, by name. Each lives in its own file in commands/."""

from __future__ import annotations

import click

from collection_pipeline.commands.catalogue import catalogue
from collection_pipeline.commands.collect import collect
from collection_pipeline.commands.collections import collections
from collection_pipeline.commands.database import database
from collection_pipeline.commands.sellers import sellers
from collection_pipeline.commands.simulate import simulate
from collection_pipeline.commands.sql import sql
from collection_pipeline.commands.up import up


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Which eBay sellers sell the products that sell best on Amazon."""


for command in (up, collect, collections, sellers, sql, catalogue, database, simulate):
    main.add_command(command)
