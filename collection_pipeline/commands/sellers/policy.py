"""What the data policy asks for: forgetting a seller, and deciding about names that changed their form."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.table import Table
from rich.text import Text

from collection_pipeline.commands.sellers.authors import person
from collection_pipeline.commands.session import errors_as_messages, stores
from collection_pipeline.commands.tables import json_option, print_json, print_table
from collection_pipeline.tables.sellers.key_change_decisions import Decision


@click.command("erase")
@click.argument("name")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@errors_as_messages
def erase(name: str, *, is_sure: bool) -> None:
    """Forget a seller everywhere, for good, and keep collections from finding it again. It is logged without the name.

    It is taken out of the lists of all organisations, of listings, of the audit log and of the past.
    docs/data-policy.md says what remains, and where else a name may stand.

    Example: collection-pipeline sellers erase deal_hunter
    """
    if not is_sure:
        click.confirm(f"Erase {name!r} from everything? This cannot be undone.", abort=True)
    with stores() as (_, store):
        lists = store.erasure.erase(name, person())
    click.echo(f"Erased from {lists} {'list' if lists == 1 else 'lists'} and everything else; it will not come back.")


@click.command("renamed")
@click.option(
    "--same-accounts",
    "decision",
    flag_value="same_accounts",
    help="They are the same accounts: keep them under their new keys.",
)
@click.option(
    "--other-accounts",
    "decision",
    flag_value="other_accounts",
    help="They are different accounts: add them as new sellers.",
)
@json_option
@errors_as_messages
def renamed(decision: Decision | None, *, is_json: bool) -> None:
    """Show listings that suddenly name other sellers in bulk, and decide what that means.

    A collection that meets them pauses, and its list stays as it was. Decide, then resume it.

    Example: collection-pipeline sellers renamed --same-accounts
    """
    with stores() as (settings, store):
        if decision is not None:
            count = store.key_changes.decide(settings.org_id, decision, person())
            click.echo(f"Decided: {decision.replace('_', ' ')}. {count:,} sellers have their new key.")
            return
        held = store.key_changes.held(settings.org_id)
        examples = store.key_changes.examples(settings.org_id)
    if is_json:
        print_json([asdict(change) for change in held])
        return
    if not held:
        click.echo("No change of names waits for a decision.")
        return
    for change in held:
        click.echo(
            f"{change.collection_id}, {change.category}: {change.changed_listings} of {change.known_listings} known "
            "listings name another seller than before."
        )
    table = Table("named before", "named now", "listings")
    for former, present, listings in examples:
        table.add_row(Text(former), Text(present), str(listings))
    print_table(table, whole=("named before", "named now"))
