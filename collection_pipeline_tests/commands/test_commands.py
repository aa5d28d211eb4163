"""Commands as people type them. Whatever is wrong: one clear sentence, exit code 1, no traceback."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from collection_pipeline.cli import main
from collection_pipeline.commands.server.up import up
from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.feed.__main__ import main as feed
from collection_pipeline.orchestration.instance.webserver import main as webserver
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.simulator.__main__ import main as simulator
from collection_pipeline.tables.server.embedded import create_database
from collection_pipeline.tables.server.locating import dagster_database
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import collect, listing, start

CATALOGUE = """\
departments:
  - {key: ours, name: Ours, categories: [{key: ours-kayaks, name: Kayaks, node: "99900001"}]}
presets:
  - {key: nothing, name: Nothing yet, categories: []}
"""


@pytest.fixture
def environment(database: sa.URL, tmp_path: Path) -> dict[str, str]:
    return {
        "COLLECTION_DATABASE_URL": database.render_as_string(hide_password=False),
        "COLLECTION_HOME": str(tmp_path / "home"),
    }


def run(environment: Mapping[str, str], *words: str) -> Result:
    return CliRunner().invoke(main, words, env=environment)


def refused(result: Result) -> str:
    """The sentence with which a command refused; it must be the only thing it says."""
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    assert result.stderr.startswith("Error: ")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stderr


def test_up_neither_closes_nor_fills_a_folder_that_others_share(environment: Mapping[str, str], tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "minutes.txt").touch()
    assert "holds other things" in refused(run({**environment, "COLLECTION_HOME": str(shared)}, "up"))
    assert [file.name for file in shared.iterdir()] == ["minutes.txt"]
    assert shared.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("port", ["99999", "65536", "-1", "three", "3000.5"])
@pytest.mark.parametrize(
    ("command", "option"),
    [(up, "--port"), (up, "--feed-port"), (simulator, "--port"), (feed, "--port"), (webserver, "--port")],
)
def test_a_port_that_is_none_is_refused_in_one_sentence(command: click.Command, option: str, port: str) -> None:
    answer = CliRunner().invoke(command, [f"{option}={port}"])
    assert answer.exit_code == 2
    assert f"Error: Invalid value for '{option}'" in answer.stderr
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["collect", "--category", "kitchen-cofee-machines"], "Did you mean kitchen-coffee-machines"),
        (["collect", "--preset", "startr"], "There is no preset 'startr'. Did you mean starter? There are: starter"),
        (["collect", "--preset", "nothing"], "has no categories"),
        (["collect", "--min-markup", "120", "--max-markup", "80"], "upside down"),
        (["collect", "--name", "a b"], "cannot name a collection"),
        (["collections", "show", "nope"], "There is no collection 'nope'"),
        (["catalogue", "check", "--category", "ours-kayaks"], "no marketplace credentials"),
        (["catalogue", "load", "missing.yaml"], "cannot be read"),
        (["sql", "SELEC"], "syntax error"),
        (["sql", "--ask", "new_seller"], "Did you mean new_sellers"),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(
    store: Store, environment: dict[str, str], tmp_path: Path, words: list[str], said: str
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(CATALOGUE)
    store.catalogue.load(read_catalogue(STARTER_FILE, own))
    assert said in refused(run(environment, *words))
    assert store.collections.all() == []


def test_a_budget_is_planned_and_told_before_anything_starts(store: Store, environment: dict[str, str]) -> None:
    store.catalogue.load(read_catalogue(STARTER_FILE))
    told = run(environment, "collect", "--budget", "30", "--estimate").stdout
    assert "30 ebay calls" in told
    assert "Its plan: 30 searches with 30 calls, expecting 128 new sellers (" in told
    assert "over budget" in told
    assert store.collections.all() == []
    started = run(environment, "collect", "--budget", "30").stdout
    assert "Its plan: 30 searches with 30 calls" in started


def test_a_budget_in_money_pays_for_lists_and_searches(store: Store, environment: dict[str, str]) -> None:
    store.catalogue.load(read_catalogue(STARTER_FILE))
    words = ("collect", "--budget", "1 USD", "--estimate")
    assert "COLLECTION_OXYLABS_PRICE" in refused(run(environment, *words))
    half = {**environment, "COLLECTION_OXYLABS_PRICE": "0.01 USD"}
    assert "COLLECTION_EBAY_PRICE" in refused(run(half, *words))
    priced = {**half, "COLLECTION_EBAY_PRICE": "0.02 USD"}
    told = run(priced, *words).stdout  # 24 pages of best sellers leave 0.76
    assert "Its plan: 38 searches with 38 calls" in told
    assert "which is about 1.00 USD" in told
    assert "pays for no search" in refused(run(priced, "collect", "--budget", "0.25 USD", "--estimate"))
    assert "an amount such as 25 USD" in refused(run(priced, "collect", "--budget", "a lot"))


@pytest.mark.parametrize("command", [["collect"], ["sql", "SELECT 1"], ["up"], ["collections", "list"]])
def test_half_of_the_credentials_is_refused_by_every_command(environment: dict[str, str], command: list[str]) -> None:
    assert "EBAY_CLIENT_SECRET" in refused(run({**environment, "EBAY_CLIENT_ID": "id"}, *command))


def test_a_database_that_is_down_is_named(environment: dict[str, str]) -> None:
    down = {**environment, "COLLECTION_DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/db"}
    for command in (["collect"], ["sql", "SELECT 1"], ["database", "migrate"], ["catalogue", "list"]):
        said = refused(run(down, *command))
        assert "does not answer" in said
        assert "hunter2" not in said


def test_an_older_schema_is_refused_with_the_command_that_helps(server: sa.URL, environment: dict[str, str]) -> None:
    empty = create_database(server, "older_schema").render_as_string(hide_password=False)
    older = {**environment, "COLLECTION_DATABASE_URL": empty}
    assert "database migrate" in refused(run(older, "collect"))
    assert run(older, "database", "migrate").exit_code == 0
    assert run(older, "collections", "list").exit_code == 0


def test_a_port_that_is_taken_is_refused(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"--port {port + 1}" in refused(run(environment, "up", "--port", str(port)))


def test_a_wrong_catalogue_is_refused_and_the_old_one_stays(
    store: Store, environment: dict[str, str], tmp_path: Path
) -> None:
    store.catalogue.load(read_catalogue(STARTER_FILE))
    before = store.catalogue.current()
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(CATALOGUE.replace("99900001", "289745"))
    said = refused(run(environment, "catalogue", "load", str(wrong)))
    assert "wrong.yaml, line 2" in said
    assert "already that of 'kitchen-coffee-machines'" in said
    assert store.catalogue.current() == before


def test_a_catalogue_of_ones_own_is_in_force_once_loaded_and_gone_with_the_next_one(
    store: Store, environment: dict[str, str], tmp_path: Path
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(CATALOGUE)
    assert run(environment, "catalogue", "load", str(own)).exit_code == 0
    assert store.catalogue.current().categories["ours-kayaks"].name == "Kayaks"
    assert "ours-kayaks" in run(environment, "catalogue", "list").output
    assert run(environment, "catalogue", "load").exit_code == 0
    assert "ours-kayaks" not in store.catalogue.current().categories


def test_a_started_collection_is_planned_with_its_band(store: Store, environment: dict[str, str]) -> None:
    store.catalogue.load(read_catalogue(STARTER_FILE))
    words = ["collect", "--name", "mine", "--category", "pets-dogs", "--min-markup", "50", "--max-markup", "60.5"]
    assert run(environment, *words).exit_code == 0
    [collection] = store.collections.all()
    assert collection.collection_id == "mine"
    assert collection.band is not None
    assert [str(collection.band.min_markup_percent), str(collection.band.max_markup_percent)] == ["50.00", "60.50"]
    assert "is the same" in run(environment, *[word if word != "mine" else "again" for word in words]).output


@pytest.mark.parametrize(("form", "shown"), [("csv", "n\nann\n"), ("json", '[{"n":"ann"}]\n')])
def test_rows_are_printed_as_asked(store: Store, environment: dict[str, str], form: str, shown: str) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann")]})
    query = "SELECT display_name AS n FROM sellers"
    assert run(environment, "sql", query, "--format", form).output == shown
    assert "ann" in run(environment, "sql", query).output
    assert "ann" in run(environment, "sql", "--ask", "new_sellers", "--format", form).output or form


def test_names_from_a_marketplace_are_text_and_not_markup(store: Store, environment: dict[str, str]) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {"B000000001": [listing("1", "[red]ann[/red]")]})
    assert "[red]ann[/red]" in run(environment, "sql", "SELECT display_name FROM sellers").output


@pytest.mark.parametrize(
    "command",
    [
        "up",
        "collect",
        "sql",
        "collections list",
        "collections show",
        "catalogue list",
        "catalogue check",
        "catalogue load",
        "database migrate",
        "database url",
    ],
)
def test_every_command_explains_itself_with_an_example(environment: dict[str, str], command: str) -> None:
    shown = run(environment, *command.split(), "--help")
    assert shown.exit_code == 0
    assert "Example:" in shown.output


def test_the_address_handed_to_dagster_names_its_driver(tmp_path: Path) -> None:
    # A plain postgresql:// means psycopg 3 from SQLAlchemy 2.1 on, which rejects Dagster's NOTIFY with a parameter.
    settings = Settings.from_mapping({"COLLECTION_HOME": str(tmp_path)})
    with dagster_database(settings, "postgresql://me:secret@db.example/dagster") as address:
        assert address == "postgresql+psycopg2://me:secret@db.example/dagster"
