"""What commands print: into a terminal of 80 columns, into a pipe, and as JSON."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.core.collecting.category_work import CategoryWork
from collection_pipeline.core.collecting.collections import Pause
from collection_pipeline.core.collecting.searches import SearchedPage, SearchStatus
from collection_pipeline.core.sellers.edits import NewSeller
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.running import COMMAND
from collection_pipeline_tests.tables.examples import collect, done, finish, listing, product, start

COLLECTION = "starter-20261123-141500-again-and-again"
CATEGORY = "kitchen-coffee-machines"
KEY = "a-seller-whose-name-is-as-long-as-ebay-allows-it-to-be-and-then-some"

Environment = Mapping[str, str]


@pytest.fixture
def environment(database: sa.URL, tmp_path: Path) -> Environment:
    return {
        **{name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")},
        "COLLECTION_DATABASE_URL": database.render_as_string(hide_password=False),
        "COLLECTION_HOME": str(tmp_path / "home"),
        "TERM": "xterm-256color",
    }


@pytest.fixture
def filled(store: Store) -> Store:
    store.catalogue.load(read_catalogue(STARTER_FILE))
    start(store, COLLECTION, CATEGORY)
    collect(store, COLLECTION, CATEGORY, {"B000000001": [listing("1", KEY, "190.00")]})
    finish(store, COLLECTION)
    store.snapshots.of_collection(COLLECTION)
    store.edits.add("default", [NewSeller("[bold]by hand[/bold]", "a note " * 30)], Author("anna"))
    return store


def piped(environment: Environment, *words: str) -> str:
    return subprocess.run((COMMAND, *words), env=environment, capture_output=True, text=True, check=True).stdout


def in_terminal(environment: Environment, *words: str) -> str:
    """What a command prints into a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen((COMMAND, *words), env={**environment, "COLUMNS": "80"}, stdout=theirs, stdin=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # Linux says EIO once the other end is closed
            break
    os.close(ours)
    assert process.wait() == 0
    return shown.decode()


LISTS = {
    "collections list": (COLLECTION,),
    "catalogue list": (CATEGORY, "289745"),
    "sellers list": (KEY,),
    "sellers history": (COLLECTION,),
    f"sellers history {KEY}": (KEY,),
    "sellers diff 2026-01-01 2100-01-01": (KEY,),
    "sellers list --at 2100-01-01": (KEY,),
}
"""Commands that list, and what of their tables people copy."""


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("command", LISTS)
def test_nothing_is_cut_off_that_is_copied(environment: Environment, command: str) -> None:
    for shown in (in_terminal(environment, *command.split()), piped(environment, *command.split())):
        assert all(copied in shown for copied in LISTS[command])
        assert "…" not in shown


@pytest.mark.usefixtures("filled")
def test_a_row_is_one_line_where_output_is_no_terminal(environment: Environment) -> None:
    shown = piped({**environment, "COLUMNS": "80"}, "sellers", "list")
    [line] = [line for line in shown.splitlines() if "[bold]by hand[/bold]" in line]
    assert line.count("a note") == 30


@pytest.mark.usefixtures("filled")
def test_a_terminal_breaks_what_is_long_and_need_not_be_copied(environment: Environment) -> None:
    shown = in_terminal(environment, "sql", "SELECT repeat('word ', 100) AS text, 1 AS n")
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines())) <= 80
    assert shown.count("word") == 100


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("command", LISTS)
def test_whatever_lists_prints_json_too(environment: Environment, command: str) -> None:
    rows = json.loads(piped(environment, *command.split(), "--json"))
    assert rows
    assert any(copied in row.values() for row in rows for copied in LISTS[command])


@pytest.mark.usefixtures("filled")
def test_json_keeps_what_is_missing_and_what_is_a_number(environment: Environment) -> None:
    [collection] = json.loads(piped(environment, "collections", "list", "--json"))
    assert collection["seller_count_snapshot"] == 1
    assert collection["cost_cap"] is None
    assert datetime.fromisoformat(collection["started_at"]).tzinfo is not None
    [shown] = json.loads(piped(environment, "collections", "show", COLLECTION, "--json"))
    assert (shown["sellers_found"], shown["failures"]) == (1, [])
    assert shown.items() >= collection.items()
    assert json.loads(piped(environment, "sellers", "renamed", "--json")) == []


def failing(store: Store) -> None:
    """A paused collection of which two searches failed for the same reason, and nothing has been merged."""
    start(store, COLLECTION, CATEGORY)
    asins = [f"B00000000{n}" for n in (1, 2, 3)]
    products = [product(asin, position) for position, asin in enumerate(asins, 1)]
    store.products.replace("default", COLLECTION, CATEGORY, products, calls=1)
    store.searches.plan(CategoryWork("default", COLLECTION, CATEGORY, "run"))
    checkpoints = store.searches.checkpoints("default", COLLECTION)
    for asin in asins[:2]:
        failed = SearchedPage(asin, SearchStatus.FAILED, reason="rejected", error_stage="api", calls=1)
        checkpoints.record(replace(failed, error_message=f"eBay refuses the search for {asin}."), [])
    checkpoints.record(done(asins[2]), [listing("3", KEY)])
    store.control.pause(COLLECTION, Pause("by_hand", "Paused by anna."))


