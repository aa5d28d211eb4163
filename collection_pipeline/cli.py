"""The commands, by name. Each lives in its own file in commands/, which is imported when it is called for."""

from __future__ import annotations

import importlib

import click

from collection_pipeline import __version__

COMMANDS = ("up", "collect", "collections", "sellers", "sql", "catalogue", "database", "simulate")


class _Commands(click.Group):
    """A group whose commands are the objects of their names in the modules of their names."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"collection_pipeline.commands.{name}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="collection-pipeline")
def main() -> None:
    """Which eBay sellers sell the products that sell best on Amazon."""
