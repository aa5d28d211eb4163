from datetime import UTC, datetime
from pathlib import Path

import pytest

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.files.inbox_files import Seen, file_away, observe, ready

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def seen(age_s: float = 60, size: int = 100, unsupported: bool = False) -> Seen:
    return Seen(size, int((NOW.timestamp() - age_s) * 1e9), unsupported)


@pytest.mark.parametrize(
    ("former", "current", "is_ready"),
    [
        (seen(), seen(), True),
        (None, seen(), False),  # seen for the first time: it may be growing
        (seen(size=99), seen(), False),
        (seen(age_s=61), seen(), False),
        (seen(age_s=9), seen(age_s=9), False),  # quiet, but not for long
        (seen(age_s=10), seen(age_s=10), True),
        (seen(age_s=-3600), seen(age_s=-3600), True),  # the writer's clock is ahead
        (seen(age_s=-5), seen(age_s=-5), False),
        (seen(size=0), seen(size=0), True),  # an empty file is read, and refused with a reason
        (seen(unsupported=True), seen(unsupported=True), False),
        (seen(), None, False),
    ],
)
def test_a_file_is_ready_when_it_has_stopped_changing(
    former: Seen | None, current: Seen | None, is_ready: bool
) -> None:
    looks = [{} if look is None else {"s.csv": look} for look in (former, current)]
    assert ready(NOW, looks[0], looks[1], quiet_s=10) == (["s.csv"] if is_ready else [])


def test_files_are_ready_in_the_order_of_their_names() -> None:
    look = {"b.csv": seen(), "a.csv": seen()}
    assert ready(NOW, look, look) == ["a.csv", "b.csv"]


def test_only_finished_files_are_observed_and_unsupported_ones_marked(tmp_path: Path) -> None:
    for name in ["a.csv", "B.XLSX", "c.json", "d.docx", "noname"]:
        (tmp_path / name).write_text("12345")
    for name in ["e.csv.part", "f.tmp", "~$g.xlsx", ".h.csv", "i.csv.crdownload", ".~lock.a.csv#", "J.CSV.PART"]:
        (tmp_path / name).write_text("12345")
    (tmp_path / "done.csv").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
    found = observe(tmp_path)
    assert {name: look.unsupported for name, look in found.items()} == {
        "a.csv": False,
        "B.XLSX": False,
        "c.json": False,
        "d.docx": True,
        "noname": True,
    }
    assert found["a.csv"] == Seen(5, (tmp_path / "a.csv").stat().st_mtime_ns)


def test_a_file_that_grows_is_not_ready_until_it_stops(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("seller\n")
    first = observe(tmp_path)
    with path.open("a") as file:
        file.write("more\n")
    second = observe(tmp_path)
    later = datetime.fromtimestamp(path.stat().st_mtime + 60, UTC)
    assert ready(later, first, second) == []
    assert ready(later, second, observe(tmp_path)) == ["a.csv"]


def test_a_folder_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="cannot be read: No such file"):
        observe(tmp_path / "nowhere")


def test_a_file_is_filed_with_its_report_and_nothing_is_overwritten(tmp_path: Path) -> None:
    done = tmp_path / "done"
    for content in ["first", "second", "third"]:
        (tmp_path / "s.csv").write_text(content)
        moved = file_away(tmp_path / "s.csv", done, f"report of the {content}", now=NOW)
        assert moved.read_text() == content
        assert not (tmp_path / "s.csv").exists()
    assert {file.name: file.read_text() for file in done.iterdir()} == {
        "s.csv": "first",
        "s.csv.report.txt": "report of the first",
        "s.20260301T120000Z.csv": "second",
        "s.20260301T120000Z.csv.report.txt": "report of the second",
        "s.20260301T120000Z-2.csv": "third",
        "s.20260301T120000Z-2.csv.report.txt": "report of the third",
    }


@pytest.mark.parametrize("taken", ["s.csv", "s.csv.report.txt"])
def test_neither_a_file_nor_a_report_is_overwritten(tmp_path: Path, taken: str) -> None:
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / taken).write_text("old")
    (tmp_path / "s.csv").write_text("new")
    assert file_away(tmp_path / "s.csv", tmp_path / "done", "r", now=NOW).name == "s.20260301T120000Z.csv"
    assert (tmp_path / "done" / taken).read_text() == "old"


def test_a_file_that_cannot_be_moved_leaves_no_report(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="cannot be moved"):
        file_away(tmp_path / "gone.csv", tmp_path / "done", "r", now=NOW)
    assert list((tmp_path / "done").iterdir()) == []