def test_failures_are_grouped_with_the_command_that_tries_again(environment: Environment, store: Store) -> None:
    failing(store)
    shown = piped(environment, "collections", "show", COLLECTION)
    assert shown.count("eBay refuses the search") == 1
    assert re.search(r"2 × product.*rejected.*api.*" + CATEGORY, shown)
    assert f"collection-pipeline collections resume {COLLECTION}" in shown
    assert piped(environment, "collections", "show", COLLECTION, "--all").count("eBay refuses the search") == 2
    [listed] = json.loads(piped(environment, "collections", "show", COLLECTION, "--json"))
    [group] = listed["failure_groups"]
    assert (group["count"], group["categories"], len(listed["failures"])) == (2, [CATEGORY], 2)


def test_costs_are_said_in_money_where_a_price_is_known(environment: Environment, store: Store) -> None:
    failing(store)
    [unknown] = json.loads(piped(environment, "collections", "show", COLLECTION, "--json"))
    assert unknown["cost_in_money"] is None
    assert "Cost" not in piped(environment, "collections", "show", COLLECTION)
    priced = {**environment, "COLLECTION_EBAY_PRICE": "0.01 EUR"}
    assert re.search(r"Cost\W+0\.03 EUR", piped(priced, "collections", "show", COLLECTION))


def test_sellers_are_not_called_none_before_they_are_merged(environment: Environment, store: Store) -> None:
    failing(store)
    shown = piped(environment, "collections", "show", COLLECTION)
    assert re.search(r"Sellers found\W+no category is at its end yet", shown)
    assert re.search(r"Searches\W+3 of 3", shown)


@pytest.mark.usefixtures("filled")
def test_no_color_is_without_color(environment: Environment) -> None:
    colored = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7])[;m]")
    words = ("catalogue", "list")
    assert colored.search(in_terminal(environment, *words))
    assert not colored.search(in_terminal({**environment, "NO_COLOR": "1"}, *words))
    assert "\x1b" not in piped(environment, *words)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("colections list", "'collections'"),
        ("colect", "Did you mean"),
        ("sellers exprt", "Did you mean 'export'?"),
        ("collect --prest starter", "Did you mean '--preset'?"),
        ("collect --preset startr", "Did you mean starter?"),
        ("collect --category Kitchen-Coffee-Machine", f"Did you mean {CATEGORY}"),
        ("collect --again starter-20261123-141500-again", f"Did you mean {COLLECTION}?"),
        ("collections show starter-20261123-141500-agian-and-again", f"Did you mean {COLLECTION}?"),
        ("collections pause starter-20261123", f"Did you mean {COLLECTION}?"),
        ("catalogue check --category kitchen-coffe", f"{CATEGORY}"),
        ("sellers list --category kitchen-coffee-machine", f"Did you mean {CATEGORY}"),
        ("sellers list --collection starter-20261123-141500-agian", f"Did you mean {COLLECTION}?"),
        ("sql --ask new_seler", "Did you mean new_sellers"),
    ],
)
def test_a_misspelt_name_is_answered_with_what_may_be_meant(environment: Environment, words: str, meant: str) -> None:
    refused = subprocess.run((COMMAND, *words.split()), env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode in (1, 2)
    assert meant in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_a_shell_is_a_script_that_it_reads(environment: Environment, shell: str) -> None:
    script = piped(environment, "completion", shell)
    assert "_COLLECTION_PIPELINE_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run((shell, "-n"), input=script, text=True, check=True)


def test_bash_completes_commands_options_and_values(environment: Environment) -> None:
    path = f"{Path(COMMAND).parent}:{os.environ['PATH']}"
    for line, completed in (
        ("collection-pipeline coll", {"collect", "collections"}),
        ("collection-pipeline sellers exp", {"export"}),
        ("collection-pipeline sql --ask sellers_", {"sellers_by_best_sellers", "sellers_of_a_category"}),
        ("collection-pipeline sql --format js", {"json", "jsonl"}),
        ("collection-pipeline completion z", {"zsh"}),
    ):
        asking = f"""
            eval "$(collection-pipeline completion bash)"
            COMP_WORDS=({line}); COMP_CWORD={len(line.split()) - 1}
            _collection_pipeline_completion collection-pipeline; printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        asked = subprocess.run(
            ("bash", "-c", asking), env={**environment, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert set(asked.stdout.split()) == completed, asked.stderr
