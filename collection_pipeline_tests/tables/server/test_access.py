"""Three roles log in, and each tries what it must not be able to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from collection_pipeline.core.sellers.edits import NewSeller
from collection_pipeline.tables.schema.tables import metadata
from collection_pipeline.tables.schema.views import VIEWS
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.server.access import FOR_EVERYBODY, HIDDEN
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import collect, listing, start

GROUPS = {"anna": "collection_analyst", "pim": "collection_pipeline", "ada": "collection_admin"}


class Login:
    """One person's connection."""

    def __init__(self, url: sa.URL, name: str) -> None:
        self.engine = create_engine(url.set(username=name))

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with self.engine.begin() as connection:
            result = connection.execute(sa.text(query))
            return [tuple(row) for row in result] if result.returns_rows else []

    def must_not(self, query: str) -> None:
        with pytest.raises(ProgrammingError, match=r"permission denied|row-level security|must be owner"):
            self.rows(query)


@pytest.fixture
def logins(store: Store, database: sa.URL) -> Iterator[dict[str, Login]]:
    """Anna is an analyst of acme; two organisations have collected and edited."""
    with store.engine.begin() as connection:
        for name, group in GROUPS.items():
            known = connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name})
            if not known:
                connection.execute(sa.text(f"CREATE ROLE {name} LOGIN IN ROLE {group}"))
        connection.execute(sa.text("INSERT INTO analysts VALUES ('anna', 'acme'), ('bert', 'default')"))
    for org_id in ("default", "acme"):
        store.edits.add(org_id, [NewSeller(f"seller of {org_id}")], Author("somebody"))
    start(store, "of-default", "home")
    collect(store, "of-default", "home", {"B000000001": [listing("1", "alpha")]})
    people = {name: Login(database, name) for name in GROUPS}
    yield people
    for person in people.values():
        person.engine.dispose()


def test_an_analyst_sees_only_rows_of_the_own_organisation(logins: dict[str, Login]) -> None:
    anna = logins["anna"]
    for table in ("sellers", "seller_audit_log", "seller_count_snapshots", "seller_versions", "collections"):
        assert {org for (org,) in anna.rows(f"SELECT DISTINCT org_id FROM {table}")} <= {"acme"}, table
    assert anna.rows("SELECT display_name FROM sellers") == [("seller of acme",)]
    assert anna.rows("SELECT display_name FROM seller_history") == [("seller of acme",)]
    assert anna.rows("SELECT DISTINCT org_id FROM list_timeline") == [("acme",)]
    assert anna.rows("SELECT * FROM seller_list_at('default', 99)") == []
    assert len(anna.rows("SELECT * FROM seller_list_at('acme', 99)")) == 1
    for table in ("ebay_listings", "collection_categories", "product_searches", "seller_sightings", "amazon_products"):
        assert anna.rows(f"SELECT * FROM {table}") == [], table
    assert anna.rows("SELECT role_name FROM analysts") == [("anna",)]


def test_an_analyst_changes_nothing_and_sees_nothing_of_the_operators(logins: dict[str, Login]) -> None:
    anna = logins["anna"]
    for attempt in (
        "INSERT INTO sellers (org_id, marketplace, seller_key, display_name) VALUES ('acme', 'ebay', 'x', 'x')",
        "UPDATE sellers SET note = 'x'",
        "DELETE FROM seller_audit_log",
        "INSERT INTO analysts VALUES ('anna', 'default')",
        "UPDATE analysts SET org_id = 'default'",
        "ALTER TABLE sellers DISABLE ROW LEVEL SECURITY",
        "SET ROLE collection_pipeline",
        "SET ROLE collection_admin",
        "CREATE TABLE mine (x int)",
        *(f"SELECT * FROM {table}" for table in HIDDEN),
    ):
        anna.must_not(attempt)
    anna.rows("SET ROLE collection_analyst")


def test_the_pipeline_works_for_all_and_cannot_rewrite_what_has_happened(logins: dict[str, Login]) -> None:
    pim = logins["pim"]
    assert pim.rows("SELECT count(DISTINCT org_id) FROM sellers") == [(2,)]
    worker = Store(pim.engine)
    worker.edits.add("acme", [NewSeller("from the pipeline")], Author("pim"))
    assert worker.sellers.count("acme") == 2
    for attempt in (
        "UPDATE seller_audit_log SET actor = 'nobody'",
        "DELETE FROM seller_audit_log",
        "UPDATE seller_count_snapshots SET seller_count = 0",
        "INSERT INTO analysts VALUES ('pim', 'acme')",
    ):
        pim.must_not(attempt)


def test_an_administrator_decides_who_sees_what(logins: dict[str, Login]) -> None:
    logins["ada"].rows("INSERT INTO analysts VALUES ('anna', 'default')")
    names = {name for (name,) in logins["anna"].rows("SELECT display_name FROM sellers")}
    assert names == {"seller of acme", "seller of default", "alpha"}
    logins["ada"].rows("DELETE FROM analysts WHERE role_name = 'anna'")
    assert logins["anna"].rows("SELECT * FROM sellers") == []


def test_an_administrator_erases_who_asks_for_it(logins: dict[str, Login], store: Store) -> None:
    assert Store(logins["ada"].engine).erasure.erase("alpha", "ada") == 1
    assert store.sellers.count("default") == 1
    log = "SELECT actor FROM seller_audit_log WHERE action = 'erased'"
    assert logins["ada"].rows(log) == [("ada",)]


def test_no_table_is_forgotten(store: Store) -> None:
    with store.engine.connect() as connection:
        secured = sa.text("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relrowsecurity")
        assert set(metadata.tables) <= set(connection.scalars(secured))
        invoking = sa.text(
            "SELECT relname FROM pg_class WHERE relkind = 'v' AND 'security_invoker=true' = ANY(reloptions)"
        )
        assert set(VIEWS) <= set(connection.scalars(invoking))
    for name, table in metadata.tables.items():
        columns = set(table.columns.keys())
        assert {"org_id", "collection_id"} & columns or name in (*HIDDEN, *FOR_EVERYBODY), name
