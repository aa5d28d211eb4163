import codecs
import io
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from collection_pipeline.core.sellers.import_plan import ImportRow
from collection_pipeline.files import raw, workbook
from collection_pipeline.files.mapping import ColumnMapping
from collection_pipeline.files.raw import UnreadableFile
from collection_pipeline.files.reading import read

Dropped = Callable[[str, bytes | str], Path]


@pytest.fixture
def dropped(tmp_path: Path) -> Dropped:
    def drop(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return drop


def book(*rows: Sequence[object], at: int = 0, sheet: str = "first") -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "yyyy-mm-dd", "remove_timezone": True}) as made:
        if sheet != "first":
            made.add_worksheet("first").write_row(0, 0, ["seller"])
        page = made.add_worksheet(sheet)
        for number, row in enumerate(rows, start=at):
            page.write_row(number, at, row)
    return file.getvalue()


TABLE = "seller;note\nMüller & Söhne;“für später”\n"


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        codecs.BOM_UTF8 + TABLE.encode(),
        TABLE.encode("utf-16"),
        codecs.BOM_UTF16_LE + TABLE.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-32"),
        TABLE.encode("cp1252"),
        TABLE.replace("\n", "\r\n").encode("cp1252"),
        TABLE.replace("\n", "\r").encode(),
    ],
    ids=["utf-8", "utf-8 mark", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "crlf", "cr"],
)
def test_text_is_read_in_the_encoding_that_it_has(dropped: Dropped, content: bytes) -> None:
    assert read(dropped("s.csv", content)).rows == (ImportRow(2, "Müller & Söhne", "“für später”"),)


def test_latin_1_is_read_too(dropped: Dropped) -> None:
    assert read(dropped("s.csv", "seller\nMüller\n".encode("latin-1"))).rows == (ImportRow(2, "Müller"),)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(dropped: Dropped, separator: str) -> None:
    text = f"seller{separator}note{separator}flag\na, b{separator}c{separator}x\n"
    if separator == ",":
        text = text.replace("a, b", '"a, b"')
    assert read(dropped("s.csv", text)).rows == (ImportRow(2, "a, b", "c", True),)


def test_the_hint_that_excel_understands_is_understood(dropped: Dropped) -> None:
    assert read(dropped("s.csv", "sep=|\nseller|note,s\na|b\n")).rows == (ImportRow(3, "a"),)


def test_rows_have_the_numbers_of_the_lines_they_begin_in_and_blank_ones_are_none(dropped: Dropped) -> None:
    text = '\nseller,note\n\na,"two\nlines"\n , \n,,\nb\n'
    assert read(dropped("s.csv", text)).rows == (ImportRow(4, "a", "two\nlines"), ImportRow(8, "b"))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a,b,yes,surplus", "has 4 cells under 3 columns"),
        (",only a note,", "has no name"),
        ("a,,perhaps", "its flag is 'perhaps', neither yes nor no"),
    ],
)
def test_a_wrong_row_is_only_a_wrong_row(dropped: Dropped, row: str, problem: str) -> None:
    wrong, right = read(dropped("s.csv", f"seller,note,flag\n{row}\nfine\n")).rows
    assert problem in (wrong.problem or "")
    assert right == ImportRow(3, "fine")


