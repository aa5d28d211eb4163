"""The built wheel, installed where there is no checkout; and the one version that everything agrees on."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

import collection_pipeline
from collection_pipeline.cli import main
from collection_pipeline.definitions import build_defs
from collection_pipeline_tests.conftest import REPOSITORY
from collection_pipeline_tests.running import Product, up

pytestmark = pytest.mark.xdist_group("wheel")  # so that it is built and installed once

VERSION = collection_pipeline.__version__
BASE_PYTHON = Path(sys.executable).resolve()
"""The interpreter below the environment: it has pip, which the environment has not."""


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel, beside the libraries of the environment that runs the tests."""

    wheel: Path
    bin: Path

    def run(self, *words: str, cwd: Path) -> str:
        """What a program of the environment prints."""
        done = subprocess.run(
            [str(self.bin / words[0]), *words[1:]], cwd=cwd, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def pip(*words: str) -> None:
    subprocess.run([BASE_PYTHON, "-m", "pip", *words, "--quiet", "--no-deps"], check=True, timeout=200)


def copy_of_the_tracked_files(folder: Path) -> Path:
    """What is built is what is committed or about to be; and building leaves nothing in the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", str(copy_of_the_tracked_files(folder / "source")), "--wheel-dir", str(folder))
    [wheel] = folder.glob("*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    pip("--python", str(environment / "bin" / "python"), "install", "--no-index", str(wheel))
    [libraries] = environment.glob("lib/python*/site-packages")
    # Without the .pth files in it, so that the checkout, which is installed there as editable, is not seen.
    (libraries / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return Installed(wheel, environment / "bin")


@pytest.fixture(scope="module")
def product(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """`up` of the wheel, in an empty folder."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with up(
        tmp_path_factory.mktemp("home"), {}, command=str(installed.bin / "collection-pipeline"), folder=elsewhere
    ) as started:
        yield started
    assert list(elsewhere.iterdir()) == []


def test_the_wheel_has_every_file_of_the_package(installed: Installed, tmp_path: Path) -> None:
    shutil.unpack_archive(installed.wheel, tmp_path, "zip")
    in_wheel = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    listed = subprocess.run(
        ["git", "ls-files", "collection_pipeline"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert {name for name in listed.stdout.splitlines() if (REPOSITORY / name).exists()} <= in_wheel
    assert not [name for name in in_wheel if name.startswith("collection_pipeline_tests")]


def test_the_wheel_is_what_runs_and_not_the_checkout(installed: Installed, tmp_path: Path) -> None:
    where = installed.run(
        "python", "-c", "import collection_pipeline.definitions as one; print(one.__file__)", cwd=tmp_path
    )
    assert Path(where).is_relative_to(installed.bin.parent)


def test_command_line_wheel_and_definitions_agree_on_the_version(installed: Installed, tmp_path: Path) -> None:
    assert installed.run("collection-pipeline", "--version", cwd=tmp_path) == f"collection-pipeline, version {VERSION}"
    assert installed.wheel.name.split("-")[1] == VERSION
    assert VERSION in CliRunner().invoke(main, ["--version"]).output
    [shown] = [value.value for name, value in build_defs({}).metadata.items() if name == "version"]
    assert shown == VERSION


def test_up_starts_from_any_folder_and_collects(product: Product, installed: Installed) -> None:
    collected = subprocess.run(
        [str(installed.bin / "collection-pipeline"), "collect", "--category", "kitchen-coffee-machines", "--wait"],
        cwd=product.home,
        env={**dict(product.environment), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert collected.returncode == 0, collected.stdout + collected.stderr


def test_the_ui_shows_the_version_of_the_code(product: Product) -> None:
    answer = product.graphql(
        "{ workspaceOrError { ... on Workspace { locationEntries { displayMetadata { key value } } } } }"
    )
    [location] = answer["workspaceOrError"]["locationEntries"]
    assert {"key": "version", "value": VERSION} in location["displayMetadata"]
