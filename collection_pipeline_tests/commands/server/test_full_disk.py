"""Commands on a full disk, the database's or this machine's: one sentence, and nothing half done."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from collection_pipeline.cli import main
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.disks import MB, small_disk
from collection_pipeline_tests.tables.examples import rows


@pytest.fixture
def environment(database: sa.URL) -> dict[str, str]:
    return {"COLLECTION_DATABASE_URL": database.render_as_string(hide_password=False), "COLLECTION_ACTOR": "anna"}


def test_an_edit_on_a_full_disk_is_refused_in_one_sentence(environment: dict[str, str], store: Store) -> None:
    with store.engine.begin() as connection:
        for statement in (
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            "'could not extend file \"base/1\": No space left on device' USING ERRCODE = '53100'; END $$",
            "CREATE TRIGGER full_disk AFTER INSERT ON seller_audit_log EXECUTE FUNCTION full_disk()",
        ):
            connection.execute(sa.text(statement))
    result = CliRunner().invoke(main, ["sellers", "add", "alpha"], env=environment)
    assert result.exit_code == 1
    assert result.stderr == (
        'Error: The database says: could not extend file "base/1": No space left on device. '
        "Free some space on its disk, and try again; nothing of this was written.\n"
    )
    assert rows(store, "SELECT * FROM sellers") == []


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "xlsx"])
def test_an_export_to_a_full_disk_is_refused_in_one_sentence_and_leaves_nothing(
    environment: dict[str, str], store: Store, form: str
) -> None:
    del store
    names = [f"seller-{number}" for number in range(3000)]
    assert CliRunner().invoke(main, ["sellers", "add", *names], env=environment).exit_code == 0
    with small_disk(1) as disk:
        disk.fill(leave=MB // 64)
        result = CliRunner().invoke(main, ["sellers", "export", str(disk.path / f"sellers.{form}")], env=environment)
        assert (result.exit_code, [file.name for file in disk.path.iterdir()]) == (1, ["ballast"])
    assert "the disk is full. Free some space and export again" in result.stderr
    assert "\n" not in result.stderr.strip()
