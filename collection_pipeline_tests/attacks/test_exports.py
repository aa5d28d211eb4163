"""Exports started by whoever reaches the Dagster UI, aimed at files that are none of their business."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import dagster as dg
import pytest

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.files.columns import NAMES
from collection_pipeline.files.export import Format, write
from collection_pipeline.files.own_exports import is_export, require_replaceable
from collection_pipeline_tests.files.samples import sellers
from collection_pipeline_tests.orchestration.conftest import Pipeline


@pytest.fixture
def exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    monkeypatch.setenv("COLLECTION_EXPORTS", str(folder))
    return folder


def refusal(pipeline: Pipeline, name: str, form: str = "CSV") -> str:
    """Why an export to that name is refused, by its launch or its run."""
    try:
        run = pipeline.run(None, collection_id=None, job="sellers_export", config={"file": name, "format": form})
    except dg.DagsterUserCodeExecutionError as error:
        return str(error.__cause__)
    assert not run.success
    [failure] = [event for event in run.all_events if event.is_step_failure]
    return str(failure.step_failure_data.user_failure_data)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/cron.d/sellers.csv",
        "../outside.csv",
        "sub/../../outside.csv",
        "link/inside.csv",
        "sub/inside.csv",
        "~/.bashrc.csv",
        ".csv",
        ".hidden.csv",
        "a\0.csv",
        "a\n.csv",
        "\u202evsc.csv",
        "..",
        ".",
    ],
    ids=ascii,
)
def test_a_name_that_leads_out_of_the_folder_or_cannot_be_shown(
    pipeline: Pipeline, exports: Path, tmp_path: Path, name: str
) -> None:
    (exports / "link").symlink_to(tmp_path)
    (exports / "sub").mkdir()
    before = {str(file) for file in tmp_path.rglob("*")}
    assert "no plain name of a file" in refusal(pipeline, name)
    assert pipeline.instance.get_runs() == []
    assert {str(file) for file in tmp_path.rglob("*")} == before


def test_a_name_with_half_a_character(pipeline: Pipeline, exports: Path) -> None:
    assert "valid string" in refusal(pipeline, "\ud800.csv")
    assert list(exports.iterdir()) == []


@pytest.mark.parametrize("name", ["authorized_keys", "run.sh", "sellers.py", "sellers.xlsx", "sellers.csv.pth"])
def test_a_name_that_does_not_end_with_its_format(pipeline: Pipeline, exports: Path, name: str) -> None:
    assert "end" in refusal(pipeline, name)
    assert pipeline.instance.get_runs() == []
    assert list(exports.iterdir()) == []


def test_a_file_a_link_or_a_pipe_that_is_there_already(pipeline: Pipeline, exports: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (exports / "mine.csv").write_text("name\nwork of weeks\n")
    (exports / "link.csv").symlink_to(precious)
    (exports / "dangling.csv").symlink_to(tmp_path / "nowhere")
    os.mkfifo(exports / "pipe.csv")
    (exports / "folder.csv").mkdir()
    assert "is there already and no export" in refusal(pipeline, "mine.csv")
    for name in ("link", "dangling", "pipe", "folder"):
        assert "is no regular file" in refusal(pipeline, f"{name}.csv")
    assert precious.read_text() == "precious"
    assert (exports / "mine.csv").read_text() == "name\nwork of weeks\n"
    assert not (tmp_path / "nowhere").exists()
    assert pipeline.rows("SELECT * FROM seller_exports") == []


def test_an_earlier_export_is_replaced(pipeline: Pipeline, exports: Path) -> None:
    for name in ("alpha", "beta"):
        assert pipeline.run(None, collection_id=None, job="sellers_add", config={"name": name}).success
        assert pipeline.run(None, collection_id=None, job="sellers_export", config={"file": "all.csv"}).success
        assert name in (exports / "all.csv").read_text()
    assert [file.name for file in exports.iterdir()] == ["all.csv"]


@pytest.mark.parametrize("number", [0, 1, 25_000])
@pytest.mark.parametrize("form", Format)
def test_an_export_of_ours_is_recognised(tmp_path: Path, form: Format, number: int) -> None:
    write(sellers(number), tmp_path / f"s.{form}", form)
    require_replaceable(tmp_path / f"s.{form}")
    require_replaceable(tmp_path / "new.csv")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"name\nalpha\n",
        ",".join(NAMES).encode() + b",mine\r\n",
        b'[\n{"org_id": "default"}\n]\n',
        b'[{"name": "alpha"}]',
        b"PAR1",
        b"PAR1" + bytes(100) + b"\xff\xff\xff\x7fPAR1",
        b"PK\x03\x04",
        b"PK\x03\x04" + bytes(100),
        bytes(100_000),
    ],
    ids=range(10),
)
def test_a_file_that_is_no_export_is_recognised_too(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s").write_bytes(content)
    assert not is_export(tmp_path / "s")
    with pytest.raises(PipelineError, match="stays as it is"):
        require_replaceable(tmp_path / "s")


def test_a_workbook_that_somebody_saved_again_is_no_longer_ours(tmp_path: Path) -> None:
    write(sellers(3), tmp_path / "s.xlsx", Format.XLSX)
    with (
        zipfile.ZipFile(tmp_path / "s.xlsx") as ours,
        zipfile.ZipFile(tmp_path / "edited.xlsx", "w", zipfile.ZIP_DEFLATED) as edited,
    ):
        for name in ours.namelist():  # as spreadsheets do it: texts stand in a list that all sheets share
            edited.writestr(name, ours.read(name).replace(b't="inlineStr"><is><t>org_id</t></is>', b't="s"><v>0</v>'))
    assert is_export(tmp_path / "s.xlsx")
    assert not is_export(tmp_path / "edited.xlsx")
