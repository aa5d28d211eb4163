"""What was dropped into the watched folder to stop it: a sensor that has met the worst still imports the next file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collection_pipeline.files import limits
from collection_pipeline.files.inbox_files import observe
from collection_pipeline.orchestration.sellers import inbox as watched
from collection_pipeline_tests.attacks.hostile_files import ENDS_THE_PROCESS
from collection_pipeline_tests.attacks.test_files import NAMES, SLOW
from collection_pipeline_tests.orchestration.conftest import Pipeline
from collection_pipeline_tests.orchestration.sellers.test_inbox import LONG_AGO, Inbox


@pytest.fixture
def inbox(pipeline: Pipeline, tmp_path: Path) -> Inbox:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return Inbox(pipeline, folder)


def drop(inbox: Inbox, name: str, content: bytes) -> None:
    (inbox.folder / name).write_bytes(content)
    os.utime(inbox.folder / name, (LONG_AGO, LONG_AGO))


def look_twice(inbox: Inbox) -> str:
    inbox.tick()
    return inbox.tick()


def test_workbooks_that_end_the_process_that_reads_them(inbox: Inbox) -> None:
    for number, content in enumerate(ENDS_THE_PROCESS.values()):
        drop(inbox, f"a{number}.xlsx", content)
    inbox.drop("z.csv", "name\nalpha\n")
    told = look_twice(inbox)
    assert "a0.xlsx was rejected: a0.xlsx cannot be imported. Reading it takes more than" in told
    assert inbox.pipeline.sellers() == {"alpha"}
    assert {f"rejected/a{number}.xlsx" for number in range(4)} < inbox.files()
    assert "more than 2,048 MB" in (inbox.folder / "rejected" / "a3.xlsx.report.txt").read_text()
    assert inbox.tick() == "No file waits."


def test_workbooks_that_take_all_the_time_there_is(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TIME_S", 1)
    monkeypatch.setattr(watched, "LOOK_S", 0.5)
    for name in ("a.xlsx", "b.xlsx"):
        drop(inbox, name, SLOW)
    inbox.drop("z.csv", "name\nalpha\n")
    assert "a.xlsx was rejected" in look_twice(inbox)
    assert inbox.files() >= {"b.xlsx", "z.csv"}, "a look ends before Dagster gives up on it"
    monkeypatch.setattr(watched, "LOOK_S", 10)
    assert "b.xlsx was rejected" in inbox.tick()
    assert inbox.pipeline.sellers() == {"alpha"}


@pytest.mark.parametrize("what", NAMES)
def test_a_name_that_is(what: str, inbox: Inbox) -> None:
    inbox.drop(NAMES[what], "name\nodd\n")
    inbox.drop("zz.csv", "name\nalpha\n")
    told = look_twice(inbox)
    assert told.isprintable()
    assert len(told.encode()) < 2_000
    assert "alpha" in inbox.pipeline.sellers()
    assert "No file waits." in inbox.tick()
    assert [one for one in inbox.folder.iterdir() if one.is_file()] == []
    actors = "".join(
        f"{actor}{detail}" for actor, detail in inbox.pipeline.rows("SELECT actor, detail FROM seller_audit_log")
    )
    assert actors.isprintable()


@pytest.mark.parametrize("blocked", ["done", "rejected"])
def test_a_file_that_cannot_be_moved_is_read_once_and_moves_when_it_can(
    inbox: Inbox, tmp_path: Path, blocked: str
) -> None:
    (inbox.folder / blocked).symlink_to(tmp_path / "nowhere")
    for name in ("a.csv", "z.csv"):
        inbox.drop(name, f"name\n{name[0]}{name[0]}\n")
    inbox.drop("m.csv", "no column of names\nx\n")
    inbox.drop("n.doc", "")
    told = look_twice(inbox)
    assert f"{blocked} is a link; make it a folder" in told
    assert inbox.pipeline.sellers() == {"aa", "zz"}
    for _ in range(2):
        assert "is a link; make it a folder" in inbox.tick()
    assert inbox.pipeline.rows("SELECT count(*) FROM seller_audit_log") == [(2,)]
    (inbox.folder / blocked).unlink()
    inbox.tick()
    assert inbox.tick() == "No file waits."
    where = {"done/a.csv", "done/z.csv", "rejected/m.csv", "rejected/n.doc"}
    assert {file for file in inbox.files() if not file.endswith(".txt")} == where
    assert "was rejected" in (inbox.folder / "rejected" / "m.csv.report.txt").read_text()


def test_a_file_where_the_folder_for_rejected_ones_should_be(inbox: Inbox) -> None:
    inbox.drop("rejected", "")
    inbox.drop("m.csv", "no column of names\nx\n")
    inbox.drop("z.csv", "name\nalpha\n")
    told = look_twice(inbox)
    assert "m.csv cannot be moved into" in told
    assert "Make that folder writable" in told
    assert inbox.pipeline.sellers() == {"alpha"}


def test_an_imported_file_that_cannot_be_moved_is_read_again_once_it_has_changed(inbox: Inbox) -> None:
    (inbox.folder / "done").symlink_to("/tmp")
    inbox.drop("a.csv", "name\nalpha\n")
    assert "is a link; make it a folder" in look_twice(inbox)
    inbox.drop("a.csv", "name\nalpha\nbeta\n")
    look_twice(inbox)
    assert inbox.pipeline.sellers() == {"alpha", "beta"}


def test_links_pipes_and_folders_among_the_files(inbox: Inbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("name\nnobody's business\n")
    (inbox.folder / "a.csv").symlink_to(secret)
    (inbox.folder / "b.csv").symlink_to(inbox.folder / "b.csv")
    os.mkfifo(inbox.folder / "c.csv")
    (inbox.folder / "d.csv").mkdir()
    inbox.drop("z.csv", "name\nalpha\n")
    look_twice(inbox)
    assert inbox.pipeline.sellers() == {"alpha"}
    assert secret.exists()


def test_a_link_put_in_place_of_a_file_between_two_looks(inbox: Inbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("name\nnobody's business\n")
    inbox.drop("a.csv", "name\nalpha\n")
    inbox.tick()
    seen = observe(inbox.folder)
    (inbox.folder / "a.csv").unlink()
    (inbox.folder / "a.csv").symlink_to(secret)
    read = watched._bring_in(inbox.folder / "a.csv", inbox.pipeline.store, inbox.settings)
    assert set(seen) == {"a.csv"}
    assert "It is a link" in read.outcome
    assert inbox.pipeline.sellers() == set()


def test_the_same_workbook_given_to_the_import_job(pipeline: Pipeline, tmp_path: Path) -> None:
    file = tmp_path / "s.xlsx"
    file.write_bytes(next(iter(ENDS_THE_PROCESS.values())))
    for job in ({}, {"only_dry_run": False}):
        run = pipeline.run(None, collection_id=None, job="sellers_import", config={"file": str(file), **job})
        [failure] = [event for event in run.all_events if event.is_step_failure]
        assert "Reading it takes more than 2,048 MB" in str(failure.step_failure_data.user_failure_data)
