"""The seller list from the command line: every command as people type it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from benchmarks.matching import read_pairs
from collection_pipeline.cli import main
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.attacks.hostile_files import ENDS_THE_PROCESS
from collection_pipeline_tests.tables.examples import collect, listing, rows, start


@pytest.fixture
def environment(database: sa.URL, tmp_path: Path) -> dict[str, str]:
    return {
        "COLLECTION_DATABASE_URL": database.render_as_string(hide_password=False),
        "COLLECTION_HOME": str(tmp_path / "home"),
        "COLLECTION_ACTOR": "anna",
        "COLUMNS": "200",
    }


def sellers(environment: Mapping[str, str], *words: str) -> Result:
    return CliRunner().invoke(main, ["sellers", *words], env=environment)


def said(environment: Mapping[str, str], *words: str) -> str:
    result = sellers(environment, *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(environment: Mapping[str, str], *words: str) -> str:
    result = sellers(environment, *words)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output
    return result.stderr


def test_listings_are_looked_at_judged_and_handed_on(environment: dict[str, str], store: Store, tmp_path: Path) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {"B000000001": [listing("101", "ann"), listing("102", "bob")]})
    store.matches.fill()
    assert "2 rows" in said(environment, "listings", "list", "--category", "books")
    assert "1 listing confirmed." in said(environment, "listings", "confirm", "101", "--why", "[b]same[/]")
    assert "1 listing rejected." in said(environment, "listings", "reject", "102")
    assert "confirmed by anna: [b]same[/]" in said(environment, "listings", "list", "--seller", "ANN")
    [shown] = json.loads(said(environment, "listings", "list", "--asin", "B000000001", "--below", "0.5", "--json"))
    assert (shown["listing_id"], shown["match"], shown["match_reasons"]) == ("102", 0, "rejected by anna")
    file = tmp_path / "pairs.tsv"
    assert "2 pairs" in said(environment, "listings", "export-pairs", str(file))
    assert [(pair.one.title, pair.other.price, pair.is_same) for pair in read_pairs(file)] == [
        ("Title of B000000001", Decimal("200.00"), True),
        ("Title of B000000001", Decimal("200.00"), False),
    ]
    assert "is there already" in refused(environment, "listings", "export-pairs", str(file))
    assert "judged by title again" in said(environment, "listings", "undo", "101", "102")
    assert "there is no judgement" in refused(environment, "listings", "undo", "101")
    assert "Say which listings" in refused(environment, "listings", "list")


def test_a_day_with_the_list(environment: dict[str, str], store: Store) -> None:
    assert "2 sellers bulk added; the list holds 2 now. Change 1." in said(environment, "add", "alpha", "[red]beta[/]")
    assert "1 seller updated" in said(environment, "update", "alpha", "--rename", "Alpha Ltd", "--note", "kind")
    assert "1 seller flagged" in said(environment, "flag", "alpha")
    listed = said(environment, "list", "--flagged")
    assert "Alpha Ltd" in listed
    assert "beta" not in listed
    assert "[red]beta[/]" in said(environment, "list"), "names are shown as they are"
    assert "1 seller removed; the list holds 1 now" in said(environment, "remove", "[red]beta[/]")
    assert "1 rows" in said(environment, "list")
    assert "2 rows" in said(environment, "list", "--with-removed")
    assert "2 rows" in said(environment, "list", "--at", "1")
    assert "undone; the list holds 2 now" in said(environment, "undo", "4")
    history = said(environment, "history")
    for word in ("bulk_added", "updated", "flagged", "removed", "undone", "anna"):
        assert word in history
    assert "Alpha Ltd" in said(environment, "history", "alpha")
    changed = said(environment, "diff", "1", "5")
    assert "alpha" in changed
    assert "Alpha Ltd ⚑ (kind)" in changed
    assert rows(store, "SELECT DISTINCT actor FROM seller_audit_log") == [("anna",)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["add", " "], "cannot be a seller"),
        (["remove", "nobody"], "'nobody' is not on the list"),
        (["update", "nobody", "--note", "x"], "'nobody' is not on the list"),
        (["undo", "7"], "There is no change 7"),
        (["diff", "yesterday", "1"], "'yesterday' is no moment"),
        (["list", "--at", "99"], "There is no change 99 of this list"),
        (["export", "sellers.doc"], "does not say its format"),
        (["export", "sellers.csv", "--hash-names"], "COLLECTION_NAME_KEY"),
        (["renamed", "--same-accounts"], "No change of names waits"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    environment: dict[str, str],
    store: Store,
    words: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert expected in refused(environment, *words)
    assert rows(store, "SELECT * FROM seller_audit_log") == []
    assert [file for file in tmp_path.iterdir() if file.is_file()] == []


def test_a_file_is_looked_at_imported_and_taken_back(environment: dict[str, str], store: Store, tmp_path: Path) -> None:
    file = tmp_path / "fair.csv"
    file.write_bytes("Händler;Notiz\nälpha;größer\nbeta;\nBETA ;twice\n".encode("cp1252"))
    columns = ("--name-column", "Händler", "--note-column", "Notiz")
    dry = said(environment, "import", str(file), "--dry-run", *columns)
    assert "row 2: ADD 'älpha'" in dry
    assert "row 4: DUPLICATE" in dry
    assert "Nothing was changed." in dry
    assert rows(store, "SELECT * FROM sellers") == []
    assert "sellers undo 1" in said(environment, "import", str(file), *columns)
    assert rows(store, "SELECT seller_key, note FROM sellers ORDER BY 1") == [("beta", None), ("älpha", "größer")]
    assert "Nothing had to be changed" in said(environment, "import", str(file), *columns)
    said(environment, "undo", "1")
    assert rows(store, "SELECT * FROM sellers") == []


def test_a_workbook_that_ends_its_reader_is_refused_in_one_sentence(
    environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "s.xlsx"
    file.write_bytes(ENDS_THE_PROCESS["a > in an attribute"])
    assert "s.xlsx cannot be imported. Reading it takes more than" in refused(environment, "import", str(file))


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet", "xlsx"])
def test_an_export_comes_back_as_it_went(
    environment: dict[str, str], store: Store, tmp_path: Path, suffix: str
) -> None:
    start(store, "c1", "home")
    collect(store, "c1", "home", {"B000000001": [listing("1", "=cmd|calc"), listing("2", "beta")]})
    said(environment, "update", "beta", "--rename", "Beta Ltd", "--note", "+49 30 1234")
    said(environment, "flag", "beta")
    file = tmp_path / f"all.{suffix}"
    assert "2 sellers (all) are in" in said(environment, "export", str(file))
    exported = rows(store, "SELECT actor, file, selection, sellers, are_names_hashed FROM seller_exports")
    assert exported == [("anna", f"all.{suffix}", "all", 2, False)]
    assert "0 rows" in said(environment, "list", "--never-exported")
    if suffix == "parquet":
        assert set(pd.read_parquet(file)["seller_key"]) == {"=cmd|calc", "beta"}
        return
    assert "2 unchanged" in said(environment, "import", str(file), "--dry-run")


def test_an_export_replaces_an_export_and_nothing_else_unless_forced(
    environment: dict[str, str], tmp_path: Path
) -> None:
    said(environment, "add", "alpha")
    file, link = tmp_path / "mine.csv", tmp_path / "link.csv"
    file.write_text("name\nwork of weeks\n")
    link.symlink_to(file)
    assert "is there already and no export" in refused(environment, "export", str(file))
    assert "no regular file" in refused(environment, "export", str(link), "--force")
    assert "work of weeks" in file.read_text()
    said(environment, "export", str(file), "--force")
    assert "alpha" in file.read_text()
    said(environment, "add", "beta")
    said(environment, "export", str(file))
    assert "beta" in file.read_text()


def test_an_export_can_be_chosen_and_nameless(environment: dict[str, str], store: Store, tmp_path: Path) -> None:
    start(store, "c1", "home")
    collect(store, "c1", "home", {"B000000001": [listing("1", "alpha")]})
    said(environment, "add", "by_hand")
    environment["COLLECTION_NAME_KEY"] = "a secret of this test"
    file = tmp_path / "found.csv"
    assert "1 sellers (category home) are in" in said(
        environment, "export", str(file), "--category", "home", "--hash-names"
    )
    content = file.read_text()
    assert "alpha" not in content
    assert "anon-" in content
    assert "1 sellers (collection c1)" in said(environment, "export", str(file), "--collection", "c1")
    assert "alpha" in file.read_text()


def test_a_seller_is_erased_after_a_question(environment: dict[str, str], store: Store, tmp_path: Path) -> None:
    said(environment, "add", "shy")
    assert sellers(environment, "erase", "shy").exit_code == 1
    assert store.sellers.count("default") == 1
    assert "Erased from 1 list" in said(environment, "erase", "shy", "--yes")
    assert "erased on request" in refused(environment, "add", "shy")
    file = tmp_path / "old.csv"
    file.write_text("name\nalpha\nbeta\nShy\n")
    assert "row 4: INVALID 'Shy': names a seller who was erased" in said(environment, "import", str(file), "--dry-run")
    assert "row 4" in refused(environment, "import", str(file))
    assert rows(store, "SELECT * FROM sellers") == []


def test_a_login_that_may_not_erase_is_told_so_in_one_sentence(
    environment: dict[str, str], database: sa.URL, store: Store
) -> None:
    said(environment, "add", "shy")
    with store.engine.begin() as connection:
        connection.execute(sa.text("CREATE ROLE collector LOGIN IN ROLE collection_pipeline"))
    collector = {**environment, "COLLECTION_DATABASE_URL": database.set(username="collector").render_as_string()}
    assert "permission denied" in refused(collector, "erase", "shy", "--yes")
    assert "docs/access.md" in refused(collector, "erase", "shy", "--yes")
    assert store.sellers.count("default") == 1


def test_nothing_is_renamed_as_long_as_nothing_is_held(environment: dict[str, str], store: Store) -> None:
    assert store.key_changes.held("default") == []
    assert "No change of names waits" in said(environment, "renamed")