@pytest.mark.parametrize(
    ("word", "flag"),
    [
        ("yes", True),
        ("TRUE", True),
        ("1", True),
        (" x ", True),
        ("no", False),
        ("False", False),
        ("0", False),
        ("", None),
    ],
)
def test_flags_are_written_in_many_ways(dropped: Dropped, word: str, flag: bool | None) -> None:
    [row] = read(dropped("s.csv", f"seller,is_flagged\na,{word}\n")).rows
    assert (row.is_flagged, row.problem) == (flag, None)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.csv", b"", "It is empty"),
        ("s.csv", b"\n\n \n", "It is empty"),
        ("s.csv", codecs.BOM_UTF8, "It is empty"),
        ("s.csv", b"seller,note\n", "a header and no rows"),
        ("s.csv", b"deal_hunter\nother\n", r"columns are 'deal_hunter'. Call the column `seller_name`"),
        ("s.csv", b"seller,Seller\na,b\n", "'seller' and 'Seller' may all be its name"),
        ("s.csv", b"seller,note,note\na,b,c\n", "'note' and 'note' may all be its note"),
        ("s.csv", b"seller\na\0b\n", "NUL bytes"),
        ("s.csv", "seller\na\n".encode("utf-16-le"), "UTF-16 without a mark"),
        ("s.csv", codecs.BOM_UTF16_LE + b"odd", "marked as utf-16"),
        ("s.csv", bytes(range(256)) * 4, "no text"),
        ("s.csv", "seller\nМагазин подарков\n".encode("cp1251"), "no text in UTF-8"),
        ("s.csv", b"\x89PNG\r\n\x1a\n\xff\xd8\xfe\x00\x01", "no text"),
        ("s.csv", b'seller,note\na,b\nc,"never closed\nd,e\n', "Line 3 is no CSV"),
        ("s.csv", b'seller\n"' + b"x" * 200_000 + b'"\n', "Line 2 is no CSV"),
        ("s.json", b"", "It is empty"),
        ("s.json", b'[{"seller": "a",}]', "Line 1 is no JSON"),
        ("s.json", b'{"shops": []}', "neither an array"),
        ("s.json", b"[]", "array is empty"),
        ("s.json", b"[{}]", "columns are without names"),
        ("s.json", b"[NaN]", "NaN"),
        ("s.json", b"[" * 100_000, "nested too deeply"),
        ("s.xlsx", b"", "It is empty"),
        ("s.xlsx", b"seller\na\n", "no Excel workbook"),
        ("s.xlsx", b"PK\x03\x04rubbish", "no Excel workbook"),
        ("s.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "password"),
        ("s.xlsx", book(sheet="first"), "Its sheet is empty"),
        ("s.xlsx", book(["name"]), "a header and no rows"),
        ("s.docx", b"PK", r"ends with none of \.csv"),
    ],
    ids=lambda value: "content" if isinstance(value, bytes) else None,  # a workbook's bytes hold the time
)
def test_a_file_that_cannot_be_understood_is_refused_with_the_reason(
    dropped: Dropped, name: str, content: bytes, message: str
) -> None:
    with pytest.raises(UnreadableFile, match=rf"{name} cannot be imported\. .*{message}"):
        read(dropped(name, content))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name, message in [("pipe.csv", "no regular file"), ("gone.csv", "No such file")]:
        with pytest.raises(UnreadableFile, match=message):
            read(tmp_path / name)


def test_files_have_a_largest_size_and_a_largest_number_of_rows(dropped: Dropped) -> None:
    assert len(read(dropped("s.csv", "seller\n" + "a\n" * raw.MOST_ROWS)).rows) == 200_000
    with pytest.raises(UnreadableFile, match="more than 200,000 rows"):
        read(dropped("s.csv", "seller\n" + "a\n" * (raw.MOST_ROWS + 1)))
    huge = dropped("s.csv", "seller\n")
    os.truncate(huge, raw.LARGEST_FILE + 1)
    with pytest.raises(UnreadableFile, match="larger than 50 MB"):
        read(huge)


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        (["a", " ", "b"], (ImportRow(1, "a"), ImportRow(3, "b"))),
        ({"sellers": [{"Seller Name": "a", "flagged": True}]}, (ImportRow(1, "a", None, True),)),
        (
            [{"username": "a"}, {"username": "b", "note": "n", "flag": 0}],
            (ImportRow(1, "a"), ImportRow(2, "b", "n", False)),
        ),
        ([{"name": 12345678901234567890}], (ImportRow(1, "12345678901234567890"),)),
        ([{"name": "=1+1"}, {"name": "'=1"}], (ImportRow(1, "=1+1"), ImportRow(2, "'=1"))),
        ([{"name": ["a"]}], (ImportRow(1, None, problem="its name is a list or an object, not a text"),)),
        ([{"name": "a\0"}], (ImportRow(1, None, problem="its name contains a NUL character"),)),
        ([{"name": "\ud800"}], (ImportRow(1, None, problem="its name contains half a character"),)),
        (["a", ["b"]], (ImportRow(1, "a"), ImportRow(2, None, problem="is neither an object nor a name"))),
    ],
)
def test_json_has_objects_or_names(dropped: Dropped, document: object, rows: tuple[ImportRow, ...]) -> None:
    assert read(dropped("s.json", json.dumps(document))).rows == rows


