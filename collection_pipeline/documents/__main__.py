"""Writes one of the generated pages: `python -m collection_pipeline.documents settings > docs/settings.md`."""

import click

from collection_pipeline.documents.launching import launching_document
from collection_pipeline.documents.settings import settings_document

PAGES = {"launching": launching_document, "settings": settings_document}


@click.command()
@click.argument("page", type=click.Choice(sorted(PAGES)))
def main(page: str) -> None:
    """Write a page of docs/ to standard output."""
    click.echo(PAGES[page](), nl=False)


if __name__ == "__main__":
    main()
