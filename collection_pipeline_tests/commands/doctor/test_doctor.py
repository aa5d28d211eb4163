"""`collection-pipeline doctor`: what is wrong is found and said, with what to do, and no secret is ever printed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from collection_pipeline import __version__
from collection_pipeline.cli import main
from collection_pipeline.commands.doctor.configuration import SHOWN
from collection_pipeline.commands.doctor.secrecy import DATABASES, SECRETS, Secrecy
from collection_pipeline.core.health import fault
from collection_pipeline.processes.running_services import Services, free_port
from collection_pipeline.settings.pipeline import CREDENTIALS
from collection_pipeline.settings.reference import SECTIONS
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.feed.serving import ask, serving
from collection_pipeline_tests.running import up
from collection_pipeline_tests.waiting import await_true


@pytest.fixture
def environment(database: sa.URL, tmp_path: Path) -> dict[str, str]:
    return {
        "COLLECTION_DATABASE_URL": database.render_as_string(hide_password=False),
        "COLLECTION_HOME": str(tmp_path / "home"),
    }


def run(environment: Mapping[str, str], *words: str) -> Result:
    clean: dict[str, str | None] = dict.fromkeys(
        name for name in os.environ if name.startswith(("COLLECTION_", "EBAY_", "OXYLABS_", "DAGSTER_"))
    )
    return CliRunner().invoke(main, ("doctor", *words), env={**clean, **environment})


def report(environment: Mapping[str, str], *words: str) -> dict[str, dict[str, Any]]:
    """The findings by check. Whatever is found, the exit code, the report and the advice agree."""
    result = run(environment, "--json", *words)
    told = json.loads(result.stdout)
    levels = {finding["level"] for finding in told["findings"]}
    assert told["healthy"] is (result.exit_code == 0) is ("fault" not in levels)
    assert told["version"] == __version__
    for finding in told["findings"]:
        assert finding["advice"] or finding["level"] in ("ok", "skipped"), finding
    found = {finding["check"]: finding for finding in told["findings"]}
    assert len(found) == len(told["findings"]), "a check has one finding"
    return found


def test_a_database_in_order_is_said_to_be_so(environment: dict[str, str], database: sa.URL) -> None:
    found = report(environment)
    for check in ("versions", "settings", "database", "clock", "connections", "schema", "limits: ebay", "disk: home"):
        assert found[check]["level"] == "ok", found[check]
    assert str(database.database) in found["database"]["what"]
    assert found["schema"]["facts"]["revision"] == found["schema"]["facts"]["needed"]
    assert abs(found["clock"]["facts"]["ahead_s"]) < 1
    assert found["versions"]["facts"]["dagster"] is not None
    assert found["dagster ui"]["level"] == found["marketplaces"]["level"] == "skipped"


def test_lines_for_people_say_the_same(environment: dict[str, str]) -> None:
    result = run(environment)
    assert result.exit_code == 0
    lines = {line[9:30].strip(): line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")}
    assert lines == {check: finding["level"] for check, finding in report(environment).items()}


def test_nothing_is_made_where_nothing_is_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = report({"COLLECTION_HOME": str(home)})
    assert found["database"]["level"] == "skipped"
    assert "up" in found["database"]["advice"]
    assert not home.exists()


def test_a_database_that_is_away_is_a_fault(environment: dict[str, str]) -> None:
    environment["COLLECTION_DATABASE_URL"] = f"postgresql://somebody:{'s3cret-word'}@127.0.0.1:{free_port()}/nothing"
    found = report(environment)
    assert found["database"]["level"] == "fault"
    assert "127.0.0.1" in found["database"]["what"]
    assert "s3cret-word" not in run(environment).output


def test_an_old_schema_is_a_fault_that_says_how_to_migrate(environment: dict[str, str], store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    found = report(environment)
    assert found["schema"]["level"] == "fault"
    assert "database migrate" in found["schema"]["what"]
    assert found["schema"]["facts"]["revision"] == "0001"


def test_a_login_that_may_not_follow_live_is_told(environment: dict[str, str], store: Store) -> None:
    statements = (
        "CREATE ROLE looker LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker",
        "REVOKE SELECT ON activity_channel FROM looker",
    )
    with store.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    url = store.engine.url.set(username="looker", drivername="postgresql")
    environment["COLLECTION_DATABASE_URL"] = url.render_as_string(hide_password=False)
    try:
        assert report(environment)["live events"]["level"] == "warning"
    finally:
        with store.engine.begin() as connection:
            for statement in ("DROP OWNED BY looker", "DROP ROLE looker"):
                connection.execute(sa.text(statement))


def test_dagsters_and_the_readers_databases_are_looked_at_where_they_are_named(environment: dict[str, str]) -> None:
    away = f"postgresql://somebody@127.0.0.1:{free_port()}/nothing"
    there = environment["COLLECTION_DATABASE_URL"]
    found = report({**environment, "COLLECTION_DAGSTER_DATABASE_URL": there, "COLLECTION_READER_DATABASE_URL": away})
    assert found["database: dagster"]["level"] == "ok"
    assert found["database: reader"]["level"] == "fault"
    assert "COLLECTION_READER_DATABASE_URL" in found["database: reader"]["advice"]


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        ({"COLLECTION_EBAY_IN_FLIGHT": "many"}, "settings"),
        ({"OXYLABS_USERNAME": "only half"}, "settings"),
        ({"COLLECTION_FEED_CONTROL": "perhaps"}, "settings: feed"),
        ({"COLLECTION_DAGSTER_URL": "http://somebody:s3cret-word@dagster.example"}, "settings: feed"),
        ({"COLLECTION_SCHEDULE_CRON": "never"}, "settings: schedule"),
        ({"COLLECTION_LOG_FORMAT": "prose"}, "settings: logs"),
    ],
)
def test_a_setting_that_cannot_be_read_is_a_fault_and_nothing_is_asked(
    environment: dict[str, str], wrong: dict[str, str], check: str
) -> None:
    found = report({**environment, **wrong})
    assert found[check]["level"] == "fault"
    assert next(iter(wrong)) in found[check]["what"] or check == "settings"
    assert "database" not in found
    assert "s3cret-word" not in json.dumps(found)


def test_marketplaces_that_do_not_answer_are_a_fault_but_not_offline(environment: dict[str, str]) -> None:
    accounts = dict.fromkeys(CREDENTIALS, "s3cret-word")
    environment |= accounts | {name: f"http://127.0.0.1:{free_port()}" for name in ("OXYLABS_URL", "EBAY_API_URL")}
    found = report(environment)
    assert found["marketplace: oxylabs"]["level"] == found["marketplace: ebay"]["level"] == "fault"
    assert report(environment, "--offline")["marketplace: ebay"]["level"] == "skipped"
    assert "marketplace: ebay" not in report({**environment, "EBAY_SOURCE": "pages"})
    assert "s3cret-word" not in run(environment).output


def test_a_killed_up_and_services_that_are_gone_are_noticed(environment: dict[str, str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    Services(2**22, 0.0, "http://127.0.0.1:1", "http://127.0.0.1:1", None, ()).write(home)
    assert report(environment)["up"]["level"] == "warning"
    address = f"http://127.0.0.1:{free_port()}"
    found = report({**environment, "COLLECTION_DAGSTER_URL": address, "COLLECTION_FEED_URL": address})
    assert found["dagster ui"]["level"] == found["feed"]["level"] == "fault"


def test_a_feed_is_asked_how_it_is_and_another_server_is_not_taken_for_dagster(
    environment: dict[str, str], store: Store
) -> None:
    with serving(store) as url:
        await_true(lambda: ask.get(f"{url}/readyz").is_success)
        found = report({**environment, "COLLECTION_FEED_URL": url, "COLLECTION_DAGSTER_URL": url})
        assert found["feed"]["level"] == "ok"
        assert found["dagster ui"]["level"] == "warning"
        with store.engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
        await_true(lambda: not ask.get(f"{url}/readyz").is_success)
        unready = report({**environment, "COLLECTION_FEED_URL": url})
        assert unready["feed"]["level"] == "fault"
        assert "schema" in unready["feed"]["what"]


def test_a_dagster_home_without_its_file_is_a_fault(environment: dict[str, str], tmp_path: Path) -> None:
    found = report({**environment, "DAGSTER_HOME": str(tmp_path)})
    assert found["dagster home"]["level"] == "fault"
    (tmp_path / "dagster.yaml").touch()
    assert report({**environment, "DAGSTER_HOME": str(tmp_path)})["dagster home"]["level"] == "ok"


def test_no_secret_is_printed_and_none_is_in_a_setting_that_is_shown(environment: dict[str, str]) -> None:
    described = {setting.name for settings in SECTIONS.values() for setting in settings}
    assert described >= SHOWN
    assert not SHOWN & {*SECRETS, *DATABASES}
    secret = "s3cret-word-of-forty-characters-or-so-or-more"
    environment |= {name: f"{secret}-{number}" for number, name in enumerate(SECRETS)}
    environment |= {"COLLECTION_ALERT_WEBHOOK": f"https://hooks.example/{secret}", "OXYLABS_PASS": secret}
    environment |= {"COLLECTION_FEED_TOKEN": secret, "COLLECTION_ORG": secret}  # also where it is shown elsewhere
    for words in ((), ("--json",)):
        output = run(environment, "--offline", *words).output
        assert "settings" in output
        assert secret not in output


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://somebody:{}@db.example/name",
        "postgresql://somebody:{}@host:99999/",
        "postgresql://db.example/name?password={}",
        "postgresql://db.example/name?user=x&sslpassword={}&sslmode=require",
    ],
)
@pytest.mark.parametrize("password", ["s3cret-word", "p%40ss%2Fword", "with@at"])
def test_passwords_of_addresses_are_hidden_however_somebody_quotes_them(address: str, password: str) -> None:
    secrecy = Secrecy.of({"COLLECTION_DATABASE_URL": address.format(password)})
    said = fault("database", f"cannot connect with {password}", f"not with {password}", dsn=f"password={password}")
    assert password not in repr(asdict(secrecy.keep(said)))
    assert password not in repr(secrecy)


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="collection_pipeline_doctor_"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.xdist_group("services")
@pytest.mark.timeout(400)
def test_of_a_running_product_everything_is_in_order(home: Path) -> None:
    with up(home, {}) as product:
        answer = product.command("doctor", "--json")
        found = {finding["check"]: finding for finding in json.loads(answer.stdout)["findings"]}
        assert {check: finding for check, finding in found.items() if finding["level"] != "ok"} == {}
        assert answer.returncode == 0
        assert found["dagster daemon"]["facts"]["SENSOR_age_s"] is not None
        assert found["marketplace: ebay"]["facts"]["status"] in range(200, 500)
        assert found["limits: ebay"]["facts"]["requests_per_s"] == 500  # a simulator is spared as little as it needs


def test_a_broker_that_is_away_is_named_without_its_password(environment: dict[str, str]) -> None:
    address = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
    chosen = {**environment, "COLLECTION_LAUNCHER": "celery", "COLLECTION_BROKER_URL": address}
    found = report(chosen, "--offline")["broker"]
    assert (found["level"], found["what"]) == ("fault", "Redis at 127.0.0.1 does not answer (ConnectionError).")
    assert "hunter2" not in run(chosen, "--offline").stdout
    assert "broker" not in report(environment, "--offline")
