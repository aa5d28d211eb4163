"""`collection-pipeline sql`: one query on the output tables, and its rows as a table, CSV or JSON."""

from __future__ import annotations

import click

from collection_pipeline import query as queries
from collection_pipeline.commands.printing import as_csv, as_json, as_jsonl, as_table
from collection_pipeline.commands.session import errors_as_messages

PRINTERS = {"table": as_table, "csv": as_csv, "json": as_json, "jsonl": as_jsonl}

TABLE_ROWS = 10_000
"""The most rows of a table unless more are asked for: it is printed once all of them are in memory."""


@click.command(short_help="Run one query on the output tables, read-only.")
@click.argument("words", nargs=-1, metavar="[QUERY | NAME=VALUE …]")
@click.option(
    "--ask",
    shell_complete=lambda _context, _parameter, begun: [one for one in queries.QUESTIONS if one.startswith(begun)],
    help=f"A question of docs/answers.md, instead of SQL: {', '.join(queries.QUESTIONS)}.",
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
def sql(words: tuple[str, ...], ask: str | None, form: str, limit: int | None, timeout_s: float) -> None:
    """Run one query on the output tables, read-only, and print its rows.

    Example: collection-pipeline sql "SELECT display_name FROM sellers LIMIT 5" --format csv

    A question takes its parameters as NAME=VALUE:

    Example: collection-pipeline sql --ask sellers_of_a_category category=pets-dogs
    """
    if limit is None:
        limit = TABLE_ROWS if form == "table" else queries.ROWS
    query = _query_in(words) if ask is None else queries.sql_of(ask, _parameters_in(words))
    with queries.open_query(query, limit=limit, timeout_s=timeout_s) as result:
        PRINTERS[form](result.columns, result.batches)
        if result.is_cut_off:
            click.echo(f"These are the first {limit:,} rows; there are more. Raise --limit to see them.", err=True)


def _query_in(words: tuple[str, ...]) -> str:
    if not words:
        raise click.UsageError("Give either a query or --ask.")
    if len(words) > 1:
        raise click.UsageError("A query is one argument: put it in quotes.")
    return words[0]


def _parameters_in(words: tuple[str, ...]) -> dict[str, str]:
    """The parameters of a question, by name."""
    given = dict[str, str]()
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"{word!r} is no parameter of a question; write NAME=VALUE, or leave --ask out.")
        if name in given:
            raise click.UsageError(f"The parameter {name!r} is given twice.")
        given[name] = value
    return given
