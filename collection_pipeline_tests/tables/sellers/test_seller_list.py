from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from collection_pipeline.core.collecting.collections import CollectionStatus
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.schema.tables import sellers
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import ORG, collect, done, finish, listing, product, rows, start


def replayed(store: Store) -> list[tuple[int, set[str]]]:
    """After every audit row, from an empty list on: the count that it recorded, and the list that the log gives."""
    live: set[str] = set()
    steps = []
    for action, new_values, count in rows(
        store, "SELECT action, new_values, seller_count_snapshot FROM seller_audit_log ORDER BY id"
    ):
        assert action == "discovered"
        values: Any = new_values
        live |= {value["seller_key"] for value in values}
        steps.append((int(str(count)), set(live)))
    return steps


def test_replaying_the_audit_log_gives_the_live_list_and_every_count(store: Store) -> None:
    start(store, "c1", "books", "toys")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann"), listing("2", "bob")]})
    collect(store, "c1", "toys", {"B000000002": [listing("3", "bob"), listing("4", "cid")]})
    steps = replayed(store)
    assert [count for count, _ in steps] == [len(live) for _, live in steps] == [2, 3]
    assert steps[-1][1] == {str(key) for (key,) in rows(store, "SELECT seller_key FROM sellers")}


def test_categories_merged_at_the_same_moment_never_count_wrong(store: Store) -> None:
    categories = [f"category-{number}" for number in range(12)]
    start(store, "c1", *categories)
    for number, category in enumerate(categories):
        store.control.enter("c1", category, "run", org_id=ORG)
        asin = f"B{number:09}"
        store.products.replace(ORG, "c1", category, [product(asin)], calls=1)
        store.searches.add("c1", category, store.products.searches(ORG, "c1", category))
        found = [listing(f"{number}-{one}", f"seller-{(number + one) % 17}") for one in range(9)]
        store.searches.checkpoints(ORG, "c1").record(done(asin), found)

    def merge(category: str) -> int:
        return store.sellers.merge(ORG, "c1", category, actor="run").new

    with ThreadPoolExecutor(6) as pool:
        new = list(pool.map(merge, categories * 2))
    assert sum(new) == store.sellers.count(ORG) == 17
    assert all(count == len(live) for count, live in replayed(store))
    assert rows(store, "SELECT sum(listing_count) FROM sellers") == [(12 * 9,)]


def test_a_removed_seller_does_not_come_back_and_a_given_name_stays(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann"), listing("2", "bob")]})
    with store.engine.begin() as connection:
        connection.execute(sellers.update().where(sellers.c.seller_key == "ann").values(status="removed"))
        connection.execute(sellers.update().where(sellers.c.seller_key == "bob").values(display_name="Bob's Store"))
    start(store, "c2", "toys")
    collect(store, "c2", "toys", {"B000000002": [listing("5", "ann"), listing("6", "BOB")]})
    assert rows(store, "SELECT seller_key, display_name, status FROM sellers ORDER BY 1") == [
        ("ann", "ann", "removed"),
        ("bob", "Bob's Store", "active"),
    ]
    assert store.sellers.count(ORG) == 1


def test_organisations_have_lists_of_their_own(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann")]})
    assert (store.sellers.count(ORG), store.sellers.count("acme")) == (1, 0)


def test_a_snapshot_equals_the_live_count_and_ends_the_collection(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann"), listing("2", "bob")]})
    finish(store, "c1")
    snapshot = store.snapshots.of_collection("c1")
    assert (snapshot.seller_count, snapshot.new_sellers, snapshot.cause) == (2, 2, "collection")
    collection = store.collections.get("c1")
    assert collection.seller_count_snapshot == store.sellers.count(ORG) == 2
    assert collection.completed_at is not None
    assert store.snapshots.latest(ORG) == snapshot


def test_however_many_ask_one_ending_has_one_snapshot(store: Store) -> None:
    start(store, "c1", "books")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann")]})
    finish(store, "c1")
    with ThreadPoolExecutor(8) as pool:
        taken = set(pool.map(store.snapshots.of_collection, ["c1"] * 8))
    assert len(taken) == 1
    assert rows(store, "SELECT count(*) FROM seller_count_snapshots") == [(1,)]


def test_a_collection_with_a_failed_search_completes_with_errors(store: Store) -> None:
    start(store, "c1", "books", "toys")
    collect(store, "c1", "books", {"B000000001": [listing("1", "ann")]})
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE product_searches SET status = 'failed', reason = 'transient'"))
    finish(store, "c1")
    store.snapshots.of_collection("c1")
    assert store.collections.get("c1").status is CollectionStatus.COMPLETED_WITH_ERRORS


def test_a_count_by_hand_is_a_snapshot_of_its_own(store: Store) -> None:
    snapshot = store.snapshots.by_hand(ORG)
    assert (snapshot.seller_count, snapshot.collection_id, snapshot.cause) == (0, None, "manual")
    assert store.quality.snapshot_audit(ORG).agrees


def test_a_collection_that_goes_on_has_no_snapshot_yet(store: Store) -> None:
    start(store, "c1", "books")
    with pytest.raises(PipelineError, match="is running; its snapshot is taken when it ends"):
        store.snapshots.of_collection("c1")
