"""The embedded Postgres on a port, as other tools reach it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from collection_pipeline.processes.running_services import free_port
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded
from collection_pipeline.tables.server.migrating import migrate
from collection_pipeline.tables.server.tools_port import LOGIN, make_login, offered, offered_port


@dataclass(frozen=True)
class Offered:
    """A server that listens on a port."""

    home: Path
    port: int
    url: sa.URL
    password: str

    def connect(self, user: str = LOGIN, password: str | None = None, host: str = "127.0.0.1") -> psycopg.Connection:
        return psycopg.connect(
            host=host,
            port=self.port,
            dbname="collection",
            user=user,
            password=self.password if password is None else password,
            connect_timeout=5,
            autocommit=True,
        )


@pytest.fixture(scope="module")
def server_on_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offered]:
    home, port = tmp_path_factory.mktemp("home"), free_port()
    with offered(home, port):
        url = create_database(start_embedded(home), "collection")
        engine = create_engine(url)
        migrate(engine)
        password = make_login(engine, home).read_text()
        assert make_login(engine, home).read_text() == password
        engine.dispose()
        try:
            yield Offered(home, port, url, password)
        finally:
            stop_embedded(home)
    assert not (home / "tools_port").exists()


def test_the_login_reads_every_list_and_changes_nothing(server_on_port: Offered) -> None:
    with server_on_port.connect() as connection:
        assert connection.execute("SELECT count(*) FROM seller_overview").fetchone() == (0,)
        for statement in ("DELETE FROM sellers", "CREATE TABLE mine (id int)", "SELECT pg_read_file('PG_VERSION')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


@pytest.mark.parametrize(
    ("user", "password"), [(LOGIN, "guessed"), (LOGIN, ""), ("postgres", ""), ("postgres", "guessed")]
)
def test_nobody_else_is_let_in(server_on_port: Offered, user: str, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"password|no pg_hba.conf entry"):
        server_on_port.connect(user, password)


def test_the_password_is_the_users_alone_and_in_no_log(server_on_port: Offered) -> None:
    file = server_on_port.home / "tools_password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert server_on_port.password not in (server_on_port.home / "postgres" / "log").read_text()


def test_whoever_joins_the_server_finds_it_under_its_number(server_on_port: Offered) -> None:
    engine = create_engine(start_embedded(server_on_port.home).set(database="collection"))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SHOW port")) == str(server_on_port.port)
        assert connection.scalar(sa.text("SHOW listen_addresses")) == "127.0.0.1"
    engine.dispose()


def test_a_killed_process_offers_no_port(tmp_path: Path) -> None:
    with offered(tmp_path, 5433):
        assert offered_port(tmp_path) == 5433
        (tmp_path / "tools_port").write_text("5433 999999999")
        assert offered_port(tmp_path) is None


def test_without_a_port_it_listens_on_none(tmp_path: Path) -> None:
    engine = create_engine(start_embedded(tmp_path))
    try:
        with engine.connect() as connection:
            assert connection.scalar(sa.text("SHOW listen_addresses")) == ""
    finally:
        engine.dispose()
        stop_embedded(tmp_path)
