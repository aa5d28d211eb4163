"""`worker`, and `up` without runs: what is missing is said before anything is started."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from collection_pipeline.cli import main
from collection_pipeline.settings.pipeline import simulated_accounts

NAMED = {"COLLECTION_DATABASE_URL": "postgresql://h/d", "COLLECTION_DAGSTER_DATABASE_URL": "postgresql://h/e"}
SENT = {"COLLECTION_LAUNCHER": "celery", "COLLECTION_BROKER_URL": "redis://h"}
ACCOUNTS = simulated_accounts("http://h")


@pytest.mark.parametrize(
    ("words", "given", "sentence"),
    [
        (("worker",), {**NAMED, **ACCOUNTS}, "COLLECTION_BROKER_URL does not say where that is"),
        (("worker",), {**NAMED, **SENT}, "There are no marketplace credentials."),
        (("worker",), {**SENT, **ACCOUNTS}, "Workers and the control plane meet in one Postgres"),
        (("worker",), {"COLLECTION_DATABASE_URL": "postgresql://h/d", **SENT, **ACCOUNTS}, "writes what its runs do"),
        (("up", "--no-runs"), NAMED, "COLLECTION_LAUNCHER is fork: nobody would take them."),
        (("up", "--no-runs"), SENT, "Workers and the control plane meet in one Postgres"),
    ],
)
def test_what_is_missing_is_said(words: tuple[str, ...], given: dict[str, str], sentence: str) -> None:
    unset = dict.fromkeys((*NAMED, *SENT, *ACCOUNTS))
    result = CliRunner().invoke(main, words, env={**unset, **given})
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "\n" not in result.stderr.strip()
