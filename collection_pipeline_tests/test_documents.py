"""Documents say what the code says."""

import re

import pytest
import yaml

from collection_pipeline.core.retention import RULES
from collection_pipeline.core.run_retention import DEFAULT_DAYS
from collection_pipeline.documents.launching import launching_document
from collection_pipeline.documents.settings import settings_document
from collection_pipeline.feed.access import FeedConfig
from collection_pipeline.files.columns import COLUMNS
from collection_pipeline.settings.alerts import AlertSettings
from collection_pipeline.settings.pipeline import Settings, wants_json
from collection_pipeline.settings.reference import SECTIONS, Setting
from collection_pipeline.settings.schedule import schedule_config
from collection_pipeline.tables.schema.reference import tables_document
from collection_pipeline.tables.server.access import HIDDEN
from collection_pipeline.tables.server.dbt_sources import dbt_sources
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.conftest import REPOSITORY

DOCUMENTS = sorted((REPOSITORY / "docs").glob("*.md"))
DESCRIBED = [setting for settings in SECTIONS.values() for setting in settings]


def document(name: str) -> str:
    return (REPOSITORY / "docs" / name).read_text()


def test_every_column_of_an_export_is_described() -> None:
    for column in COLUMNS:
        assert f"| `{column.name}` | {column.kind} | {column.doc} |" in document("sellers.md")


def test_every_retention_is_described_with_its_setting() -> None:
    for rule in RULES:
        row = f"| `{rule.table}` | {rule.days} | `COLLECTION_KEEP_{rule.table.upper()}_DAYS` | {rule.reason} |"
        assert row in document("data-policy.md")
    assert f"runs and their events | {DEFAULT_DAYS} | `COLLECTION_KEEP_RUNS_DAYS` |" in document("data-policy.md")


def test_the_document_of_the_tables_is_that_of_the_database(store: Store) -> None:
    """Made anew with `collection-pipeline database document > docs/tables.md`."""
    assert document("tables.md") == tables_document(store.engine)


def test_the_document_of_the_launch_configurations_is_that_of_the_code() -> None:
    """Made anew with `python -m collection_pipeline.documents launching > docs/launching.md`."""
    assert document("launching.md") == launching_document()


def test_the_document_of_the_settings_is_that_of_the_code() -> None:
    """Made anew with `python -m collection_pipeline.documents settings > docs/settings.md`."""
    assert document("settings.md") == settings_document()


def test_every_setting_that_the_code_reads_is_described() -> None:
    code = "".join(file.read_text() for file in (REPOSITORY / "collection_pipeline").rglob("*.py"))
    settings = set(re.findall(r'"((?:COLLECTION|EBAY|OXYLABS)_[A-Z_]+[A-Z])"', code)) - {"EBAY_US"}
    assert len(settings) > 20
    assert settings - {one.name for one in DESCRIBED} == set()


@pytest.mark.parametrize("setting", [one for one in DESCRIBED if one.default], ids=lambda one: one.name)
def test_a_setting_that_holds_its_default_changes_nothing(setting: Setting) -> None:
    assert setting.default is not None
    assert configured({setting.name: setting.default}) == configured({})


def configured(environment: dict[str, str]) -> tuple[object, ...]:
    feed = FeedConfig.from_mapping(environment, "127.0.0.1", 0, "default")
    alerts, schedule = AlertSettings.from_mapping(environment), schedule_config(environment)
    return Settings.from_mapping(environment), alerts, schedule, feed.may_control, wants_json(environment)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *(f"docs/{one.name}" for one in DOCUMENTS)])
def test_every_file_that_a_document_names_is_there(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    named = re.findall(
        r"`((?:collection_pipeline|collection_pipeline_tests|core|tables|orchestration|actions)/[^`\s]*)`", text
    )
    linked = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    places = [REPOSITORY, REPOSITORY / "collection_pipeline", REPOSITORY / "collection_pipeline_tests"]
    assert [one for one in named if not any((place / one).exists() for place in places)] == []
    assert [one for one in linked if not ((REPOSITORY / name).parent / one).exists()] == []


def test_every_word_of_the_glossary_is_in_the_code() -> None:
    rows = re.findall(r"^\| [^|]+ \| [^|]+ \| `([^`]+)`: `(\w+)` \|$", document("glossary.md"), re.MULTILINE)
    assert len(rows) > 20
    missing = [
        (file, name)
        for file, name in rows
        if not re.search(
            rf"^(class|def) {name}\b|^{name}\b.* = ",
            (REPOSITORY / "collection_pipeline" / file).read_text(),
            re.MULTILINE,
        )
    ]
    assert missing == []


def test_the_glossary_is_in_alphabetical_order() -> None:
    words = re.findall(r"^\| ([a-z ]+) \|", document("glossary.md"), re.MULTILINE)
    assert words[1:] == sorted(words[1:])


def test_dbt_sources_say_what_the_database_says(store: Store) -> None:
    [source] = yaml.safe_load(dbt_sources(store.engine))["sources"]
    tables = {table["name"]: table for table in source["tables"]}
    assert {"sellers", "ebay_listings", "seller_overview"} <= set(tables)
    assert not set(tables) & set(HIDDEN)
    columns = {column["name"]: column for column in tables["collections"]["columns"]}
    assert columns["collection_id"]["data_tests"] == ["not_null", "unique"]
    assert "data_tests" not in columns["completed_at"]
    assert columns["status"]["description"]
    category = next(one for one in tables["collection_categories"]["columns"] if one["name"] == "collection_id")
    [relationship] = [test for test in category["data_tests"] if isinstance(test, dict)]
    assert relationship["relationships"]["arguments"] == {
        "to": "source('collection_pipeline', 'collections')",
        "field": "collection_id",
    }
