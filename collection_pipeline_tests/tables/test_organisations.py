"""Several organisations in one database: each has its own list, whoever else works at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from collection_pipeline.actions.starting import CollectionRequest, start_collection
from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.core.collecting.collections import CollectionPlan
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import BAND, done, finish, listing, product, rows

ORGANISATIONS = [f"org-{number}" for number in range(10)]
CATEGORIES = ("kitchen", "garden")
SHARED, OWN = 5, 7
"""Sellers that all organisations find, and those that only one does, in each category."""


def collect(store: Store, org: str) -> int:
    """One organisation's collection of two categories, from start to snapshot; the sellers that it counted."""
    collection_id = f"{org}-1"
    store.collections.start(CollectionPlan(collection_id, CATEGORIES, BAND, org_id=org))
    for category in CATEGORIES:
        asin = f"B0000000{category[:2].upper()}"
        store.control.enter(collection_id, category, f"run-{org}-{category}", org_id=org)
        store.products.replace(org, collection_id, category, [product(asin)], calls=1)
        store.searches.add(collection_id, category, store.products.searches(org, collection_id, category))
        names = [f"shared-{n}" for n in range(SHARED)] + [f"{org}-{category}-{n}" for n in range(OWN)]
        listings = [listing(f"{category}-{n}", name) for n, name in enumerate(names)]
        store.searches.checkpoints(org, collection_id).record(done(asin), listings)
        store.sellers.merge(org, collection_id, category, actor="run")
    finish(store, collection_id)
    return store.snapshots.of_collection(collection_id).seller_count


def test_ten_organisations_collect_at_once_and_none_sees_anothers(store: Store) -> None:
    with ThreadPoolExecutor(len(ORGANISATIONS)) as threads:
        counts = list(threads.map(lambda org: collect(store, org), ORGANISATIONS))
    expected = SHARED + len(CATEGORIES) * OWN
    assert counts == [expected] * len(ORGANISATIONS)
    counted = "SELECT org_id, count(*), sum(listing_count) FROM sellers GROUP BY org_id ORDER BY org_id"
    of_each = len(CATEGORIES) * (SHARED + OWN)
    assert rows(store, counted) == [(org, expected, of_each) for org in ORGANISATIONS]
    for org in ORGANISATIONS:
        assert {one.display_name for one in store.edits.all(org)} == {
            *(f"shared-{n}" for n in range(SHARED)),
            *(f"{org}-{category}-{n}" for category in CATEGORIES for n in range(OWN)),
        }
        assert store.quality.snapshot_audit(org).agrees


def test_ten_organisations_start_the_same_in_the_same_second_and_each_gets_its_own(store: Store) -> None:
    store.catalogue.load(read_catalogue(STARTER_FILE))
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    started = [start_collection(store, org, CollectionRequest(preset="starter"), now) for org in ORGANISATIONS]
    assert all(one.is_new for one in started)
    assert [one.collection.org_id for one in started] == ORGANISATIONS
    assert len({one.collection.collection_id for one in started}) == len(ORGANISATIONS)
    assert not any(
        start_collection(store, org, CollectionRequest(preset="starter"), now).is_new for org in ORGANISATIONS
    )
