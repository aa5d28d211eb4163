"""The rules of edits and of the log, with literals and with anything that hypothesis thinks of."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.edits import NewSeller, additions
from collection_pipeline.core.sellers.identity import is_nameable, seller_key
from collection_pipeline.core.sellers.seller_list import (
    ListedSeller,
)


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
