"""Files meant to stop the process that reads them, to fill its memory, to keep it busy, or to lead it elsewhere."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.printable import printable
from collection_pipeline.files import isolation, limits
from collection_pipeline.files.inbox_files import file_away, observe
from collection_pipeline.files.isolation import NoReader
from collection_pipeline.files.raw import UnreadableFile
from collection_pipeline.files.reading import read
from collection_pipeline_tests.attacks.hostile_files import ENDS_THE_PROCESS, HEADER, workbook
from collection_pipeline_tests.waiting import await_true

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MEMORY = r"more than 2,048 MB of memory"

Dropped = Callable[[str, bytes | str], Path]


@pytest.fixture
def dropped(tmp_path: Path) -> Dropped:
    def drop(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return drop


@pytest.mark.parametrize("trick", ENDS_THE_PROCESS)
def test_a_workbook_with_a_cell_in_its_farthest_corner_hidden_by(trick: str, dropped: Dropped) -> None:
    with pytest.raises(UnreadableFile, match=rf"^s\.xlsx cannot be imported\. Reading it takes {MEMORY}"):
        read(dropped("s.xlsx", ENDS_THE_PROCESS[trick]))


def test_a_workbook_that_repeats_one_long_text_in_every_row(dropped: Dropped) -> None:
    rows = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(2, 20_000))
    content = workbook(HEADER + rows, shared="x" * 1_000_000)
    with pytest.raises(UnreadableFile, match=f"{MEMORY}|no Excel workbook"):
        read(dropped("s.xlsx", content))


def test_a_workbook_that_says_more_than_it_is_allowed_to(dropped: Dropped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ANSWER_BYTES", 100_000)
    with pytest.raises(UnreadableFile, match="of text; split it"):
        read(dropped("s.csv", "seller\n" + "".join(f"seller-{place}\n" for place in range(20_000))))


SLOW = workbook(HEADER + "<c " * 600_000)
"""A tag that never ends, which the measure of workbooks goes through again from each of its beginnings."""


def test_a_workbook_that_takes_for_ever(dropped: Dropped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TIME_S", 1)
    with pytest.raises(UnreadableFile, match="Reading it takes longer than"):
        read(dropped("s.xlsx", SLOW))
    assert _readers() == []


def _readers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "collection_pipeline.files.reader" in one.cmdline()]


def _limit(process: psutil.Process, limit: int) -> int:
    return process.rlimit(limit)[0]


@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read where Linux shows it")
def test_a_reader_that_looks_for_credentials_or_open_files(dropped: Dropped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBAY_CLIENT_SECRET", "a secret")
    path = dropped("s.xlsx", SLOW)

    def refused() -> None:
        with suppress(UnreadableFile):
            read(path)

    with path.open("rb") as ours:
        os.set_inheritable(ours.fileno(), True)
        reading = threading.Thread(target=refused)
        reading.start()
        try:
            await_true(lambda: any(_limit(one, psutil.RLIMIT_FSIZE) == 0 for one in _readers()))
            [reader] = _readers()
            assert reader.environ() == {}
            assert sorted(os.listdir(f"/proc/{reader.pid}/fd")) == ["0", "1", "2"]
            assert os.getsid(reader.pid) != os.getsid(0)
            assert reader.cwd() == "/"
            assert _limit(reader, psutil.RLIMIT_AS) == limits.MEMORY_BYTES
        finally:
            for one in _readers():
                one.kill()
            reading.join()


def test_a_reader_that_is_killed(dropped: Dropped) -> None:
    path, refusals = dropped("s.xlsx", SLOW), list[str]()

    def refused() -> None:
        with pytest.raises(UnreadableFile) as error:
            read(path)
        refusals.append(str(error.value))

    reading = threading.Thread(target=refused)
    reading.start()
    await_true(lambda: _readers() != [])
    for one in _readers():
        one.kill()
    reading.join()
    assert MEMORY in refusals[0]


def test_a_machine_that_can_start_no_reader_is_not_the_files_fault(
    dropped: Dropped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "_COMMAND", ("/nowhere/python",))
    with pytest.raises(NoReader, match="No process can be started"):
        read(dropped("s.csv", "seller\na\n"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.csv", 'sep="\nseller\na\n', "None of its columns|no CSV"),
        ("s.csv", "seller\n" + '"' * 200_001 + "\n", "no CSV"),
        (
            "s.csv",
            "seller" + "," * 1_000_000 + "\na\n",
            "1,000,001 columns",
        ),
        ("s.csv", "name" * 1_000_000 + "\na\n", "None of its columns|no CSV"),
        ("s.json", "[" * 1_000_000 + "]" * 1_000_000, "nested too deeply"),
        ("s.json", '{"sellers": ' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
        ("s.json", json.dumps([{f"column {row}": 1} for row in range(60_000)]), "60,000 columns"),
        ("s.json", '[{"\\ud800": 1}]', "None of its columns"),
        (
            "s.xlsx",
            workbook('<row r="1"><c r="A1" t="str"><v>' + "x" * 3_000_000 + "</v></c></row>"),
            "header and no rows|None of its columns",
        ),
    ],
    ids=[
        "a quote as separator",
        "a field without end",
        "a million columns",
        "a header of megabytes",
        "arrays in arrays",
        "objects in objects",
        "a column per row",
        "half a character as column",
        "a header cell of megabytes",
    ],
)
def test_a_file_that_is_wrong_in_a_way_that_readers_stumble_over(
    name: str, content: str | bytes, message: str, dropped: Dropped
) -> None:
    with pytest.raises(UnreadableFile, match=message) as refused:
        read(dropped(name, content))
    assert len(str(refused.value)) < 3_000


@pytest.mark.parametrize("number", ["1" * 100_000, "-" + "9" * 5_000, "1e999999999", "0." + "3" * 100_000])
def test_a_number_too_long_to_be_one(number: str, dropped: Dropped) -> None:
    [row] = read(dropped("s.json", f'[{{"name": {number}}}]')).rows
    assert (row.name or "").startswith(number[:9]) or "10,000 characters" in (row.problem or "")


@pytest.mark.parametrize("number", ["NaN", "inf", "-inf", "1e308", "9" * 400])
def test_a_number_in_a_workbook_that_is_none(number: str, dropped: Dropped) -> None:
    content = workbook(HEADER + f'<row r="2"><c r="A2"><v>{number}</v></c></row>')
    [row] = read(dropped("s.xlsx", content)).rows
    assert row.problem is not None


def test_a_cell_of_a_million_characters_is_only_a_wrong_row(dropped: Dropped) -> None:
    content = json.dumps([{"name": "a", "note": "x" * 1_000_000}, {"name": "b"}, {"name": "c", "flag": "x" * 9_000}])
    long, right, flag = read(dropped("s.json", content)).rows
    assert long.problem == "its note has more than 10,000 characters; shorten it"
    assert right.problem is None
    assert len(flag.problem or "") < 200


def test_a_link_a_pipe_and_a_device_in_place_of_a_file(tmp_path: Path, dropped: Dropped) -> None:
    secret = dropped("secret.csv", "seller\nnobody's business\n")
    (tmp_path / "link.csv").symlink_to(secret)
    (tmp_path / "round.csv").symlink_to(tmp_path / "round.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "device.csv").symlink_to("/dev/zero")
    (tmp_path / "folder.csv").mkdir()
    assert set(observe(tmp_path)) == {"secret.csv"}
    for name, reason in [("link", "link"), ("round", "link"), ("pipe", "no regular file"), ("folder", "no regular")]:
        with pytest.raises(UnreadableFile, match=reason):
            read(tmp_path / f"{name}.csv", are_links_followed=False)
    assert read(tmp_path / "link.csv").rows[0].name == "nobody's business", "a person's own link"
    with pytest.raises(UnreadableFile, match="no regular file"):
        read(tmp_path / "device.csv")


@pytest.mark.parametrize("name", ["a\0.csv", "\ud800.csv"])
def test_a_path_that_no_file_can_have(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"cannot be imported\. Its name holds a character"):
        read(tmp_path / name)


NAMES = {
    "not UTF-8": os.fsdecode(b"caf\xe9.csv"),
    "nothing but bytes": os.fsdecode(b"\xff" * 255),
    "250 bytes": "x" * 246 + ".csv",
    "255 bytes of two each": "ü" * 125 + "x.csv",
    "a suffix of 250 bytes": "a." + "x" * 250,
    "line breaks": "a\nrow 1: ADD\r.csv",
    "an escape sequence": "\x1b]0;owned\x07.csv",
    "a mark that reverses its end": "sellers\u202excod.csv",
    "invisible": "\u200b\u2060.csv",
    "an option": "--help.csv",
}


@pytest.mark.parametrize("what", NAMES)
def test_a_name_that_is_put_away_under_one_that_fits(what: str, tmp_path: Path) -> None:
    for _ in range(3):
        (tmp_path / NAMES[what]).write_text("content")
        moved = file_away(tmp_path / NAMES[what], tmp_path / "rejected", "the reason \ud800", now=NOW)
        assert moved.read_text() == "content"
        assert moved.name.isprintable()
        assert moved.with_name(f"{moved.name}.report.txt").read_text().startswith("the reason")
        assert len(f"{moved.name}.report.txt".encode()) <= 255
    assert len(list((tmp_path / "rejected").iterdir())) == 6
    assert [one for one in tmp_path.iterdir() if one.is_file()] == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=255).map(lambda name: name.translate(None, b"/\0")))
def test_any_name_that_a_file_can_have(tmp_path: Path, name: bytes) -> None:
    assume(name not in (b"", b".", b".."))
    path = tmp_path / os.fsdecode(name)
    assume(path.name not in ("done",))
    path.write_text("content")
    moved = file_away(path, tmp_path / "done", "r", now=NOW)
    assert moved.parent == tmp_path / "done"
    assert moved.read_text() == "content"
    assert moved.name.isprintable()


@pytest.mark.parametrize("what", NAMES)
def test_a_name_that_no_log_or_table_may_hold_as_it_is(what: str) -> None:
    shown = printable(NAMES[what])
    assert shown.isprintable()
    assert len(shown) <= 500
    shown.encode("utf-8")


def test_a_folder_for_finished_files_that_leads_elsewhere(tmp_path: Path, dropped: Dropped) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "rejected").symlink_to(elsewhere)
    path = dropped("s.csv", "seller\na\n")
    with pytest.raises(PipelineError, match="is a link"):
        file_away(path, tmp_path / "rejected", "r", now=NOW)
    assert list(elsewhere.iterdir()) == []
    assert path.exists()


def test_a_link_that_waits_where_a_file_is_to_be_put_away(tmp_path: Path, dropped: Dropped) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "s.csv").symlink_to(target)
    (tmp_path / "done" / "s.20260301T120000Z.csv.report.txt").symlink_to(target)
    moved = file_away(dropped("s.csv", "seller\na\n"), tmp_path / "done", "r", now=NOW)
    assert moved.name == "s.20260301T120000Z-2.csv"
    assert target.read_text() == "precious"


def test_the_reader_cannot_be_made_to_take_a_sheets_name_for_an_option(dropped: Dropped) -> None:
    path = dropped("s.xlsx", workbook(HEADER + '<row r="2"><c r="A2" t="str"><v>a</v></c></row>'))
    with pytest.raises(UnreadableFile, match="no sheet '--help'; it has 's'"):
        read(path, sheet="--help")
    assert read(path).rows[0].name == "a"


def test_modules_that_lie_about_for_the_reader_to_start_with(
    tmp_path: Path, dropped: Dropped, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json.py", "sitecustomize.py", "collection_pipeline.py"):
        (tmp_path / name).write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert read(dropped("s.csv", "seller\na\n")).rows[0].name == "a"
