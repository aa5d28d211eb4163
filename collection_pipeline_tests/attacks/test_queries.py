"""What a statement given to `sql` or `query` tries beyond reading: programs, files, sessions, roles, memory, time."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from collection_pipeline import query
from collection_pipeline.cli import main
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.edits import NewSeller
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded
from collection_pipeline.tables.server.locating import application_database
from collection_pipeline.tables.server.migrating import migrate
from collection_pipeline.tables.store import Store, open_store
from collection_pipeline_tests.running import COMMAND
from collection_pipeline_tests.tables.examples import rows
from collection_pipeline_tests.waiting import await_true

URL = "COLLECTION_DATABASE_URL"

OF_THE_PRODUCT = {
    "SELECT * FROM locks",
    "SELECT * FROM activity_channel",
    "SELECT pg_notify('activity', 'default')",
}

STATEMENTS = (
    "COPY (SELECT 1) TO PROGRAM 'touch {loot}'",
    "COPY sellers TO '{loot}'",
    "COPY sellers FROM PROGRAM 'cat /etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT * FROM pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(lo_from_bytea(0, 'x'), '{loot}')",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT pg_notify('activity', 'default')",
    "NOTIFY activity, 'default'",
    "LISTEN activity",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_switch_wal()",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
    "ALTER SYSTEM SET archive_command = 'touch {loot}'",
    "SELECT pg_advisory_lock(7302115)",
    "SELECT pg_try_advisory_lock(hashtext('in flight: ebay'), n) FROM generate_series(1, 25) n",
    "SELECT * FROM locks FOR UPDATE",
    "SELECT * FROM sellers FOR UPDATE",
    "LOCK TABLE sellers",
    "SELECT * FROM locks",
    "SELECT * FROM activity_channel",
    "SELECT nextval('seller_audit_log_id_seq')",
    "SELECT setval('seller_audit_log_id_seq', 1)",
    "SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(x int)",
    "CREATE EXTENSION dblink",
    "CREATE TABLE mine (x int)",
    "CREATE TEMPORARY TABLE mine (x int)",
    "SELECT 1 AS x INTO mine",
    "EXPLAIN ANALYZE DELETE FROM sellers",
    "SET ROLE postgres",
    "RESET ROLE",
    "RESET SESSION AUTHORIZATION",
    "SET SESSION AUTHORIZATION postgres",
    "SELECT set_config('role', 'postgres', false)",
    "SELECT set_config('session_authorization', 'postgres', false)",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT query_to_xml('RESET ROLE', true, true, '')",
    "SELECT query_to_xml('DELETE FROM sellers', true, true, '')",
    "SELECT 1; COMMIT; DELETE FROM sellers",
    "COMMIT; DELETE FROM sellers",
    "DO $$ BEGIN DELETE FROM sellers; END $$",
    "DO $$ BEGIN COMMIT; DELETE FROM sellers; END $$",
    "WITH gone AS (DELETE FROM sellers RETURNING 1) SELECT * FROM gone",
    "PREPARE evil AS DELETE FROM sellers",
    "DECLARE other CURSOR FOR SELECT 1",
    "CLOSE answer",
    "GRANT ALL ON sellers TO PUBLIC",
    "CREATE ROLE me SUPERUSER",
    "BEGIN READ WRITE",
    "ROLLBACK",
    "VACUUM",
)

Environment = dict[str, str]


@pytest.fixture(scope="module")
def embedded() -> Iterator[Environment]:
    """The product without any setting but its folder, with one seller on the list."""
    home = Path(tempfile.mkdtemp(prefix="collection_pipeline_queries_"))
    home.chmod(0o755)
    environment = {"COLLECTION_HOME": str(home)}
    with application_database(Settings.from_mapping(environment)) as url:
        engine = create_engine(url)
        migrate(engine)
        Store(engine).edits.add("default", [NewSeller("alpha")], Author("anna"))
        engine.dispose()
    yield environment
    stop_embedded(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=["embedded", "superuser", "owner", "collection_pipeline", "collection_analyst"])
def environment(request: pytest.FixtureRequest) -> Environment:
    """Every kind of login that a query can be given to."""
    if request.param == "embedded":
        embedded: Environment = request.getfixturevalue("embedded")
        return embedded
    url: sa.URL = request.getfixturevalue("database")
    store: Store = request.getfixturevalue("store")
    store.edits.add("default", [NewSeller("alpha")], Author("anna"))
    if request.param != "superuser":
        url = url.set(username=f"{request.param}_{url.database}")
        with store.engine.begin() as connection:
            role = "" if request.param == "owner" else f"IN ROLE {request.param}"
            connection.exec_driver_sql(f"CREATE ROLE {url.username} LOGIN {role}")
            connection.exec_driver_sql(f"INSERT INTO analysts VALUES ('{url.username}', 'default')")
            if request.param == "owner":
                for (name,) in connection.exec_driver_sql(
                    "SELECT relname FROM pg_class "
                    "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
                ):
                    connection.exec_driver_sql(f"ALTER TABLE {name} OWNER TO {url.username}")
    return {"COLLECTION_DATABASE_URL": url.render_as_string(hide_password=False)}


def test_statements_that_do_more_than_read(environment: Environment, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    loot = tmp_path / "loot"
    with listening(environment) as listener:
        done = {statement for statement in STATEMENTS if runs(environment, statement.replace("{loot}", str(loot)))}
        listener.execute("NOTIFY activity, 'the end'")
        heard = {notice.payload for notice in listener.notifies(timeout=5, stop_after=1)}
    # What a login of the product's may read, a query given to it may read. What it announces is rolled back.
    is_product = "owner_" in str(environment) or "collection_pipeline_test" in environment.get(URL, "")
    assert done <= (OF_THE_PRODUCT if is_product else set())
    assert heard == {"the end"}
    assert not loot.exists()
    assert query.sql("SELECT display_name FROM sellers", environment=environment).values.tolist() == [["alpha"]]


def runs(environment: Environment, statement: str) -> bool:
    try:
        query.sql(statement, environment=environment)
    except PipelineError:
        return False
    return True


@contextmanager
def listening(environment: Environment) -> Iterator[psycopg.Connection]:
    """Somebody who hears what is announced where the attacks announce."""
    with application_database(Settings.from_mapping(environment)) as url:
        admin = url.set(drivername="postgresql", username="postgres").render_as_string(hide_password=False)
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("LISTEN activity")
            yield connection


def test_a_statement_that_keeps_the_database_busy(embedded: Environment) -> None:
    for statement in (
        "SELECT pg_sleep(60)",
        "SELECT count(*) FROM generate_series(1, 1000000000000)",
        # Each row takes little time, and the first one takes the limit away.
        "SELECT n, set_config('statement_timeout', '0', true), pg_sleep(0.01) FROM generate_series(1, 100000) n",
    ):
        began = time.monotonic()
        with pytest.raises(PipelineError, match=r"stopped after 0.5 s.*--timeout"):
            query.sql(statement, timeout_s=0.5, environment=embedded)
        assert time.monotonic() - began < 30, statement
    assert len(query.sql("SELECT pg_sleep(0.6)", timeout_s=0, environment=embedded)) == 1


def test_more_rows_than_fit_into_memory(embedded: Environment) -> None:
    """300 MB of rows take no more memory than one."""
    one, many = (
        peak_memory_mb(embedded, f"SELECT generate_series(1, {count}) AS n, repeat('x', 1000) AS x", form)
        for count, form in ((1, "csv"), (300_000, "csv"))
    )
    as_json, as_jsonl = (
        peak_memory_mb(embedded, "SELECT generate_series(1, 300000) AS n, repeat('x', 1000) AS x", form)
        for form in ("json", "jsonl")
    )
    assert max(many, as_json, as_jsonl) < one + 40


def peak_memory_mb(environment: Environment, statement: str, form: str) -> float:
    command = (COMMAND, "sql", statement, "--limit", "0", "--format", form)
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / 1024


def test_more_rows_than_the_limit_are_cut_off_and_it_is_said_beside_the_data(embedded: Environment) -> None:
    many = "SELECT generate_series(1, 1000) AS n"
    for form, lines in (("csv", 702), ("json", 701), ("table", 705)):
        result = command(embedded, "sql", many, "--format", form, "--limit", "701")
        assert result.exit_code == 0
        assert len(result.stdout.splitlines()) == lines
        assert "the first 701 rows" in result.stderr
        assert "--limit" in result.stderr
    assert command(embedded, "sql", many, "--limit", "1000").stderr == ""
    assert command(embedded, "sql", many, "--limit", "0").stderr == ""
    assert "the first 10,000 rows" in command(embedded, "sql", "SELECT generate_series(1, 10001)").stderr
    with pytest.warns(UserWarning, match="the first 701 rows"):
        assert len(query.sql(many, limit=701, environment=embedded)) == 701


def test_two_columns_of_one_name(embedded: Environment) -> None:
    twice = "SELECT 1 AS a, 2 AS a, 3 AS a_2"
    assert command(embedded, "sql", twice, "--format", "csv").stdout == "a,a,a_2\n1,2,3\n"
    assert command(embedded, "sql", twice, "--format", "json").stdout == '[{"a":1,"a_3":2,"a_2":3}]\n'
    assert "a_2" in command(embedded, "sql", twice).stdout
    assert list(query.sql(twice, environment=embedded).columns) == ["a", "a", "a_2"]


def test_a_login_that_was_made_for_a_query_does_not_outlast_it(embedded: Environment) -> None:
    made = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'collection_query_%'"
    assert len(query.sql(made, environment=embedded)) == 1
    with application_database(Settings.from_mapping(embedded)) as url, open_store(url) as store:
        assert rows(store, made) == []
        runs(embedded, "SELEC")
        assert rows(store, made) == []
        with store.engine.begin() as connection:
            connection.exec_driver_sql("CREATE ROLE collection_query_of_a_killed_one LOGIN VALID UNTIL 'yesterday'")
        assert runs(embedded, "SELECT 1")
        assert rows(store, made) == []


def test_a_server_that_asks_for_passwords() -> None:
    """The login that a query gets has one, and a server that refuses it is named a reader of its own."""
    home = Path(tempfile.mkdtemp(prefix="collection_pipeline_passwords_"))
    home.chmod(0o755)
    try:
        server = start_embedded(home)
        url = create_database(server, "named")
        engine = create_engine(url)
        migrate(engine)
        rules = home / "postgres" / "pg_hba.conf"
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER ROLE postgres PASSWORD 'secret'")
            connection.exec_driver_sql("CREATE ROLE reporting LOGIN PASSWORD 'p@ss' IN ROLE collection_reader")
            rules.write_text("local all all scram-sha-256\n")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        engine.dispose()
        environment = {URL: url.set(password="secret").render_as_string(hide_password=False)}
        who = "SELECT current_user AS me, usesuper AS can FROM pg_user WHERE usename = current_user"
        [[me, can]] = query.sql(who, environment=environment).values.tolist()
        assert (me.startswith("collection_query_"), can) == (True, False)
        rules.write_text("local all postgres,reporting scram-sha-256\n")
        with create_engine(url.set(password="secret")).begin() as connection:
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        await_true(lambda: not runs(environment, who))
        with pytest.raises(PipelineError, match=r"superuser.*COLLECTION_READER_DATABASE_URL"):
            query.sql(who, environment=environment)
        reader = url.set(username="reporting", password="p@ss").render_as_string(hide_password=False)
        environment["COLLECTION_READER_DATABASE_URL"] = reader
        assert query.sql(who, environment=environment).values.tolist() == [["reporting", False]]
        assert not runs(environment, "SELECT * FROM locks")
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


def test_a_wrong_address_of_the_reader_is_named_without_its_password(embedded: Environment) -> None:
    wrong = {**embedded, "COLLECTION_READER_DATABASE_URL": "mysql://me:hunter2@db/x"}
    another = r"^COLLECTION_READER_DATABASE_URL is the address of another kind of database"
    with pytest.raises(PipelineError, match=another) as refused:
        query.sql("SELECT 1", environment=wrong)
    assert "hunter2" not in str(refused.value)


def command(environment: Environment, *words: str) -> Result:
    return CliRunner(env=environment).invoke(main, words)
