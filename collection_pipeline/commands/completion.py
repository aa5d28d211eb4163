"""`collection-pipeline completion`: the script with which a shell completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

NAME = "collection-pipeline"
VARIABLE = "_COLLECTION_PIPELINE_COMPLETE"
"""What click derives from the name; the script sets it when it asks what could come next."""


@click.command(short_help="Print the script that completes commands in bash, zsh or fish.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script with which SHELL completes commands and options.

    \b
    Example, for bash: echo 'eval "$(collection-pipeline completion bash)"' >> ~/.bashrc
    for zsh:           echo 'eval "$(collection-pipeline completion zsh)"' >> ~/.zshrc
    for fish:          collection-pipeline completion fish > ~/.config/fish/completions/collection-pipeline.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    # Click's source() looks for the bash on this machine first; the script needs nothing of it.
    made = kind(context.find_root().command, {}, NAME, VARIABLE)
    click.echo(made.source_template % made.source_vars())
