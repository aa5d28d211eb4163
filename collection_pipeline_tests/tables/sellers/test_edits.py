"""Edits by hand: validated whole, recorded whole, counted in the same transaction, and undone as edits of their own."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.edits import NewSeller, SellerUpdate
from collection_pipeline.core.sellers.seller_list import (
    AuditAction,
    ListedSeller,
    SellerChange,
    SellerRow,
    active_count,
    replayed,
)
from collection_pipeline.tables.sellers.edits import Author, Edit
from collection_pipeline.tables.sellers.exports import Selection
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import ORG, collect, listing, rows, start

ANNA = Author("anna")


def now() -> datetime:
    return datetime.now(UTC)


def add(store: Store, *names: str, org_id: str = ORG) -> Edit:
    return store.edits.add(org_id, [NewSeller(name) for name in names], ANNA)


def names(store: Store, org_id: str = ORG) -> list[str]:
    with store.exports.stream(org_id, Selection()) as sellers:
        return [seller.display_name for seller in sellers]


def facts(seller: ListedSeller | SellerRow) -> tuple[object, ...]:
    return seller.display_name, seller.status, seller.note, seller.is_flagged


def assert_adds_up(store: Store, org_id: str = ORG) -> None:
    """Every count that was ever stored is what the log comes to at that row, and the log comes to the live list."""
    sellers: dict[tuple[str, str], ListedSeller] = {}
    for entry in store.history.log(org_id):
        sellers = replayed([entry], sellers)
        assert active_count(sellers) == entry.seller_count_snapshot, entry.audit_id
    with store.exports.stream(org_id, Selection(with_removed=True)) as listed:
        live = {(one.marketplace, one.seller_key): facts(one) for one in listed}
    replay = replayed(store.history.log(org_id))
    assert {identity: facts(one) for identity, one in replay.items()} == live
    counted = rows(
        store,
        "SELECT s.audit_id FROM seller_count_snapshots s JOIN seller_audit_log a ON a.id = s.audit_id "
        "WHERE s.seller_count <> a.seller_count_snapshot",
    )
    assert counted == []


def test_an_edit_is_the_list_its_audit_row_and_its_count(store: Store) -> None:
    edit = add(store, "Deal Hunter", "tom's.attic")
    assert (edit.action, edit.affected, edit.seller_count) == (AuditAction.BULK_ADDED, 2, 2)
    assert names(store) == ["Deal Hunter", "tom's.attic"]
    [row] = rows(store, "SELECT action, actor, source, affected_count, seller_count_snapshot FROM seller_audit_log")
    assert row == ("bulk_added", "anna", "manual", 2, 2)
    assert rows(store, "SELECT seller_count, new_sellers, cause, audit_id FROM seller_count_snapshots") == [
        (2, 2, "manual", edit.audit_id)
    ]


def test_a_renamed_seller_keeps_its_identity_note_and_flag(store: Store) -> None:
    add(store, "Deal Hunter")
    store.edits.update(ORG, "deal hunter", SellerUpdate("The Hunter", "called them", is_flagged=True), ANNA)
    assert rows(store, "SELECT seller_key, display_name, note, is_flagged FROM sellers") == [
        ("deal hunter", "The Hunter", "called them", True)
    ]
    start(store, "c1", "home")
    collect(store, "c1", "home", {"B000000001": [listing("1", "DEAL HUNTER")]})
    assert names(store) == ["The Hunter"], "a new sighting leaves what people wrote"
    assert_adds_up(store)


def test_a_removed_seller_stays_removed_unless_the_policy_lets_it_return(store: Store) -> None:
    start(store, "c1", "home")
    found = {"B000000001": [listing("1", "alpha"), listing("2", "beta")]}
    collect(store, "c1", "home", found)
    store.edits.remove(ORG, ["alpha"], ANNA)
    start(store, "c2", "home", "other")
    collect(store, "c2", "home", found)
    assert names(store) == ["beta"]
    merged = store.sellers.merge(ORG, "c2", "home", actor="run", removed_return=True)
    assert (names(store), merged.seller_count) == (["alpha", "beta"], 2)
    store.edits.remove(ORG, ["alpha"], ANNA)
    store.sellers.merge(ORG, "c2", "home", actor="run", removed_return=True)
    assert names(store) == ["beta"], "a listing that was known before the removal says nothing new"
    assert_adds_up(store)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["gamma", " "], "row 2, ' ' cannot be a seller"),
        (["gamma", "x" * 300], "row 2, .* 300 characters"),
        (["gamma", "ALPHA"], "row 2, 'ALPHA' is on the list already, as 'alpha'"),
        (["gamma", "Gamma "], "row 2, 'Gamma ' is the same seller as another row"),
        ([], "nothing to add"),
    ],
)
def test_an_addition_with_one_wrong_row_changes_nothing_and_names_it(store: Store, wrong: list[str], said: str) -> None:
    add(store, "alpha")
    with pytest.raises(PipelineError, match=said):
        add(store, *wrong)
    assert names(store) == ["alpha"]
    assert len(rows(store, "SELECT id FROM seller_audit_log")) == 1


def test_a_name_that_is_unknown_or_means_two_sellers_changes_nothing(store: Store) -> None:
    add(store, "alpha", "beta")
    store.edits.update(ORG, "beta", SellerUpdate("Alpha"), ANNA)
    with pytest.raises(PipelineError, match=r"'Alpha' means more than one seller: 'alpha' \(key alpha\), 'Alpha'"):
        store.edits.remove(ORG, ["Alpha"], ANNA)
    with pytest.raises(PipelineError, match="row 2, 'nobody' is not on the list"):
        store.edits.remove(ORG, ["alpha", "nobody"], ANNA)
    assert len(names(store)) == 2
    store.edits.remove(ORG, ["beta"], ANNA)  # the key means one seller only
    assert names(store) == ["alpha"]
    with pytest.raises(PipelineError, match="'beta' was removed before"):
        store.edits.remove(ORG, ["beta"], ANNA)


def test_an_undo_is_an_edit_of_its_own_and_can_be_undone(store: Store) -> None:
    add(store, "alpha")
    removed = store.edits.remove(ORG, ["alpha"], ANNA)
    undone = store.edits.undo(ORG, removed.audit_id, ANNA, now())
    assert (undone.action, names(store)) == (AuditAction.UNDONE, ["alpha"])
    store.edits.undo(ORG, undone.audit_id, ANNA, now())
    assert names(store) == []
    assert_adds_up(store)


def test_an_undone_addition_leaves_no_trace_but_the_log(store: Store) -> None:
    edit = add(store, "alpha", "beta")
    store.edits.undo(ORG, edit.audit_id, ANNA, now())
    assert rows(store, "SELECT * FROM sellers") == []
    assert_adds_up(store)


def test_what_was_changed_since_undone_already_or_by_a_collection_is_not_undone(store: Store) -> None:
    edit = add(store, "alpha", "beta")
    store.edits.flag(ORG, ["beta"], ANNA)
    with pytest.raises(PipelineError, match="'beta' was changed again since"):
        store.edits.undo(ORG, edit.audit_id, ANNA, now())
    flagged = store.edits.flag(ORG, ["alpha"], ANNA)
    store.edits.undo(ORG, flagged.audit_id, ANNA, now())
    with pytest.raises(PipelineError, match="was undone already"):
        store.edits.undo(ORG, flagged.audit_id, ANNA, now())
    start(store, "c1", "home")
    collect(store, "c1", "home", {"B000000001": [listing("1", "gamma")]})
    [(found,)] = rows(store, "SELECT id FROM seller_audit_log WHERE action = 'discovered'")
    with pytest.raises(PipelineError, match="what a collection found"):
        store.edits.undo(ORG, int(str(found)), ANNA, now())
    with pytest.raises(PipelineError, match="There is no change 999"):
        store.edits.undo(ORG, 999, ANNA, now())


def test_an_import_is_revocable_as_a_whole_for_a_day(store: Store) -> None:
    brought = [ListedSeller("alpha", "Alpha", note="from the fair"), ListedSeller("beta", "Beta", is_flagged=True)]
    by = Author("anna", "import", "fair.csv")
    edit = store.edits.bring_in(ORG, by, lambda _: [SellerChange(None, seller) for seller in brought])
    assert edit is not None
    assert rows(store, "SELECT source, detail FROM seller_audit_log") == [("import", "fair.csv")]
    with pytest.raises(PipelineError, match="more than 24 hours old"):
        store.edits.undo(ORG, edit.audit_id, ANNA, now() + timedelta(hours=25))
    store.edits.undo(ORG, edit.audit_id, ANNA, now() + timedelta(hours=23))
    assert names(store) == []


def test_lists_of_two_organisations_are_two_lists(store: Store) -> None:
    add(store, "alpha")
    add(store, "alpha", "beta", org_id="acme")
    assert (names(store), names(store, "acme")) == (["alpha"], ["alpha", "beta"])
    with pytest.raises(PipelineError, match="no change"):
        store.edits.undo("acme", 1, ANNA, now())


def random_edit(store: Store, dice: random.Random, mine: list[str]) -> Edit:
    match dice.randrange(4):
        case 0:
            return store.edits.add(ORG, [NewSeller(name) for name in mine], ANNA)
        case 1:
            return store.edits.remove(ORG, mine[: dice.randint(1, 2)], ANNA)
        case 2:
            return store.edits.flag(ORG, [dice.choice(mine)], ANNA)
        case _:
            return store.edits.update(ORG, dice.choice(mine), SellerUpdate(f"Name {dice.random()}"), ANNA)


def test_many_parallel_writers_never_count_wrong(store: Store) -> None:
    """People who add, rename, flag, remove, bulk remove and undo while collections find sellers."""
    start(store, "c1", *[f"cat{number}" for number in range(4)])
    began = threading.Barrier(8)

    def person(number: int) -> None:
        dice = random.Random(number)
        began.wait()
        for turn in range(160):
            mine = [f"seller-{number}-{turn // 4}", f"shared-{dice.randrange(6)}"]
            try:
                edit = random_edit(store, dice, mine)
                if dice.random() < 0.3:
                    store.edits.undo(ORG, edit.audit_id, ANNA, now())
            except PipelineError:
                continue  # refused: what it needs was not there, or somebody else was faster

    def collector(number: int) -> None:
        began.wait()
        found = {
            f"B{number}0000000{product}": [
                listing(f"{number}{product}{index}", f"shared-{(product + index) % 9}") for index in range(4)
            ]
            for product in range(3)
        }
        collect(store, "c1", f"cat{number}", found)

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(person, number) for number in range(4)]
        futures += [pool.submit(collector, number) for number in range(4)]
        for future in futures:
            future.result()
    assert len(rows(store, "SELECT id FROM seller_audit_log")) > 50
    assert_adds_up(store)


def test_a_failure_between_list_and_log_leaves_neither(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE seller_audit_log ADD CHECK (actor <> 'mallory')"))
    with pytest.raises(sa.exc.IntegrityError):
        store.edits.add(ORG, [NewSeller("alpha")], Author("mallory"))
    assert names(store) == []
    assert rows(store, "SELECT * FROM seller_versions") == []
