import csv
import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import load_workbook

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.seller_list import SellerRow
from collection_pipeline.files.columns import COLUMNS, NAMES
from collection_pipeline.files.export import Format, format_of, write
from collection_pipeline.files.reading import read
from collection_pipeline.files.writers import write_xlsx
from collection_pipeline_tests.files.samples import SELLER, sellers

READABLE = (Format.CSV, Format.JSON, Format.XLSX)

BERLIN = timezone(timedelta(hours=1))

# Postgres stores neither NUL nor half characters; XML cannot hold the two non-characters.
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff")
BEGINNINGS = st.sampled_from(
    ["", "=", "+", "-", "@", "\t", "\r", "\n", "'", "''=", "＝", "a;=", "<r>", "_x0041_", '"', "sep="]
)
TEXTS = st.builds(str.__add__, BEGINNINGS, st.text(LETTERS | st.sampled_from("=+-@;,'\"\t\r\n<>_"), max_size=30))


@pytest.mark.parametrize("form", READABLE)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS.filter(str.strip), TEXTS, st.booleans()), min_size=1, max_size=15))
def test_what_was_exported_is_imported_as_it_was(
    form: Format, tmp_path: Path, said: list[tuple[str, str, bool]]
) -> None:
    path = tmp_path / f"sellers.{form}"
    rows = [
        replace(SELLER, seller_key=name, display_name=name, note=note, is_flagged=flag) for name, note, flag in said
    ]
    write(rows, path, form)
    back = [(row.key, row.name, row.note, row.is_flagged, row.problem) for row in read(path).rows]
    assert back == [(name, name, note if note.strip() else None, flag, None) for name, note, flag in said]


def test_a_parquet_export_has_every_value_as_it_was_and_says_what_its_columns_are(tmp_path: Path) -> None:
    rows = [replace(SELLER, display_name="=1+1"), replace(SELLER, feedback_percent=None, feedback_score=None)]
    write(rows, tmp_path / "s.parquet", Format.PARQUET)
    table = pq.read_table(tmp_path / "s.parquet")
    assert [SellerRow(**row) for row in table.to_pylist()] == rows
    assert [field.metadata[b"description"].decode() for field in table.schema] == [column.doc for column in COLUMNS]


def test_every_fact_of_a_seller_has_its_column_in_the_same_order() -> None:
    assert tuple(field.name for field in fields(SellerRow)) == NAMES


def test_a_json_export_is_exact(tmp_path: Path) -> None:
    write([SELLER], tmp_path / "s.json", Format.JSON)
    [row] = json.loads((tmp_path / "s.json").read_text())
    assert tuple(row) == NAMES
    assert row["feedback_percent"] == "99.8"
    assert row["feedback_score"] == -3
    assert row["exported_at"] is None
    assert row["first_seen_at"] == "2026-01-02T03:04:05.678901+00:00"


def test_a_csv_export_has_no_mark_and_ends_its_records_as_the_standard_says(tmp_path: Path) -> None:
    row = replace(SELLER, display_name="Café", last_seen_at=datetime(2026, 2, 2, 4, 0, tzinfo=BERLIN))
    write([row], tmp_path / "s.csv", Format.CSV)
    content = (tmp_path / "s.csv").read_bytes()
    assert content.startswith(b"org_id,")
    assert content.count(b"\r\n") == 2
    [header, cells] = csv.reader(content.decode("utf-8").splitlines())
    values = dict(zip(header, cells, strict=True))
    assert tuple(header) == NAMES
    assert (values["display_name"], values["is_flagged"], values["feedback_score"]) == ("Café", "true", "-3")
    assert (values["exported_at"], values["last_seen_at"]) == ("", "2026-02-02T03:00:00+00:00")


def test_an_excel_export_keeps_numbers_numbers_and_times_times(tmp_path: Path) -> None:
    row = replace(SELLER, last_seen_at=datetime(2026, 2, 2, 4, 0, tzinfo=BERLIN))
    write([row], tmp_path / "s.xlsx", Format.XLSX)
    [header, cells] = load_workbook(tmp_path / "s.xlsx").get_sheet_by_name("sellers").to_python()
    values = dict(zip(header, cells, strict=True))
    assert (values["feedback_score"], values["feedback_percent"], values["is_flagged"]) == (-3, 99.8, True)
    assert values["last_seen_at"] == datetime(2026, 2, 2, 3, 0)  # noqa: DTZ001 - Excel knows no zone


def test_an_excel_export_goes_on_to_a_next_sheet_where_one_is_full(tmp_path: Path) -> None:
    write_xlsx(sellers(5), tmp_path / "s.xlsx", sheet_rows=3)
    book = load_workbook(tmp_path / "s.xlsx")
    assert book.sheet_names == ["sellers", "sellers 2", "sellers 3"]
    names = [row[3] for sheet in book.sheet_names for row in book.get_sheet_by_name(sheet).to_python()[1:]]
    assert names == [row.display_name for row in sellers(5)]


DANGEROUS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    "'=1",
    "<r><f>1</f></r>",
]


