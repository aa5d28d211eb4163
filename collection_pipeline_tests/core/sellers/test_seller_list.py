"""The list as values, and the log that it can be made from again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.sellers.seller_list import (
    AuditEntry,
    ListedSeller,
    SellerChange,
    active_count,
    as_json,
    from_json,
    replayed,
    reversed_change,
)

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
