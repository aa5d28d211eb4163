import pytest

from collection_pipeline.core.sellers.import_plan import ImportPlan, ImportRow, RowOutcome, plan
from collection_pipeline.core.sellers.seller_list import ListedSeller, SellerChange

LIST = {
    "deal_hunter": ListedSeller("deal_hunter", "Deal_Hunter", "active", "asked", False),
    "gone": ListedSeller("gone", "Gone", "removed", "not again", True),
    "old": ListedSeller("old", "New", "active", None, False),
    "twin1": ListedSeller("twin1", "Twin", "active", None, False),
    "twin2": ListedSeller("twin2", "TWIN", "active", None, False),
}


def planned(*rows: ImportRow, restore: bool = False) -> ImportPlan:
    return plan(rows, LIST, restore=restore)


@pytest.mark.parametrize(
    ("row", "outcome", "reason"),
    [
        (ImportRow(2, "somebody"), RowOutcome.ADD, ""),
        (ImportRow(2, " DEAL_hunter "), RowOutcome.UNCHANGED, ""),
        (ImportRow(2, "deal_hunter", "asked ", False), RowOutcome.UNCHANGED, ""),
        (ImportRow(2, "deal_hunter", " ", None), RowOutcome.UNCHANGED, ""),
        (ImportRow(2, "deal_hunter", "again"), RowOutcome.UPDATE, "note 'asked' becomes 'again'"),
        (ImportRow(2, "deal_hunter", None, True), RowOutcome.UPDATE, "is flagged"),
        (ImportRow(2, "Deal Hunter", key="deal_hunter"), RowOutcome.UPDATE, "name 'Deal_Hunter' becomes 'Deal Hunter'"),
        (ImportRow(2, "deal_hunter", key="deal_hunter"), RowOutcome.UNCHANGED, ""),
        (ImportRow(2, "gone"), RowOutcome.REMOVED_BEFORE, "removed by hand"),
        (ImportRow(2, "somebody", is_removed=True), RowOutcome.REMOVED_BEFORE, "removed says the file"),
        (ImportRow(2, "new"), RowOutcome.UNCHANGED, ""),
        (ImportRow(2, "twin"), RowOutcome.INVALID, "means more than one seller: twin1, twin2"),
        (ImportRow(2, "twin", key="twin2"), RowOutcome.UPDATE, "name 'TWIN' becomes 'twin'"),
        (ImportRow(2, None, problem="has no name"), RowOutcome.INVALID, "has no name"),
        (ImportRow(2, "\u200b"), RowOutcome.INVALID, "A seller's name is empty"),
        (ImportRow(2, "x" * 300), RowOutcome.INVALID, "300 characters"),
        (ImportRow(2, "a", "n" * 2_001), RowOutcome.INVALID, "longer than 2,000 characters"),
    ],
)
def test_every_row_has_its_outcome(row: ImportRow, outcome: RowOutcome, reason: str) -> None:
    [found] = planned(row).rows
    assert found.outcome == outcome
    assert reason in found.reason
    assert bool(reason) == bool(found.reason)


def test_only_the_first_usable_row_of_a_seller_counts() -> None:
    rows = [ImportRow(2, "Shop", problem="is wrong"), ImportRow(3, "SHOP"), ImportRow(7, "ｓｈｏｐ", "another note")]
    assert [row.outcome for row in planned(*rows).rows] == [RowOutcome.INVALID, RowOutcome.ADD, RowOutcome.DUPLICATE]
    assert "row 3" in planned(*rows).rows[2].reason


def test_a_seller_named_by_its_key_and_by_its_present_name_is_one() -> None:
    assert [row.outcome for row in planned(ImportRow(2, "old"), ImportRow(3, "New")).rows] == [
        RowOutcome.UNCHANGED,
        RowOutcome.DUPLICATE,
    ]


def test_who_was_removed_comes_back_when_asked_and_keeps_what_was_written() -> None:
    [back, new] = planned(ImportRow(2, "gone"), ImportRow(3, "x", is_removed=True), restore=True).rows
    restored = SellerChange(LIST["gone"], ListedSeller("gone", "Gone", "active", "not again", True))
    assert (back.outcome, back.key, back.change) == (RowOutcome.RESTORE, "gone", restored)
    assert (new.outcome, new.change) == (RowOutcome.ADD, SellerChange(None, ListedSeller("x", "x")))


def test_what_a_file_says_nothing_about_stays() -> None:
    [row] = planned(ImportRow(2, "DEAL_HUNTER", None, True)).rows
    flagged = ListedSeller("deal_hunter", "Deal_Hunter", "active", "asked", True)
    assert row.change == SellerChange(LIST["deal_hunter"], flagged)


def test_a_new_seller_is_stored_as_the_file_has_it() -> None:
    [plain, keyed] = planned(ImportRow(2, " Shop ", " n ", True), ImportRow(3, "Renamed", key="first name")).rows
    assert plain.change == SellerChange(None, ListedSeller("shop", "Shop", "active", "n", True))
    assert keyed.change == SellerChange(None, ListedSeller("first name", "Renamed"))


def test_the_plan_says_row_by_row_what_would_happen_and_how_often() -> None:
    made = planned(
        ImportRow(2, "a\x1b[31m"), ImportRow(3, "gone"), ImportRow(4, "deal_hunter", "new"), ImportRow(5, None)
    )
    assert list(made.lines()) == [
        r"row 2: ADD 'a\x1b[31m'",
        "row 3: REMOVED BEFORE 'gone': removed by hand; it is not brought back unless asked",
        "row 4: UPDATE 'deal_hunter': note 'asked' becomes 'new'",
        "row 5: INVALID '': A seller's name is empty; give the name of the eBay account.",
        "4 rows: 1 add, 1 update, 1 removed before, 1 invalid.",
    ]
    assert made.counts[RowOutcome.ADD] == 1
    assert made.counts[RowOutcome.RESTORE] == 0
    assert [row.row.number for row in made.rows if row.change] == [2, 4]
