"""What a login of the database tries beyond its role: to become more, to change the past, to stop others, to listen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.edits import NewSeller
from collection_pipeline.tables.schema.tables import metadata
from collection_pipeline.tables.schema.views import VIEWS
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.server.access import ADMIN, ANALYST, PIPELINE, READER
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.migrating import migrate
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.feed.serving import event
from collection_pipeline_tests.tables.examples import collect, finish, listing, rows, start

Login = Callable[[str], psycopg.Connection]

DENIED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable)
"""What a refusal looks like; a table that a login cannot see may as well not be there."""


@pytest.fixture
def login(store: Store, database: sa.URL) -> Iterator[Login]:
    """Logs in somebody new of a role, or of none. Every statement is a transaction of its own."""
    connections: list[psycopg.Connection] = []
    admin = store.engine.execution_options(isolation_level="AUTOCOMMIT")

    def log_in(role: str) -> psycopg.Connection:
        name = f"{role}_{database.database}"
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN {f'IN ROLE {role}' if role != 'stranger' else ''}")
        url = database.set(drivername="postgresql", username=name).render_as_string()
        connections.append(psycopg.connect(url, autocommit=True))
        return connections[-1]

    yield log_in
    for connection in connections:
        connection.close()


def refused(connection: psycopg.Connection, *statements: str) -> None:
    for statement in statements:
        with pytest.raises(DENIED), connection.transaction():
            connection.execute(statement.encode())


def with_a_past(store: Store) -> None:
    start(store, "c1", "home")
    collect(store, "c1", "home", {"B000000001": [listing("1", "alpha")]})
    finish(store, "c1")
    store.snapshots.of_collection("c1")


@pytest.mark.parametrize("role", [PIPELINE, ADMIN, ANALYST, READER])
def test_a_trigger_that_makes_its_author_superuser_as_soon_as_the_owner_fires_it(login: Login, role: str) -> None:
    attacker = login(role)
    name = attacker.info.user
    attacker.execute(
        f"CREATE FUNCTION pg_temp.seize() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN ALTER ROLE {name} SUPERUSER; RETURN NULL; END $$".encode()
    )
    for table in metadata.tables:
        refused(attacker, f"CREATE TRIGGER seize AFTER INSERT ON {table} EXECUTE FUNCTION pg_temp.seize()")


def test_rights_beyond_reading_and_writing_rows(store: Store) -> None:
    granted = rows(
        store,
        """
        SELECT DISTINCT c.relname, r.rolname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
        LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner
        """,
    )
    assert {role for _, role, _ in granted} == {PIPELINE, ANALYST, READER, ADMIN}
    assert {right for *_, right in granted} == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert {right for _, role, right in granted if role in (ANALYST, READER)} == {"SELECT"}


def test_rights_that_an_older_version_had_granted(store: Store, login: Login) -> None:
    attacker = login(PIPELINE)
    with store.engine.begin() as connection:
        for relation in (*metadata.tables, *VIEWS):
            connection.exec_driver_sql(f"GRANT ALL ON {relation} TO {PIPELINE}, {ANALYST}, {READER}, {ADMIN}, PUBLIC")
        connection.exec_driver_sql(f"GRANT CREATE ON SCHEMA public TO PUBLIC, {PIPELINE}")
    attacker.execute("CREATE TABLE mine (x int)")
    attacker.execute("DROP TABLE mine")
    migrate(store.engine)
    test_rights_beyond_reading_and_writing_rows(store)
    refused(attacker, "CREATE TABLE mine (x int)", "TRUNCATE sellers", "UPDATE seller_versions SET note = 'x'")


def test_a_collector_who_rewrites_the_past(store: Store, login: Login) -> None:
    with_a_past(store)
    refused(
        login(PIPELINE),
        "UPDATE seller_audit_log SET actor = 'nobody'",
        "DELETE FROM seller_audit_log",
        "UPDATE seller_versions SET display_name = 'x'",
        "DELETE FROM seller_versions",
        "INSERT INTO seller_versions SELECT 'acme', marketplace, seller_key, 99, NULL, 'x', 'active', NULL, false "
        "FROM seller_versions",
        "UPDATE seller_count_snapshots SET seller_count = 0",
        "DELETE FROM seller_count_snapshots",
        "DELETE FROM erased_sellers",
        "UPDATE purges SET removed = 0",
        "TRUNCATE seller_audit_log CASCADE",
        "UPDATE alembic_version SET version_num = '0001'",
        "UPDATE activity_channel SET channel = 'mine'",
    )
    assert Store(store.engine).edits.add("default", [NewSeller("beta")], Author("anna")).seller_count == 2


def test_the_function_that_keeps_versions_fired_from_a_table_of_ones_own(store: Store, login: Login) -> None:
    with_a_past(store)
    for role in ("stranger", ANALYST, PIPELINE):
        attacker = login(role)
        attacker.execute("CREATE TEMPORARY TABLE mine (id bigint, org_id text, old_values jsonb, new_values jsonb)")
        refused(
            attacker,
            "CREATE TRIGGER forge AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION public.keep_seller_versions()",
        )


def test_the_function_that_keeps_versions_led_to_a_table_of_ones_own(store: Store, login: Login) -> None:
    attacker = login(PIPELINE)
    attacker.execute("CREATE TEMPORARY TABLE seller_versions (LIKE public.seller_versions)")
    attacker.execute("SET search_path = pg_temp, public")
    attacker.execute("""
        INSERT INTO seller_audit_log
            (org_id, action, actor, source, affected_count, old_values, new_values, seller_count_snapshot)
        VALUES ('default', 'added', 'x', 'manual', 1, '[]',
                '[{"marketplace": "ebay", "seller_key": "k", "display_name": "K", "status": "active"}]', 1)
    """)
    assert rows(store, "SELECT seller_key FROM seller_versions") == [("k",)]
    assert attacker.execute("SELECT count(*) FROM pg_temp.seller_versions").fetchone() == (0,)


@pytest.mark.parametrize("role", ["stranger", ANALYST, READER])
def test_a_login_without_the_right_that_holds_an_organisations_lock(store: Store, login: Login, role: str) -> None:
    with_a_past(store)
    attacker = login(role)
    refused(
        attacker,
        "SELECT * FROM locks FOR UPDATE",
        "SELECT name FROM locks",
        "UPDATE requests_in_flight SET held_until = 'infinity'",
        "SELECT admit_call('ebay', 'search', now()::date, 1, NULL, 5000, 25, '{}', 'me', 1e6, 1e-6, 1)",
        "INSERT INTO locks VALUES ('sellers: default')",
        "LOCK TABLE locks IN ACCESS SHARE MODE",
        "LOCK TABLE sellers IN ROW EXCLUSIVE MODE",
        "LOCK TABLE alembic_version IN SHARE ROW EXCLUSIVE MODE",
        "SELECT * FROM collections FOR UPDATE",
    )


def test_every_advisory_lock_that_the_product_ever_took(store: Store, login: Login) -> None:
    """With the right to take them, which a database that other programs use as well leaves to every login."""
    with_a_past(store)
    grant_functions_to_everybody(store)
    attacker = login("stranger")
    for key in ("hashtextextended('sellers:default', 0)", "hashtextextended('activity:c1', 0)", "7302115", "7302116"):
        attacker.execute(f"SELECT pg_advisory_lock({key})".encode())
    attacker.execute("SELECT pg_advisory_lock(hashtext('in flight: ebay'), n) FROM generate_series(1, 25) n")
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {store.engine.url.database} SET lock_timeout = '2s'")
    store.engine.dispose()
    store.edits.add("default", [NewSeller("beta")], Author("anna"))
    store.activity.append([event(1, "c1")])
    migrate(store.engine)
    assert rows(store, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == [(0,)]


def test_a_stranger_that_listens_to_collections(store: Store, login: Login) -> None:
    with_a_past(store)
    listeners = [login(role) for role in ("stranger", ANALYST, READER)]
    [(channel,)] = rows(store, "SELECT channel FROM activity_channel")
    for listener in listeners:
        refused(listener, "SELECT channel FROM activity_channel")
        listener.execute("LISTEN activity")
    product = login(PIPELINE)
    product.execute(f"LISTEN {channel}".encode())
    store.activity.append([event(1, "c1")])
    assert [notice.payload for notice in product.notifies(timeout=5, stop_after=1)] == ["c1"]
    for listener in listeners:
        # Announcements reach every listener in the order of their commits, so that this one comes last.
        listener.execute("NOTIFY activity, 'the end'")
        assert {notice.payload for notice in listener.notifies(timeout=5, stop_after=1)} == {"the end"}
        statement = "SELECT query FROM pg_stat_activity WHERE query ILIKE %s AND pid <> pg_backend_pid()"
        assert listener.execute(statement, [f"%{channel}%"]).fetchall() == []


def test_a_feed_that_an_analyst_starts(login: Login, database: sa.URL) -> None:
    engine = create_engine(database.set(username=login(ANALYST).info.user))
    with pytest.raises(PipelineError, match=r"may not follow collections live.*docs/access.md"):
        Store(engine).activity.require_listener()
    engine.dispose()


def test_functions_that_every_login_may_call_by_default(login: Login) -> None:
    for role in ("stranger", ANALYST, READER):
        refused(
            login(role),
            "SELECT pg_advisory_lock(1)",
            "SELECT pg_try_advisory_xact_lock_shared(1, 2)",
            "SELECT pg_notify('activity', 'x')",
            "SELECT pg_logical_emit_message(false, 'x', 'y')",
            "SELECT pg_terminate_backend(pg_backend_pid())",
        )


def test_functions_are_left_alone_where_other_programs_use_the_database(store: Store, login: Login) -> None:
    grant_functions_to_everybody(store)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE somebody_elses (x int)")
    migrate(store.engine)
    login("stranger").execute("SELECT pg_advisory_lock(1), pg_notify('theirs', 'x')")


def grant_functions_to_everybody(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pg_catalog TO PUBLIC")
