"""Dagster's storage on the shared pool: few sessions, whatever is asked, and none that outlives what it was for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from collection_pipeline.orchestration.instance.pooled_storage import MAX_OVERFLOW, POOL_SIZE, shared_engine
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline_tests.conftest import copied

FORK = """
import os, sys
import dagster as dg
with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    instance.get_runs_count()
    children = []
    for _ in range(2):
        if (child := os.fork()) == 0:
            for _ in range(20):
                instance.get_runs_count()
            os._exit(0)
        children.append(child)
    for _ in range(20):
        instance.get_runs_count()
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    assert instance.get_runs_count() == 0
"""

ENDING_OTHERS = sa.text(
    "SELECT pg_terminate_backend(pid, 10_000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def address(server: sa.URL, dagster_template: str, database: sa.URL) -> str:
    url = copied(server, dagster_template, f"dagster_{database.database}")
    return url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


@pytest.fixture
def home(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("COLLECTION_DAGSTER_DATABASE_URL", address)
    storage = "module: collection_pipeline.orchestration.storage\n    class: ProjectStorage"
    (tmp_path / "dagster.yaml").write_text(f"storage:\n  custom:\n    {storage}\ntelemetry: {{enabled: false}}\n")
    yield tmp_path
    shared_engine(address).dispose()


def sessions(address: str) -> int:
    """How many there ever were."""
    engine = create_engine(sa.make_url(address).set(database="postgres"))
    with engine.connect() as connection:
        query = sa.text("SELECT sessions FROM pg_stat_database WHERE datname = :name")
        found = connection.scalar(query, {"name": sa.make_url(address).database})
    engine.dispose()
    return int(found or 0)


def test_many_instances_share_a_session_and_inspect_the_schema_once(address: str, home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as first:
        assert first.get_runs_count() == 0
    after_the_first = sessions(address)
    for _ in range(20):
        with dg.DagsterInstance.from_config(str(home)) as instance:
            instance.get_runs()
            instance.all_asset_keys()
            instance.all_instigator_state()
    shared_engine(address).dispose()  # sessions that are over are counted
    assert sessions(address) <= after_the_first + 1


def test_only_the_first_instance_of_a_process_inspects_the_schema(address: str, home: Path) -> None:
    statements: list[str] = []
    sa.event.listen(shared_engine(address), "before_cursor_execute", lambda *told: statements.append(told[2]))
    for _ in range(2):
        del statements[:]
        with dg.DagsterInstance.from_config(str(home)) as instance:
            instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
            instance.all_asset_keys()
            instance.all_instigator_state()
            instance.get_dynamic_partitions("category")
    assert statements
    assert not [one for one in statements if "pg_catalog" in one or "secondary_indexes" in one]


def test_threads_open_no_more_sessions_than_the_pool_allows(address: str, home: Path) -> None:
    changes: list[int] = []
    sa.event.listen(shared_engine(address), "connect", lambda *_: changes.append(+1))
    sa.event.listen(shared_engine(address), "close", lambda *_: changes.append(-1))
    with dg.DagsterInstance.from_config(str(home)) as instance, ThreadPoolExecutor(30) as threads:
        asked = [threads.submit(instance.get_runs_count) for _ in range(600)]
        assert {one.result() for one in asked} == {0}
    assert 1 < max(accumulate(changes)) <= POOL_SIZE + MAX_OVERFLOW


def test_a_session_that_the_server_has_ended_is_replaced(address: str, home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.get_runs_count()
        other = create_engine(sa.make_url(address))
        with other.connect() as connection:
            connection.execute(ENDING_OTHERS)
        other.dispose()
        assert instance.get_runs_count() == 0


def test_forked_processes_speak_through_sessions_of_their_own(home: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FORK, str(home)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_web_servers_statements_are_limited_and_nobody_elses(address: str, home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.optimize_for_webserver(statement_timeout=1_234, pool_recycle=-1, max_overflow=20)
        assert instance.get_runs_count() == 0
        show = sa.text("SHOW statement_timeout")
        with shared_engine(address, 1_234).connect() as limited, shared_engine(address).connect() as other:
            assert (limited.scalar(show), other.scalar(show)) == ("1234ms", "0")
            with pytest.raises(sa.exc.OperationalError, match="statement timeout"):
                limited.execute(sa.text("SELECT pg_sleep(60)"))
        run_storage = instance.run_storage
        assert run_storage._engine is shared_engine(address, 1_234)  # type: ignore[attr-defined]
    shared_engine(address, 1_234).dispose()
