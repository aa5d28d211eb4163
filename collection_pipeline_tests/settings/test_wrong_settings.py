"""Every setting with every kind of wrong value: what comes out can be used, or one sentence says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from collection_pipeline.cli import main
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.retention import due
from collection_pipeline.feed.__main__ import main as feed
from collection_pipeline.feed.access import FeedConfig
from collection_pipeline.processes.running_services import free_port
from collection_pipeline.settings.alerts import AlertSettings
from collection_pipeline.settings.pipeline import CREDENTIALS, Settings, wants_json
from collection_pipeline.settings.runs import RunSettings
from collection_pipeline.settings.schedule import schedule_config
from collection_pipeline.simulator.__main__ import main as simulator
from collection_pipeline.tables.server.database import create_engine, database_url, reachable
from collection_pipeline.tables.server.locating import dagster_database
from collection_pipeline_tests.conftest import REPOSITORY

CODE = "".join(file.read_text() for file in (REPOSITORY / "collection_pipeline").rglob("*.py"))
SETTINGS = sorted(
    {*re.findall(r'"((?:COLLECTION|EBAY|OXYLABS)_[A-Z_]+[A-Z])"', CODE)}
    | {f"COLLECTION_SCHEDULE_{name}" for name in ("NAME", "CRON", "TIMEZONE", "PRESET", "CAP", "MIN_MARKUP")}
    | {f"COLLECTION_{source}_{what}" for source in ("EBAY", "OXYLABS") for what in ("IN_FLIGHT", "CALLS_PER_DAY")}
    | {"COLLECTION_EBAY_REQUESTS_PER_S", "COLLECTION_KEEP_ALERTS_DAYS", "COLLECTION_KEEP_ACTIVITY_EVENTS_DAYS"}
)
ACCOUNTS = dict.fromkeys(CREDENTIALS, "simulated")
WORDS = [
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1",
    "0",
    "0.5",
    "2.7",
    "1_000",
    "٣",
    "99999999999999999999",
    "1e5",
    "true",
    "None",
    "0x10",
    "-0",
    "+1",
    ".5",
    "1.",
    "1,5",
    "~nobody/x",
    "http://",
    "https://",
    "http://[::1",
    "http://[::zz]",
    "http://[fe80::1%25eth0]",
    "http://h:99999",
    "http://h:0",
    "http://h:port",
    "http://1.2.3.999",
    "http://a..b",
    "http://ü.example",
    "http://h?x=1",
    "http://h#x",
    "http://u:p@h",
    "http://h\\x",
    "http:///path",
    "postgresql://h:99999/d",
    "postgresql://[::1/d",
    "postgresql://h/d?foo=bar",
    "postgresql://h/d?connect_timeout=soon",
    "postgresql://h/d?port=x",
    "postgresql://h/d?host=a&host=b&port=1",
    "mysql://h/d",
    "postgresql://",
    "://",
    "*",
    "@daily",
    "L",
]
NO_WORDS = ("", " ", "\0", "a\nb", "a\tb", "\udcff", "\u2028", "a b", "0 3 31 2 *", "'\"$`", "x" * 5000, "9" * 5000)
TEXT = st.sampled_from((*WORDS, *NO_WORDS)) | st.text(st.characters(exclude_categories=()), max_size=40)


def read_all(environment: Mapping[str, str]) -> None:
    """Everything that reads settings, and what is made of them where a bad value would show."""
    settings = Settings.from_mapping(environment)
    alerts = AlertSettings.from_mapping(environment)
    RunSettings.from_mapping(environment)
    schedule = schedule_config(environment)
    page = FeedConfig.from_mapping(environment, "127.0.0.1", 8780, settings.org_id)
    wants_json(environment)
    addresses = (settings.oxylabs_url, settings.ebay_api_url, settings.feed_url, page.dagster_url, alerts.webhook)
    for address in filter(None, (*addresses, alerts.dagster_url)):
        httpx.Request("GET", f"{address}/v1", headers={"X-EBAY-C-MARKETPLACE-ID": settings.ebay_marketplace})
    due(settings.retention, datetime.now(UTC))
    schedule.collection_id(datetime.now(UTC))
    if settings.database_url is not None:
        create_engine(database_url(settings.database_url)).dispose()
    if (named := environment.get("COLLECTION_DAGSTER_DATABASE_URL", "").strip()) != "":
        with dagster_database(settings, named):
            pass


@given(name=st.sampled_from(SETTINGS), value=TEXT, with_accounts=st.booleans())
@example(name="COLLECTION_KEEP_ALERTS_DAYS", value="0.5", with_accounts=False)
@example(name="COLLECTION_EBAY_IN_FLIGHT", value="2.7", with_accounts=False)
@example(name="COLLECTION_KEEP_ALERTS_DAYS", value="999999", with_accounts=False)
@example(name="COLLECTION_SCHEDULE_MIN_MARKUP", value="1e30", with_accounts=False)
@example(name="EBAY_API_URL", value="http://[::1", with_accounts=True)
@example(name="COLLECTION_HOME", value="~nobodyofthisname/home", with_accounts=False)
def test_a_setting_can_be_used_or_is_refused_in_one_line(name: str, value: str, *, with_accounts: bool) -> None:
    try:
        read_all({**(ACCOUNTS if with_accounts else {}), name: value})
    except PipelineError as error:
        sentence = str(error)
        assert re.fullmatch(r"[^\n\r\0]+\.", sentence), sentence
        assert len(sentence) < 600
        assert name in sentence or name in (*CREDENTIALS, "COLLECTION_SELLER_NAMES", "COLLECTION_EXPORT_NAMES")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("COLLECTION_KEEP_ALERTS_DAYS", "0.5", "is '0.5'; it must be a whole number from 0 to 36500"),
        ("COLLECTION_EBAY_IN_FLIGHT", "2.7", "is '2.7'; it must be a whole number from 1 to 10000"),
        ("COLLECTION_EBAY_IN_FLIGHT", "0", "is '0'; it must be a whole number from 1 to 10000"),
        ("COLLECTION_OXYLABS_REQUESTS_PER_S", "inf", "is 'inf'; it must be a number from 0.01 to 1000000"),
        ("COLLECTION_ALERT_BUDGET_SHARE", "nan", "is 'nan'; it must be a share above 0 and up to 1"),
        ("COLLECTION_SCHEDULE_CAP", "1e30", "is '1e30'; it must be a number from 0 to 1000000000"),
        ("OXYLABS_URL", "http://[::1", "is no address: its host or port is wrong"),
        ("COLLECTION_FEED_URL", "http://feed:99999", "is no address: its host or port is wrong"),
        ("COLLECTION_DAGSTER_URL", "http://a b", "holds a space"),
        ("COLLECTION_HOME", "~nobodyofthisname/home", "there is no user of that name"),
        ("COLLECTION_ORG", "a\nb", "holds a control character"),
        ("EBAY_MARKETPLACE", "EBAY_ÜS", "it must be a name such as EBAY_US"),
        ("COLLECTION_DATABASE_URL", "postgresql://h/d?ssl_mode=require", "number 1 after the `?`.*such as sslmode"),
        ("COLLECTION_DAGSTER_DATABASE_URL", "postgresql://h/d?x=1&y=2", "an option that Postgres does not know"),
        ("COLLECTION_DATABASE_URL", "postgresql://h:99999/d", "names a port that is none"),
    ],
)
def test_the_sentence_names_the_setting_the_value_and_what_is_allowed(name: str, value: str, sentence: str) -> None:
    with pytest.raises(PipelineError, match=f"^{name} .*{sentence.replace('?', '[?]')}"):
        read_all({name: value})


@pytest.mark.parametrize("name", ["COLLECTION_DATABASE_URL", "COLLECTION_ALERT_WEBHOOK", "EBAY_API_URL"])
@pytest.mark.parametrize(
    "value",
    [
        "postgresql://u:hunter2@h/d?hunter2=x",
        "postgresql://u:hunter2@h:99999/d",
        "postgresql://hunter2:12345/d?port=hunter2",
        "hunter2://u@h/d",
        "http://u:hunter2@h:99999",
        "https://h hunter2",
        "https://hunter2@[::",
        "hunter2\0",
    ],
)
def test_no_sentence_repeats_a_part_of_an_address(name: str, value: str) -> None:
    with pytest.raises(PipelineError) as refused:
        read_all({name: value})
    assert "hunter2" not in str(refused.value)
    assert "12345" not in str(refused.value)


def test_a_password_with_a_control_character_is_refused_without_being_shown() -> None:
    with pytest.raises(PipelineError, match=r"^OXYLABS_PASSWORD holds a control character") as refused:
        read_all({**ACCOUNTS, "OXYLABS_PASSWORD": "hunter2\x7f"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("option", ["sslmode=sometimes", "target_session_attrs=any%20one", "channel_binding=so"])
def test_an_option_that_only_the_driver_refuses_is_one_sentence_too(option: str) -> None:
    engine = create_engine(database_url(f"postgresql://u:hunter2@127.0.0.1:1/d?{option}"))
    with (
        pytest.raises(PipelineError, match=r"^The database [^\n]* does not answer") as refused,
        reachable(engine),
    ):
        pass
    assert "hunter2" not in str(refused.value)


def test_a_home_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        result = CliRunner().invoke(main, ["up"], env={"COLLECTION_HOME": str(home)})
        assert result.exit_code == 1
        assert re.fullmatch(r"Error: COLLECTION_HOME is '[^\n]*', where a file is. Name a folder.\n", result.stderr)


@pytest.mark.parametrize("address", ["postgresql://u:hunter2@127.0.0.1:1/d", "postgresql://u:hunter2@h/d?x=1"])
def test_up_says_that_dagster_s_database_cannot_be_used(
    database: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.chdir(REPOSITORY)
    environment = {
        "COLLECTION_HOME": str(tmp_path / "home"),
        "COLLECTION_DATABASE_URL": database.render_as_string(hide_password=False),
        "COLLECTION_DAGSTER_DATABASE_URL": address,
    }
    ports = ["--port", str(free_port()), "--feed-port", str(free_port())]
    result = CliRunner().invoke(main, ["up", *ports], env=environment)
    assert result.exit_code == 1
    assert re.fullmatch(r"Error: [^\n]*COLLECTION_DAGSTER_DATABASE_URL[^\n]*\n", result.stderr), result.stderr
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    "words",
    [
        ["collect", "--cap", "nan"],
        ["collect", "--cap", "inf"],
        ["collect", "--cap", "-1"],
        ["collect", "--cap", "1e30"],
        ["collect", "--min-markup", "nan"],
        ["collect", "--max-markup", "1e400"],
        ["collections", "resume", "c1", "--cap", "inf"],
        ["sellers", "list", "--limit", "0"],
        ["sellers", "list", "--limit", "99999999999999999999"],
        ["sellers", "undo", "99999999999999999999"],
        ["sellers", "undo", "--", "-1"],
    ],
)
def test_a_number_on_the_command_line_is_refused_in_one_line(words: list[str]) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert result.output.splitlines()[-1].startswith("Error: Invalid value for ")


@pytest.mark.parametrize("words", [["--port", "99999"], ["--port", "-1"], ["--port", "0.5"]])
def test_a_port_that_is_none_is_refused_in_one_line(words: list[str]) -> None:
    for command in (feed, simulator):
        result = CliRunner().invoke(command, words)
        assert result.exit_code == 2
        assert "Error: Invalid value for '--port'" in result.output.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        ["--host", "a..b"],
        ["--fault", "ebay.slow=often"],
        ["--fault", "ebay.slow=nan"],
        ["--fault", "nothing"],
        ["--set", "sellers=nan"],
        ["--set", "seed=1e400"],
        ["--set", "ebay_credentials=ab"],
        ["--set", "nothing"],
    ],
)
def test_the_simulator_refuses_its_own_options_in_one_line(words: list[str]) -> None:
    result = CliRunner().invoke(simulator, words)
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("Error: ")
    assert result.output.count("Error") == 1
