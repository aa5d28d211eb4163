"""What probes are told: whether the process lives, and whether it can do its work, with the reason if it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from collection_pipeline.feed import health, observing
from collection_pipeline.feed.access import FeedConfig
from collection_pipeline.feed.hub import Hub
from collection_pipeline.feed.observing import Observing
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.feed.serving import ask, serving
from collection_pipeline_tests.waiting import await_true

ALL_OK = {"database": "ok", "schema": "ok", "listener": "ok"}


def checks(url: str) -> dict[str, str]:
    answer = ask.get(f"{url}/readyz")
    found: dict[str, str] = answer.json()["checks"]
    assert answer.json()["ready"] is (answer.status_code == 200) is (set(found.values()) == {"ok"})
    return found


@contextmanager
def away(store: Store, server: sa.URL) -> Iterator[None]:
    """The test's database, for a while, takes no connections and has ended those there were."""
    name = store.engine.url.database
    admin = create_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as postgres:
        postgres.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        postgres.execute(sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"))
        try:
            yield
        finally:
            postgres.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    admin.dispose()


def test_a_server_that_works_is_ready(url: str) -> None:
    await_true(lambda: checks(url) == ALL_OK)
    assert ask.get(f"{url}/healthz").json() == {"status": "ok"}


def test_without_its_database_it_lives_but_is_not_ready_and_is_again_when_that_is_back(
    url: str, store: Store, server: sa.URL
) -> None:
    await_true(lambda: checks(url) == ALL_OK)
    with away(store, server):
        await_true(lambda: checks(url)["database"] != "ok" and checks(url)["listener"] != "ok")
        assert ask.get(f"{url}/healthz").status_code == 200
        assert str(store.engine.url.database) not in ask.get(f"{url}/readyz").text
        assert ask.get(f"{url}/metrics").status_code == 503
    await_true(lambda: checks(url) == ALL_OK)


def test_with_another_schema_it_is_not_ready(url: str, store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    await_true(lambda: "database migrate" in checks(url)["schema"])
    assert checks(url)["database"] == "ok"


@pytest.fixture
def deaf(store: Store) -> Iterator[Store]:
    """Stores under a login that may see the schema's version, but not know of new events."""
    statements = ("CREATE ROLE deaf LOGIN", "GRANT SELECT ON alembic_version TO deaf")
    with store.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine = create_engine(store.engine.url.set(username="deaf"))
    yield Store(engine)
    engine.dispose()
    with store.engine.begin() as connection:
        for statement in ("DROP OWNED BY deaf", "DROP ROLE deaf"):
            connection.execute(sa.text(statement))


def test_where_new_events_are_not_announced_to_it_it_is_not_ready(deaf: Store) -> None:
    with serving(deaf) as url:
        found = checks(url)
        assert (found["database"], found["schema"]) == ("ok", "ok")
        assert "LISTEN" in found["listener"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_need_no_token_and_figures_do(store: Store, path: str) -> None:
    with serving(store, FeedConfig(token="t")) as url:
        await_true(lambda: ask.get(f"{url}{path}").status_code == 200)
        assert ask.get(f"{url}/metrics").status_code == 401
        assert ask.get(f"{url}/metrics", headers={"Authorization": "Bearer t"}).status_code == 200
        assert ask.get(f"{url}{path}", headers={"Host": "evil.example"}).status_code == 403


def test_a_database_that_hangs_is_away_and_is_asked_once_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "ANSWERS_WITHIN_S", 0.05)

    async def probe() -> list[health.Readiness]:
        hub = Hub(store.engine)
        asked = Observing(store, hub)
        found = [await asked.readiness() for _ in range(3)]
        asked.close()
        return found

    with store.engine.begin() as locking:
        locking.execute(sa.text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
        found = asyncio.run(probe())
        assert [one.checks["database"] for one in found] == [health.NO_ANSWER] * 3
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        assert locking.scalar(sa.text(waiting)) == 1