@pytest.mark.parametrize("name", [*DANGEROUS, "a;=1+1", "a\n=1"])
def test_no_cell_of_a_csv_export_begins_a_formula(tmp_path: Path, name: str) -> None:
    write([replace(SELLER, display_name=name, note=name)], tmp_path / "s.csv", Format.CSV)
    with (tmp_path / "s.csv").open(encoding="utf-8", newline="") as file:
        record = list(csv.reader(file))[1]
    starts = tuple("=+-@＝＋－＠\t\r\n")
    assert not record[3].startswith(starts)
    assert not record[5].startswith(starts)
    assert not any(part.startswith(starts[:8]) for part in record[3].replace("\n", ";").split(";"))


@pytest.mark.parametrize("name", DANGEROUS)
def test_an_excel_export_holds_text_where_a_formula_could_be(tmp_path: Path, name: str) -> None:
    write([replace(SELLER, display_name=name)], tmp_path / "s.xlsx", Format.XLSX)
    with zipfile.ZipFile(tmp_path / "s.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    _, _, cell = sheet.partition('<c r="D2" t="inlineStr"><is><t>')
    assert cell.startswith("'")


@pytest.mark.parametrize("form", Format)
def test_an_export_without_sellers_is_a_whole_file(tmp_path: Path, form: Format) -> None:
    assert write([], tmp_path / "s", form) == 0
    assert (tmp_path / "s").stat().st_size > 0
    assert form != Format.JSON or json.loads((tmp_path / "s").read_text()) == []
    assert form != Format.PARQUET or pq.read_table(tmp_path / "s").column_names == list(NAMES)


def _broken() -> Iterator[SellerRow]:
    yield from sellers(1_500)
    raise PipelineError("the database went away")


@pytest.mark.parametrize("form", Format)
def test_an_export_that_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path, form: Format) -> None:
    path = tmp_path / f"sellers.{form}"
    path.write_text("yesterday's")
    with pytest.raises(PipelineError, match="went away"):
        write(_broken(), path, form)
    assert path.read_text() == "yesterday's"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("rows", "room_bytes"), [(5, 1_000), (20_000, 40_000)])
@pytest.mark.parametrize("form", Format)
def test_an_export_that_has_no_room_says_so_and_leaves_nothing(
    tmp_path: Path, form: Format, rows: int, room_bytes: int
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, hard))
    try:
        with pytest.raises(PipelineError, match=r"cannot be written: .*[Ff]ile too large"):
            write(sellers(rows), tmp_path / "s", form)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", Format)
def test_nothing_has_the_exports_name_before_it_is_complete(tmp_path: Path, form: Format) -> None:
    path = tmp_path / f"sellers.{form}"

    def watched() -> Iterator[SellerRow]:
        for row in sellers(3):
            assert not path.exists()
            assert all(one.name.startswith(".") for one in tmp_path.iterdir())
            yield row

    write(watched(), path, form)
    assert list(tmp_path.iterdir()) == [path]


def test_progress_is_told_on_the_way_and_at_the_end(tmp_path: Path) -> None:
    told: list[int] = []
    assert write(sellers(2_500), tmp_path / "s.csv", Format.CSV, progress=told.append) == 2_500
    assert told == [1_000, 2_000, 2_500]


@pytest.mark.parametrize(("name", "form"), [("a.csv", Format.CSV), ("a.b.XLSX", Format.XLSX), ("a.json", Format.JSON)])
def test_the_suffix_says_the_format(name: str, form: Format) -> None:
    assert format_of(Path(name)) == form


@pytest.mark.parametrize("name", ["sellers", "sellers.xls", ".csv"])
def test_another_suffix_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(PipelineError, match=r"\.parquet"):
        format_of(Path(name))


def test_a_place_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="cannot be written: No such file"):
        write([], tmp_path / "nowhere" / "s.csv", Format.CSV)


def test_a_text_too_long_for_excel_is_refused_rather_than_dropped(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"Row 1, note: 40,000 characters"):
        write([replace(SELLER, note="x" * 40_000)], tmp_path / "s.xlsx", Format.XLSX)


@pytest.mark.parametrize(
    ("form", "few", "many"),
    [
        (Format.CSV, 1_000, 30_000),
        (Format.JSON, 1_000, 30_000),
        (Format.PARQUET, 20_000, 60_000),
        (Format.XLSX, 1_000, 10_000),
    ],
)
def test_many_rows_take_no_more_memory_than_few(tmp_path: Path, form: Format, few: int, many: int) -> None:
    if sys.platform != "linux":
        pytest.skip("reads the peak of a process's memory where Linux keeps it")

    def started(rows: int) -> subprocess.Popen[str]:
        module = "collection_pipeline_tests.files.exporting"
        command = [sys.executable, "-m", module, form, str(rows), str(tmp_path / f"{rows}.{form}")]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    peaks = [int(process.communicate(timeout=60)[0]) for process in [started(few), started(many)]]
    grown_bytes = (peaks[1] - peaks[0]) * 1024
    assert grown_bytes / (many - few) < 300, f"grew by {grown_bytes:,} bytes"  # kept rows take 700 and more
