from collections import Counter
from decimal import Decimal

import pytest

from collection_pipeline.core.collecting.searches import (
    PlannedSearch,
    SearchStatus,
    SearchTally,
    SkipReason,
    skip_reason,
)
from collection_pipeline.core.errors import NothingWorked
from collection_pipeline.core.money import BandRule, Money


def tally(reasons: dict[str, int], **outcomes: int) -> SearchTally:
    counts = Counter({SearchStatus(name): count for name, count in outcomes.items()})
    return SearchTally(counts, Counter(), Counter(reasons), listings=0, calls=0)


def test_a_category_whose_every_search_failed_has_failed_with_the_reasons() -> None:
    with pytest.raises(NothingWorked, match=r"books: all 5 searches failed \(3 × malformed, 2 × transient\)"):
        tally({"transient": 2, "malformed": 3}, failed=5).require_some_success("books")


@pytest.mark.parametrize(
    "one",
    [
        tally({"malformed": 99}, failed=99, done=1),
        tally({"malformed": 99}, failed=99, empty=1),
        tally({}, skipped=5),  # nothing was to be searched
        tally({}),
    ],
)
def test_one_search_that_worked_or_none_that_failed_is_no_failure(one: SearchTally) -> None:
    one.require_some_success("books")


@pytest.mark.parametrize(
    ("price", "text", "reason"),
    [
        (Money(Decimal(10), "USD"), "lamp", None),
        (None, "lamp", "no_price"),
        (Money(Decimal(10), "EUR"), "lamp", "foreign_currency"),
        (Money(Decimal("0.01"), "USD"), "lamp", "empty_band"),
        (Money(Decimal(10), "USD"), "", "unsearchable_title"),
        (None, "", "no_price"),
    ],
)
def test_the_first_reason_against_a_search_is_its_reason(
    price: Money | None, text: str, reason: SkipReason | None
) -> None:
    rule = BandRule(Decimal(10), Decimal(20))
    assert skip_reason(PlannedSearch("B000000001", "Lamp", price), text, rule) == reason
