import os
import subprocess
import sys

from collection_pipeline_tests.conftest import REPOSITORY


def test_imports_go_the_way_the_design_says() -> None:
    checked = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_definitions_load_in_a_fresh_process_without_any_environment() -> None:
    code = "from collection_pipeline.definitions import defs; print(len(defs.resolve_all_asset_keys()))"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.stdout.strip() == "4", loaded.stderr


def test_every_module_of_the_core_has_its_test_file() -> None:
    modules = {path.stem for path in (REPOSITORY / "collection_pipeline/core").rglob("*.py")} - {"__init__"}
    tests = {path.stem for path in (REPOSITORY / "collection_pipeline_tests/core").rglob("test_*.py")}
    assert {module for module in modules if f"test_{module}" not in tests} == set()
