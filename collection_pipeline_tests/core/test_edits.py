"""The rules of edits and of the log, with literals and with anything that hypothesis thinks of."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.edits import NewSeller, additions
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.pseudonyms import Pseudonyms
from collection_pipeline.core.seller_list import (
    AuditEntry,
    ListedSeller,
    SellerChange,
    active_count,
    as_json,
    from_json,
    replayed,
    reversed_change,
)
from collection_pipeline.core.sellers import is_nameable, seller_key

SELLERS = st.builds(
    ListedSeller,
    seller_key=st.sampled_from(["alpha", "beta", "gamma", "delta"]),
    display_name=st.text(max_size=5),
    status=st.sampled_from(["active", "removed"]),
    note=st.none() | st.text(max_size=5),
    is_flagged=st.booleans(),
)
STEPS = st.lists(st.lists(SELLERS | st.sampled_from(["alpha", "beta"]), max_size=3), max_size=8)


@given(STEPS)
def test_a_log_of_any_changes_replays_to_the_list_and_every_change_can_be_taken_back(
    steps: list[list[ListedSeller | str]],
) -> None:
    live: dict[tuple[str, str], ListedSeller] = {}
    log: list[AuditEntry] = []
    for number, step in enumerate(steps, start=1):
        before = dict(live)
        touched = {("ebay", one) if isinstance(one, str) else one.identity for one in step}
        for one in step:
            if isinstance(one, str):
                live.pop(("ebay", one), None)
            else:
                live[one.identity] = one
        old = [before[identity] for identity in touched if identity in before]
        new = [live[identity] for identity in touched if identity in live]
        log.append(AuditEntry(number, old, new, active_count(live)))
        assert replayed(log) == live
        assert replayed([_as_entry(reversed_change(log[-1]))], live) == before


def _as_entry(changes: list[SellerChange]) -> AuditEntry:
    old = [change.before for change in changes if change.before]
    return AuditEntry(0, old, [change.after for change in changes if change.after], 0)


@given(SELLERS)
def test_a_seller_survives_the_log(seller: ListedSeller) -> None:
    assert from_json(as_json(seller)) == seller


@given(st.lists(st.text(max_size=12), max_size=6))
def test_an_addition_is_whole_or_refused(names: list[str]) -> None:
    keys = [seller_key(name) for name in names if is_nameable(name)]
    try:
        changes = additions([NewSeller(name) for name in names], {})
    except PipelineError:
        assert not names or len(keys) < len(names) or len(set(keys)) < len(keys)
        return
    assert [change.after.seller_key for change in changes if change.after] == keys


def test_adding_who_was_removed_makes_it_active_again() -> None:
    removed = ListedSeller("alpha", "Alpha Ltd", "removed", "old note")
    [change] = additions([NewSeller("ALPHA")], {"ALPHA": [removed]})
    assert change.before == removed
    assert change.after == replace(removed, display_name="ALPHA", status="active", note=None)


@given(st.text(min_size=1, max_size=20).filter(is_nameable))
def test_a_pseudonym_is_one_for_all_spellings_and_tells_nothing(name: str) -> None:
    naming = Pseudonyms("a secret of this test")
    assert naming(name) == naming(f" {name} ") == naming(naming(name))
    assert naming(name) != Pseudonyms("another secret of it")(name)
    assert "secret" not in repr(naming)


def test_a_name_that_only_looks_like_a_pseudonym_is_hashed() -> None:
    naming = Pseudonyms("a secret of this test")
    assert "dealer" not in naming("anon-dealer")
    assert naming("anon-dealer") == naming("ANON-dealer")
