"""The running product, given hostile files and launches: its code process is the same one afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collection_pipeline_tests.attacks.hostile_files import ENDS_THE_PROCESS
from collection_pipeline_tests.running import Product, processes_of, up
from collection_pipeline_tests.waiting import await_true

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.timeout(300)]

LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message cause { message } }
  }
}
"""


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    home = Path(tempfile.mkdtemp(prefix="collection_pipeline_attacked_"))
    try:
        with up(home, {"EBAY_SOURCE": "browse"}) as started:
            yield started
    finally:
        shutil.rmtree(home, ignore_errors=True)


def launched(product: Product, job: str, config: dict[str, Any]) -> str:
    """What the UI's own API answers to a launch, as text."""
    selector = {
        "repositoryLocationName": "collection_pipeline",
        "repositoryName": "__repository__",
        "jobName": job,
    }
    return str(product.graphql(LAUNCH, params={"selector": selector, "runConfigData": config})["launchRun"])


def code_processes(product: Product) -> set[int]:
    return {one.pid for one in processes_of(product.home) if "grpc" in one.cmdline()}


def test_the_code_process_outlives_workbooks_that_end_their_reader(product: Product) -> None:
    before = code_processes(product)
    assert before
    inbox = product.home / "inbox"
    inbox.mkdir()
    long_ago = time.time() - 3600
    files = {f"a{number}.xlsx": content for number, content in enumerate(ENDS_THE_PROCESS.values())}
    for name, content in {**files, "z.csv": b"name\nalpha\n"}.items():
        (inbox / name).write_bytes(content)
        os.utime(inbox / name, (long_ago, long_ago))
    await_true(lambda: (inbox / "done" / "z.csv").exists(), 90, every_s=0.5)
    assert {file.name for file in (inbox / "rejected").iterdir() if file.suffix == ".xlsx"} == set(files)
    assert product.rows("SELECT seller_key FROM sellers") == [{"seller_key": "alpha"}]
    assert code_processes(product) == before


@pytest.mark.parametrize(
    ("job", "config", "reason"),
    [
        ("sellers_add", {"name": {"env": "EBAY_SOURCE"}}, "Invalid scalar at path root:name"),
        ("sellers_bulk_add", {"names": ["a", {"env": "EBAY_SOURCE"}]}, "Invalid scalar at path root:names[1]"),
        ("sellers_undo", {"audit_id": {"env": "EBAY_SOURCE"}}, "Invalid scalar at path root:audit_id"),
        ("sellers_export", {"file": "/tmp/outside.csv"}, "no plain name of a file"),
        ("sellers_export", {"file": "../outside.csv"}, "no plain name of a file"),
        ("sellers_export", {"file": "authorized_keys"}, "does not say its format"),
    ],
)
def test_a_launch_through_the_uis_own_api_is_refused_with_the_reason(
    product: Product, job: str, config: dict[str, Any], reason: str
) -> None:
    assert reason in launched(product, job, config)
    runs = product.graphql("{ runsOrError { ... on Runs { results { runId } } } }")
    assert runs["runsOrError"]["results"] == []
