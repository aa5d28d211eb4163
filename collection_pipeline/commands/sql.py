"""`collection-pipeline sql`: one read-only query on the output tables."""

from __future__ import annotations

import click
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from collection_pipeline import query as queries
from collection_pipeline.commands.session import told_plainly


@click.command(short_help="Run one query on the output tables, read-only.")
@click.argument("query", required=False)
@click.option("--ask", type=click.Choice(list(queries.QUESTIONS)), help="One of the README's questions instead of SQL.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@told_plainly
def sql(query: str | None, ask: str | None, form: str) -> None:
    """Run one query on the output tables, read-only, and print its rows.

    Example: collection-pipeline sql "SELECT display_name FROM sellers LIMIT 5" --format csv
    """
    if (query is None) == (ask is None):
        raise click.UsageError("Give either a query or --ask.")
    rows = queries.ask(ask) if ask is not None else queries.sql(query or "")
    if form == "csv":
        click.echo(rows.to_csv(index=False), nl=False)
    elif form == "json":
        click.echo(rows.to_json(orient="records", date_format="iso", force_ascii=False, default_handler=str))
    else:
        Console().print(_table(rows))


def _table(rows: pd.DataFrame) -> Table:
    table = Table(*map(str, rows.columns))
    for row in rows.itertuples(index=False):
        # As Text: a seller's name in brackets is a name, not a style.
        table.add_row(*(Text("" if value is None or value is pd.NaT else str(value)) for value in row))
    return table
