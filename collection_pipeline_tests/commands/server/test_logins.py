"""docs/access.md, to the letter: its SQL makes logins on a server that asks for passwords, its commands use them."""

from __future__ import annotations

import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from collection_pipeline.cli import main
from collection_pipeline.core.sellers.edits import NewSeller
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.server.access import ADMIN, ANALYST, PIPELINE
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded
from collection_pipeline.tables.server.migrating import may_migrate, migrate
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "access.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def named() -> Iterator[sa.URL]:
    """A server of its own, whose tables belong to somebody who is no superuser and may not even make roles."""
    home = Path(tempfile.mkdtemp(prefix="collection_pipeline_logins_"))
    home.chmod(0o755)
    try:
        server = start_embedded(home)
        url = create_database(server, "collection")
        roles = [f"CREATE ROLE {role} NOLOGIN" for role in (PIPELINE, ANALYST, ADMIN, "collection_reader")]
        execute(server, "CREATE ROLE owner LOGIN", "ALTER DATABASE collection OWNER TO owner", *roles)
        owner = create_engine(url.set(username="owner"))
        migrate(owner)
        Store(owner).edits.add("default", [NewSeller("not for anna")], Author("the owner"))
        owner.dispose()
        (home / "postgres" / "pg_hba.conf").write_text("local all postgres,owner trust\nlocal all all scram-sha-256\n")
        for block in blocks("sql"):
            execute(url, *(statement for statement in block.split(";") if statement.strip()))
        execute(server, "SELECT pg_reload_conf()")
        yield url
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


def execute(url: sa.URL, *statements: str) -> None:
    engine = create_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_every_command_of_the_page_as_the_login_that_it_is_for(
    named: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    said: dict[str, str] = {}
    for block in blocks("console"):
        environment = {"COLLECTION_HOME": str(tmp_path / "home")}
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ "))
            if words[0] == "export":
                name, _, value = words[1].partition("=")
                environment[name] = address(value, named) if value.startswith("postgresql") else value
                continue
            result = CliRunner(env=environment).invoke(main, words[1:])
            who = sa.make_url(environment["COLLECTION_DATABASE_URL"]).username
            assert result.exit_code == 0, f"{who}: {line}\n{result.output}"
            said[f"{who}: {' '.join(words[1:])}"] = result.output
    assert "Deal Hunter Ltd" in said["anna: sellers list"]
    assert not [line for line, output in said.items() if line.startswith("anna") and "not for anna" in output]
    assert "anna" in said["ada: sql SELECT role_name, org_id FROM analysts"]
    assert {line.split(":")[0] for line in said} == {"collector", "anna", "ada"}


def address(written: str, server: sa.URL) -> str:
    """The page's address, on the test's server."""
    login = sa.make_url(written)
    return server.set(username=login.username, password=login.password).render_as_string(hide_password=False)


def test_only_the_owner_migrates_and_up_takes_the_schema_as_it_is_for_everybody_else(named: sa.URL) -> None:
    for name, may in {"postgres": True, "owner": True, "collector": False, "anna": False, "ada": False}.items():
        engine = create_engine(named.set(username=name, password="…"))
        assert may_migrate(engine) is may, name
        engine.dispose()
