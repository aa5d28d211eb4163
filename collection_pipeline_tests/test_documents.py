"""Documents say what the code says."""

import re

from collection_pipeline.core.retention import RULES
from collection_pipeline.documenting import launching_document
from collection_pipeline.files.columns import COLUMNS
from collection_pipeline.tables.schema.reference import tables_document
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.conftest import REPOSITORY


def document(name: str) -> str:
    return (REPOSITORY / "docs" / name).read_text()


def test_every_column_of_an_export_is_described() -> None:
    for column in COLUMNS:
        assert f"| `{column.name}` | {column.kind} | {column.doc} |" in document("sellers.md")


def test_every_retention_is_described_with_its_setting() -> None:
    for rule in RULES:
        row = f"| `{rule.table}` | {rule.days} | `COLLECTION_KEEP_{rule.table.upper()}_DAYS` | {rule.reason} |"
        assert row in document("data-policy.md")


def test_the_document_of_the_tables_is_that_of_the_database(store: Store) -> None:
    """Made anew with `collection-pipeline database document > docs/tables.md`."""
    assert document("tables.md") == tables_document(store.engine)


def test_the_document_of_the_launch_configurations_is_that_of_the_code() -> None:
    """Made anew with `python -m collection_pipeline.documenting > docs/launching.md`."""
    assert document("launching.md") == launching_document()


def test_every_setting_that_the_code_reads_is_described() -> None:
    described = (REPOSITORY / "README.md").read_text() + document("data-policy.md")
    code = "".join(file.read_text() for file in (REPOSITORY / "collection_pipeline").rglob("*.py"))
    settings = set(re.findall(r'"((?:COLLECTION|EBAY|OXYLABS)_[A-Z_]+[A-Z])"', code))
    assert len(settings) > 20
    assert {name for name in settings if name not in described} == set()
