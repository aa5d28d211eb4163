"""The commands, by name. Each is in a file of its own in commands/, which is imported when it is called for."""

from __future__ import annotations

import importlib

import click

from collection_pipeline import __version__

COMMANDS = {
    "up": "server.up",
    "worker": "server.worker",
    "collect": "collecting.collect",
    "collections": "collecting.collections",
    "sellers": "sellers.group",
    "sql": "sql",
    "catalogue": "catalogue",
    "database": "server.database",
    "doctor": "doctor.command",
    "simulate": "server.simulate",
    "completion": "completion",
}
"""Each command's name, and its module in commands/. The command itself has its own name there."""


class _Commands(click.Group):
    """A group that imports a command when it is called for."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"collection_pipeline.commands.{COMMANDS[name]}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, args)
        except click.NoSuchCommand as unknown:
            # Click compares with the commands that it has loaded, of which there are none.
            raise click.NoSuchCommand(unknown.command_name, possibilities=COMMANDS, ctx=context) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="collection-pipeline")
def main() -> None:
    """Which eBay sellers sell the products that sell best on Amazon."""
