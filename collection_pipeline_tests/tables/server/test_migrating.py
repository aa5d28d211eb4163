import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.seller_list import replayed
from collection_pipeline.tables.schema.tables import metadata
from collection_pipeline.tables.schema.version import revisions
from collection_pipeline.tables.schema.views import VIEWS
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.server.access import ADMIN, ANALYST, PIPELINE
from collection_pipeline.tables.server.database import create_engine, database_url
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded
from collection_pipeline.tables.server.migrating import alembic_config, migrate
from collection_pipeline.tables.store import Store, open_store
from collection_pipeline_tests.conftest import dropped, execute
from collection_pipeline_tests.tables.examples import collect, listing, rows, start


def test_the_migrations_make_exactly_the_schema_comments_included(store: Store) -> None:
    with store.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": False, "include_object": is_no_partition}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def is_no_partition(_: object, name: str, *_others: object) -> bool:
    return not re.match(r"activity_events_(week|default|before)", name)


def test_migrating_again_changes_nothing(store: Store) -> None:
    before = rows(store, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
    migrate(store.engine)
    after = rows(store, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
    assert sorted(map(str, before)) == sorted(map(str, after))


def test_every_table_column_and_view_has_a_comment(store: Store) -> None:
    for table in metadata.tables.values():
        assert table.comment, table.name
        assert [column.name for column in table.columns if not column.comment] == []
    commented = rows(store, "SELECT relname FROM pg_class WHERE relkind = 'v' AND obj_description(oid) IS NOT NULL")
    assert {name for (name,) in commented} >= set(VIEWS)


def test_a_database_without_the_schema_is_refused_with_what_to_do(server: sa.URL) -> None:
    empty = create_database(server, "never_migrated")
    with pytest.raises(PipelineError, match=r"none yet.* is older .* database migrate"), open_store(empty):
        pass


@pytest.mark.parametrize(("revision", "said"), [("0000", "is newer than this code"), (None, "is older than this code")])
def test_another_schema_than_the_codes_is_refused(database: sa.URL, revision: str | None, said: str) -> None:
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM alembic_version"))
        if revision:
            connection.execute(sa.text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    engine.dispose()
    with pytest.raises(PipelineError, match=said), open_store(database):
        pass


def test_a_database_that_is_down_is_named_without_its_password() -> None:
    down = database_url("postgresql://collector:hunter2@127.0.0.1:1/collection")
    with pytest.raises(PipelineError, match="does not answer") as refused, open_store(down):
        pass
    assert "127.0.0.1:1" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("text", ["nonsense", "mysql://u:hunter2@host/db", "postgresql//u:hunter2@host"])
def test_an_address_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(PipelineError, match="COLLECTION_DATABASE_URL") as refused:
        database_url(text)
    assert not re.search("hunter2", str(refused.value))


FIRST_DATA = """
    INSERT INTO collections (collection_id, org_id, status) VALUES ('c1', 'default', 'completed');
    INSERT INTO sellers (org_id, marketplace, seller_key, display_name) VALUES ('default', 'ebay', 'alpha', 'Alpha');
    INSERT INTO seller_audit_log (org_id, action, actor, source, collection_id, affected_count, old_values, new_values,
                                  seller_count_snapshot)
    VALUES ('default', 'discovered', 'run 1', 'collection', 'c1', 1, '[]',
            '[{"marketplace": "ebay", "seller_key": "alpha", "display_name": "Alpha", "status": "active"}]', 1);
    INSERT INTO amazon_products (org_id, category, asin, position, title, url, collection_id, updated_at)
    SELECT 'default', 'home', 'B' || lpad(i::text, 9, '0'), i, 'Product ' || i, '', 'c1', now()
    FROM generate_series(1, 600) i;
    INSERT INTO ebay_listings (org_id, asin, listing_id, marketplace, seller_key, seller_name, title, price, currency,
                               condition_id, is_fixed_price, is_delivery_free, country, url, first_collection_id,
                               last_collection_id)
    SELECT 'default', 'B' || lpad(i::text, 9, '0'), i::text, 'ebay', 'alpha', 'Alpha', 'Listing ' || i, 200, 'USD',
           '1000', true, true, 'US', '', 'c1', 'c1'
    FROM generate_series(1, 600) i
"""

WORK_OF_A_RUN = """
    INSERT INTO activity_events (timestamp, run_id, collection_id, worker_id, phase, action, category, api_params)
    VALUES (now(), 'r1', 'c1', 1, 'ebay', 'found', 'home', '{}');
    UPDATE ebay_listings SET gone_at = now() WHERE ctid = (SELECT ctid FROM ebay_listings WHERE gone_at IS NULL LIMIT 1)
"""


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_a_database_of_an_earlier_schema_is_brought_up_to_date_while_a_run_writes(
    server: sa.URL, revision: str
) -> None:
    url = create_database(server, f"of_schema_{revision}")
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0001")
        connection.exec_driver_sql(FIRST_DATA)
        command.upgrade(alembic_config(connection), revision)
    with repeating(engine, WORK_OF_A_RUN) as done:
        migrate(engine)
    engine.dispose()
    with open_store(url) as store:
        assert rows(store, "SELECT count(*)::int FROM activity_events") == [(len(done),)]
        assert rows(store, "SELECT count(*)::int FROM ebay_listings WHERE gone_at IS NOT NULL") == [(len(done),)]
        assert store.quality.wrong_figures("default", "home") == []
        assert [seller.display_name for seller in store.history.at("default", 1)] == ["Alpha"]
        assert replayed(store.history.log("default")).keys() == {("ebay", "alpha")}
        removed = store.edits.remove("default", ["Alpha"], Author("anna"))
        assert removed.seller_count == 0
        assert [seller.status for seller in store.history.at("default", removed.audit_id)] == ["removed"]
        start(store, "c2", "home")
        collect(store, "c2", "home", {"B000000001": [listing("1", "beta")]})
        assert store.sellers.count("default") == 1
        assert store.quality.wrong_figures("default", "home") == []
    dropped(server, str(url.database))


@contextmanager
def repeating(engine: sa.Engine, statements: str) -> Iterator[list[int]]:
    """Somebody who commits the statements again and again meanwhile; one entry for each commit."""
    over, done = threading.Event(), list[int]()

    def repeat() -> None:
        while not over.is_set():
            with suppress(sa.exc.OperationalError), engine.begin() as connection:  # a deadlock: a run would try again
                connection.exec_driver_sql(statements)
                connection.commit()
                done.append(1)
            over.wait(0.02)

    with ThreadPoolExecutor(1) as threads:
        repeated = threads.submit(repeat)
        try:
            yield done
        finally:
            over.set()
        repeated.result()


def test_a_role_that_may_not_create_roles_is_told_what_an_administrator_has_to_do() -> None:
    home = Path(tempfile.mkdtemp(prefix="collection_pipeline_roles_"))
    # A server of its own, because roles belong to the whole server.
    try:
        server = start_embedded(home)
        url = create_database(server, "limited")
        execute(server, "CREATE ROLE limited LOGIN", "ALTER DATABASE limited OWNER TO limited")
        engine = create_engine(url.set(username="limited"))
        with pytest.raises(PipelineError, match=r"may not create it.*CREATE ROLE collection_pipeline NOLOGIN"):
            migrate(engine)
        execute(server, *(f"CREATE ROLE {role} NOLOGIN" for role in (PIPELINE, ANALYST, ADMIN)))
        migrate(engine)
        engine.dispose()
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


def test_the_names_of_the_migrations_say_their_order() -> None:
    scripts = ScriptDirectory.from_config(alembic_config(None))
    assert revisions() == [script.revision for script in scripts.walk_revisions()][::-1]
