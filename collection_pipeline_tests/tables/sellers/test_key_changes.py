"""A marketplace that names its accounts in another form: nobody left, and nobody new came."""

from __future__ import annotations

import pytest

from collection_pipeline.core.collecting.listings import Listing
from collection_pipeline.core.errors import KeysChanged, PipelineError
from collection_pipeline.core.sellers.edits import SellerUpdate
from collection_pipeline.core.sellers.identity import looks_renamed
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import ORG, collect, listing, rows, start
from collection_pipeline_tests.tables.sellers.test_edits import assert_adds_up, names

ANNA = Author("anna")


def found(*sellers: str) -> dict[str, list[Listing]]:
    return {"B000000001": [listing(str(number), seller) for number, seller in enumerate(sellers, start=1)]}


NAMES = found(*(f"name-{number}" for number in range(8)))
IDS = found(*(f"id{number}" for number in range(8)))


@pytest.fixture
def held(store: Store) -> Store:
    """A list of names, edited by hand, whose listings suddenly carry ids."""
    start(store, "c1", "home")
    collect(store, "c1", "home", NAMES)
    store.edits.update(ORG, "name-1", SellerUpdate(note="a friend", is_flagged=True), ANNA)
    store.edits.remove(ORG, ["name-2"], ANNA)
    start(store, "c2", "home", "other")
    with pytest.raises(KeysChanged, match=r"8 of 8 known listings name another seller.*sellers renamed"):
        collect(store, "c2", "home", IDS)
    return store


def test_a_change_of_form_is_noticed_before_the_list_changes(held: Store) -> None:
    assert names(held) == [f"name-{number}" for number in range(8) if number != 2]
    [change] = held.key_changes.held(ORG)
    assert (change.collection_id, change.category, change.known_listings, change.changed_listings) == (
        "c2",
        "home",
        8,
        8,
    )
    assert held.key_changes.examples(ORG, 2) == [("name-0", "id0", 1), ("name-1", "id1", 1)]
    with pytest.raises(KeysChanged):
        held.sellers.merge(ORG, "c2", "home", actor="again")
    assert len(held.key_changes.held(ORG)) == 1, "tried again, it is the same finding"


def test_the_same_accounts_keep_names_notes_flags_and_removals(held: Store) -> None:
    assert held.key_changes.decide(ORG, "same_accounts", "anna") == 8
    facts = "SELECT seller_key, display_name, status, note, is_flagged, first_collection_id FROM sellers ORDER BY 1"
    renamed = rows(held, facts)
    assert renamed[1] == ("id1", "name-1", "active", "a friend", True, "c1")
    assert renamed[2][:3] == ("id2", "name-2", "removed")
    assert len(renamed) == 8
    merged = held.sellers.merge(ORG, "c2", "home", actor="run")
    assert (merged.new, merged.seller_count) == (0, 7)
    assert_adds_up(held)
    assert held.key_changes.held(ORG) == []
    with pytest.raises(PipelineError, match="No change of names waits"):
        held.key_changes.decide(ORG, "same_accounts", "anna")


def test_other_accounts_come_as_new_ones(held: Store) -> None:
    assert held.key_changes.decide(ORG, "other_accounts", "anna") == 0
    merged = held.sellers.merge(ORG, "c2", "home", actor="run")
    assert (merged.new, merged.seller_count) == (8, 15)
    assert_adds_up(held)


def test_single_accounts_that_change_are_nothing_to_ask_about(store: Store) -> None:
    start(store, "c1", "home")
    collect(store, "c1", "home", NAMES)
    start(store, "c2", "home", "other")
    collect(store, "c2", "home", found("id0", "id1", *(f"name-{number}" for number in range(2, 8))))
    assert len(names(store)) == 10
    assert rows(store, "SELECT * FROM ebay_listings WHERE former_seller_key IS NOT NULL") == []


def test_a_listing_that_names_its_seller_again_has_not_changed(store: Store) -> None:
    start(store, "c1", "home")
    collect(store, "c1", "home", NAMES)
    start(store, "c2", "home", "other")
    with pytest.raises(KeysChanged):
        collect(store, "c2", "home", IDS)
    start(store, "c3", "home", "more")
    collect(store, "c3", "home", NAMES)
    assert len(names(store)) == 8


@pytest.mark.parametrize(
    ("known", "changed", "renamed"), [(8, 8, True), (10, 5, True), (11, 5, False), (4, 4, False), (0, 0, False)]
)
def test_half_of_at_least_five_is_no_coincidence(known: int, changed: int, renamed: bool) -> None:
    assert looks_renamed(known, changed) is renamed
