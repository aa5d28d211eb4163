"""The feed from a command line: `python -m collection_pipeline.feed`."""

from __future__ import annotations

import logging
import os
import sys

import click

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.feed.access import DEFAULT_HOST, DEFAULT_PORT, FeedConfig
from collection_pipeline.feed.serving import serve
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.stores import open_store


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Anything but this machine needs a token.")
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
def main(host: str, port: int) -> None:
    """Show what collections do, as it happens, until Ctrl-C.

    COLLECTION_FEED_TOKEN is the secret that readers have to bring, COLLECTION_FEED_ORG_TOKENS has others that show one
    organisation each, COLLECTION_FEED_CONTROL=true lets them control, COLLECTION_DAGSTER_URL is where links to runs
    lead.

    Example: python -m collection_pipeline.feed --port 8781
    """
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    try:
        settings = Settings.from_mapping(os.environ)
        config = FeedConfig.from_settings(os.environ, host, port, settings)
        with open_store(settings) as store:
            store.activity.require_listener()
            click.echo(f"Live activity: http://{f'[{host}]' if ':' in host else host}:{port}")
            serve(config, store)
    except PipelineError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
