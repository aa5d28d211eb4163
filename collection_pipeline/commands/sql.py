"""`collection-pipeline sql`: one query on the output tables, and its rows as a table, CSV or JSON."""

from __future__ import annotations

import click

from collection_pipeline import query as queries
from collection_pipeline.commands.printing import as_csv, as_json, as_table
from collection_pipeline.commands.session import errors_as_messages

PRINTERS = {"table": as_table, "csv": as_csv, "json": as_json}

TABLE_ROWS = 10_000
"""The most rows of a table unless more are asked for: it is printed once all of them are in memory."""


@click.command(short_help="Run one query on the output tables, read-only.")
@click.argument("query", required=False)
@click.option(
    "--ask",
    type=click.Choice(list(queries.QUESTIONS)),
    help="A question of docs/answers.md, instead of SQL.",
)
@click.option("--format", "form", type=click.Choice(list(PRINTERS)), default="table", show_default=True)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help=f"The most rows. Default: {TABLE_ROWS:,} in a table, {queries.ROWS:,} as CSV or JSON; 0 is without limit.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0),
    default=queries.TIMEOUT_S,
    show_default=True,
    help="The longest the database may work on it, in seconds. 0: no limit.",
)
@errors_as_messages
def sql(query: str | None, ask: str | None, form: str, limit: int | None, timeout_s: float) -> None:
    """Run one query on the output tables, read-only, and print its rows.

    Example: collection-pipeline sql "SELECT display_name FROM sellers LIMIT 5" --format csv
    """
    if (query is None) == (ask is None):
        raise click.UsageError("Give either a query or --ask.")
    if limit is None:
        limit = TABLE_ROWS if form == "table" else queries.ROWS
    asked = queries.sql_of(ask) if ask is not None else query or ""
    with queries.open_query(asked, limit=limit, timeout_s=timeout_s) as result:
        PRINTERS[form](result.columns, result.batches)
        if result.is_cut_off:
            click.echo(f"These are the first {limit:,} rows; there are more. Raise --limit to see them.", err=True)
