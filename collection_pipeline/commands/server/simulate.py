"""`collection-pipeline simulate`: the marketplace simulator alone."""

from __future__ import annotations

import os
import sys

import click


@click.command(
    short_help="Start the marketplace simulator alone.",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def simulate(options: tuple[str, ...]) -> None:
    """Start the marketplace simulator alone. It has its own options: see --help.

    Example: collection-pipeline simulate --port 8900 --day 30
    """
    # A program of its own: production code imports nothing of the simulator.
    os.execv(sys.executable, [sys.executable, "-m", "collection_pipeline.simulator", *options])
