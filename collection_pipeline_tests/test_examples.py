"""The notebook of examples/, executed as somebody would who has collected something."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
import sqlalchemy as sa
from nbclient import NotebookClient

from collection_pipeline.tables.store import Store
from collection_pipeline_tests.conftest import REPOSITORY
from collection_pipeline_tests.tables.examples import collect, finish, listing, start

NOTEBOOK = nbformat.read(REPOSITORY / "examples" / "answers.ipynb", as_version=4)  # type: ignore[no-untyped-call]


def plots(notebook: nbformat.NotebookNode) -> int:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.fixture
def jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what the kernel and its libraries note in a folder of the test."""
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.mark.usefixtures("jupyter")
def test_the_notebook_runs_to_its_three_plots(store: Store, database: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    start(store, "c1", "toys")
    collect(store, "c1", "toys", {"B000000001": [listing("1", "ann"), listing("2", "bob")], "B000000002": []})
    finish(store, "c1")
    store.snapshots.of_collection("c1")
    monkeypatch.setenv("COLLECTION_DATABASE_URL", database.render_as_string(hide_password=False))
    notebook = nbformat.from_dict(NOTEBOOK)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert plots(notebook) == 3


def test_what_is_kept_in_the_notebook_are_its_outputs() -> None:
    assert plots(NOTEBOOK) == 3
