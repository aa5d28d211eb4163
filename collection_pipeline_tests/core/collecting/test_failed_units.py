from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.collections import CollectionStatus
from collection_pipeline.core.collecting.failed_units import FailedUnit, grouped, mending

units = st.builds(
    FailedUnit,
    unit=st.sampled_from(["category", "product"]),
    category=st.sampled_from(["books", "toys", "tools"]),
    asin=st.none() | st.sampled_from(["B000000001", "B000000002"]),
    reason=st.sampled_from(["rejected", "transient"]),
    error_stage=st.none() | st.sampled_from(["api", "seller_extraction"]),
    error_message=st.none() | st.just("It failed."),
)


@given(st.lists(units))
def test_every_failure_is_in_one_group_of_its_kind_and_the_largest_come_first(failed: list[FailedUnit]) -> None:
    groups = grouped(failed)
    kinds = Counter((one.unit, one.reason, one.error_stage or "") for one in failed)
    assert {(one.unit, one.reason, one.error_stage or ""): one.count for one in groups} == kinds
    assert [one.count for one in groups] == sorted(kinds.values(), reverse=True)
    for group in groups:
        of_kind = {
            one.category
            for one in failed
            if (one.unit, one.reason, one.error_stage or "") == (group.unit, group.reason, group.error_stage or "")
        }
        assert set(group.categories) == of_kind


FAILED = grouped([FailedUnit("product", "books", "B000000001", "rejected", "api", "It failed.")])


@pytest.mark.parametrize("status", ["paused", "completed_with_errors", "failed", "cancelled"])
def test_what_failed_is_tried_again_by_resuming(status: str) -> None:
    assert mending("c1", CollectionStatus(status), FAILED) == "collection-pipeline collections resume c1"


@pytest.mark.parametrize("status", ["running", "cancelling", "finishing"])
def test_a_collection_that_works_is_left_alone(status: str) -> None:
    assert mending("c1", CollectionStatus(status), FAILED) is None


def test_where_nothing_failed_nothing_is_mended() -> None:
    assert mending("c1", CollectionStatus("completed"), []) is None