def test_numbers_in_json_stay_exact(dropped: Dropped) -> None:
    assert read(dropped("s.json", '["x", {"name": 1.10}, {"name": 1e400}]')).rows[1:] == (
        ImportRow(2, "1.10"),
        ImportRow(3, "1e400"),
    )


def test_a_workbook_is_read_as_its_rows_are_numbered_in_excel(dropped: Dropped) -> None:
    content = book(["Seller", "Note", "Flag"], ["a", "'-n", "x"], [], ["'b", 5, 1], [4711], at=2)
    assert read(dropped("s.xlsx", content)).rows == (
        ImportRow(4, "a", "-n", True),
        ImportRow(6, "'b", "5", True),
        ImportRow(7, "4711"),
    )


def test_a_sheet_can_be_named(dropped: Dropped) -> None:
    path = dropped("s.xlsx", book(["seller"], ["a"], sheet="second"))
    assert read(path, sheet="second").rows == (ImportRow(2, "a"),)
    with pytest.raises(UnreadableFile, match="no sheet 'third'; it has 'first', 'second'"):
        read(path, sheet="third")


@pytest.mark.parametrize(
    ("value", "problem"),
    [(datetime(2026, 3, 1, tzinfo=UTC), "a date or a time"), (1234567890123456789, "Excel has lost its end")],
)
def test_a_name_that_excel_has_spoiled_is_not_believed(dropped: Dropped, value: object, problem: str) -> None:
    [row] = read(dropped("s.xlsx", book(["seller"], [value]))).rows
    assert row.name is None
    assert problem in (row.problem or "")


def test_a_small_workbook_that_spans_billions_of_cells_is_refused(dropped: Dropped) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as made:
        page = made.add_worksheet()
        page.write(0, 0, "seller")
        page.write(1_048_575, 16_383, "x")
    with pytest.raises(UnreadableFile, match=r"spans 1,048,576 rows and 16,384 columns"):
        read(dropped("s.xlsx", file.getvalue()))


def test_empty_cells_far_out_that_only_have_a_format_do_no_harm(dropped: Dropped) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as made:
        page = made.add_worksheet()
        page.write_column(0, 0, ["seller", "a"])
        page.write_blank(1_048_575, 16_383, None, made.add_format({"bold": True}))
    assert read(dropped("s.xlsx", file.getvalue())).rows == (ImportRow(2, "a"),)


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "LARGEST_UNPACKED", 1 << 20)
    file = io.BytesIO(book(["seller"], ["a"]))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", bytes(2 << 20))
    with pytest.raises(UnreadableFile, match="unpacks to more than 1 MB"):
        workbook.read_workbook(file.getvalue(), None)


@pytest.mark.parametrize("column", ["seller", "Seller Name", "NAME", "user-name", "display_name", "seller_key"])
def test_the_column_of_names_has_many_names(dropped: Dropped, column: str) -> None:
    assert read(dropped("s.csv", f"id,{column}\n1,a\n")).rows[0].name == "a"


def test_columns_can_be_said(dropped: Dropped) -> None:
    path = dropped("s.csv", "Shop,name,Why,note\na,b,c,d\n")
    assert read(path, ColumnMapping(name="shop", note="Why")).rows == (ImportRow(2, "a", "c"),)
    with pytest.raises(UnreadableFile, match=r"no column 'Store'\. Its columns are 'Shop', 'name', 'Why', 'note'"):
        read(path, ColumnMapping(name="Store"))


def test_a_key_says_who_it_is_beside_a_name(dropped: Dropped) -> None:
    rows = read(dropped("s.csv", "seller_key,display_name,status\nold,New,active\ngone,Gone,removed\n,x,dead\n")).rows
    assert rows[0] == ImportRow(2, "New", key="old")
    assert rows[1].is_removed
    assert "its status is 'dead'" in (rows[2].problem or "")
