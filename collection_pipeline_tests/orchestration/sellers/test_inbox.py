"""Files dropped in the watched folder: read when they are finished, once, and moved away with a report."""

import os
import time
from pathlib import Path

import dagster as dg
import pytest

from collection_pipeline.orchestration.sellers.inbox import import_dropped_files
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline_tests.orchestration.conftest import Pipeline

LONG_AGO = time.time() - 3600


class Inbox:
    """The folder and its sensor, tick by tick."""

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        self.pipeline, self.folder, self.cursor = pipeline, folder, None
        self.settings = Settings.from_mapping({**os.environ, "COLLECTION_INBOX": str(folder)})

    def drop(self, name: str, content: str, *, age: float = LONG_AGO) -> Path:
        file = self.folder / name
        file.write_text(content)
        os.utime(file, (age, age))
        return file

    def tick(self) -> str:
        context = dg.build_sensor_context(
            instance=self.pipeline.instance,
            cursor=self.cursor,
            resources={"settings": self.settings},
        )
        result = import_dropped_files(context)
        if isinstance(result, dg.SkipReason):
            return result.skip_message or ""
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor  # type: ignore[assignment]
        return result.skip_reason.skip_message or "" if result.skip_reason else ""

    def files(self) -> set[str]:
        return {str(file.relative_to(self.folder)) for file in self.folder.rglob("*") if file.is_file()}


@pytest.fixture
def inbox(pipeline: Pipeline, tmp_path: Path) -> Inbox:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return Inbox(pipeline, folder)


def test_a_finished_file_is_imported_once_and_moved_with_its_report(inbox: Inbox) -> None:
    inbox.drop("fair.csv", "name,note\nalpha,met\nbeta,\n")
    assert "not finished" in inbox.tick(), "one look is not enough"
    assert "fair.csv was imported. Change 1: 2 sellers." in inbox.tick()
    assert inbox.pipeline.sellers() == {"alpha", "beta"}
    assert inbox.files() == {"done/fair.csv", "done/fair.csv.report.txt"}
    assert "2 add" in (inbox.folder / "done" / "fair.csv.report.txt").read_text()
    assert inbox.tick() == "No file waits."
    log = inbox.pipeline.rows("SELECT source, actor, detail FROM seller_audit_log")
    assert log == [("import", "inbox, fair.csv", "fair.csv")]


def test_a_file_that_is_still_being_written_waits(inbox: Inbox) -> None:
    inbox.drop("growing.csv", "name\nalpha\n", age=time.time())
    inbox.tick()
    assert "not finished" in inbox.tick(), "somebody wrote to it a moment ago"
    inbox.drop("growing.csv", "name\nalpha\nbeta\n", age=LONG_AGO + 1)
    assert "not finished" in inbox.tick(), "it has changed since the last look"
    inbox.drop("half.csv.part", "name\nga")
    inbox.tick()
    assert inbox.pipeline.sellers() == {"alpha", "beta"}
    assert inbox.files() >= {"half.csv.part"}


def test_a_file_with_a_wrong_row_or_of_a_wrong_kind_is_rejected_whole(inbox: Inbox) -> None:
    inbox.drop("wrong.csv", "name\nalpha\n" + "x" * 300 + "\n")
    inbox.drop("photo.png", "PNG")
    inbox.tick()
    inbox.tick()
    assert inbox.pipeline.sellers() == set()
    assert {"rejected/wrong.csv", "rejected/photo.png"} <= inbox.files()
    assert "300 characters" in (inbox.folder / "rejected" / "wrong.csv.report.txt").read_text()


def test_a_file_left_behind_by_a_crash_is_imported_again_without_harm(inbox: Inbox) -> None:
    for _ in range(2):
        inbox.drop("fair.csv", "name\nalpha\n")
        inbox.tick()
        inbox.tick()
    assert inbox.pipeline.rows("SELECT count(*) FROM seller_audit_log") == [(1,)]
    assert len([file for file in inbox.files() if file.endswith(".csv")]) == 2


def test_without_the_folder_it_says_which_one_to_make(pipeline: Pipeline, tmp_path: Path) -> None:
    assert "There is no folder" in Inbox(pipeline, tmp_path / "missing").tick()
