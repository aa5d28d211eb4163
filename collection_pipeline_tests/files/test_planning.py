import pytest

from collection_pipeline.core.sellers.identity import seller_key
from collection_pipeline.files.planning import Existing, ImportPlan, Verdict, plan
from collection_pipeline.files.reading import ImportRow

LIST = {
    "deal_hunter": Existing("active", "Deal_Hunter", "asked", False),
    "gone": Existing("removed", "Gone", "not again", True),
    "old": Existing("active", "New", None, False),
    "twin1": Existing("active", "Twin", None, False),
    "twin2": Existing("active", "TWIN", None, False),
}


def planned(*rows: ImportRow, restore: bool = False) -> ImportPlan:
    return plan(rows, LIST, seller_key, restore=restore)


@pytest.mark.parametrize(
    ("row", "verdict", "reason"),
    [
        (ImportRow(2, "somebody"), Verdict.ADD, ""),
        (ImportRow(2, " DEAL_hunter "), Verdict.UNCHANGED, ""),
        (ImportRow(2, "deal_hunter", "asked ", False), Verdict.UNCHANGED, ""),
        (ImportRow(2, "deal_hunter", " ", None), Verdict.UNCHANGED, ""),
        (ImportRow(2, "deal_hunter", "again"), Verdict.UPDATE, "note 'asked' becomes 'again'"),
        (ImportRow(2, "deal_hunter", None, True), Verdict.UPDATE, "is flagged"),
        (ImportRow(2, "Deal Hunter", key="deal_hunter"), Verdict.UPDATE, "name 'Deal_Hunter' becomes 'Deal Hunter'"),
        (ImportRow(2, "deal_hunter", key="deal_hunter"), Verdict.UNCHANGED, ""),
        (ImportRow(2, "gone"), Verdict.REMOVED_BEFORE, "removed by hand"),
        (ImportRow(2, "somebody", is_removed=True), Verdict.REMOVED_BEFORE, "removed says the file"),
        (ImportRow(2, "new"), Verdict.UNCHANGED, ""),
        (ImportRow(2, "twin"), Verdict.INVALID, "means more than one seller: twin1, twin2"),
        (ImportRow(2, "twin", key="twin2"), Verdict.UPDATE, "name 'TWIN' becomes 'twin'"),
        (ImportRow(2, None, problem="has no name"), Verdict.INVALID, "has no name"),
        (ImportRow(2, "\u200b"), Verdict.INVALID, "A seller's name is empty"),
        (ImportRow(2, "x" * 300), Verdict.INVALID, "300 characters"),
        (ImportRow(2, "a", "n" * 2_001), Verdict.INVALID, "longer than 2,000 characters"),
    ],
)
def test_every_row_has_its_verdict(row: ImportRow, verdict: Verdict, reason: str) -> None:
    [found] = planned(row).rows
    assert found.verdict == verdict
    assert reason in found.reason
    assert bool(reason) == bool(found.reason)


def test_only_the_first_usable_row_of_a_seller_counts() -> None:
    rows = [ImportRow(2, "Shop", problem="is wrong"), ImportRow(3, "SHOP"), ImportRow(7, "ｓｈｏｐ", "another note")]
    assert [row.verdict for row in planned(*rows).rows] == [Verdict.INVALID, Verdict.ADD, Verdict.DUPLICATE]
    assert "row 3" in planned(*rows).rows[2].reason


def test_a_seller_named_by_its_key_and_by_its_present_name_is_one() -> None:
    assert [row.verdict for row in planned(ImportRow(2, "old"), ImportRow(3, "New")).rows] == [
        Verdict.UNCHANGED,
        Verdict.DUPLICATE,
    ]


def test_who_was_removed_comes_back_when_asked_and_keeps_what_was_written() -> None:
    [back, new] = planned(ImportRow(2, "gone"), ImportRow(3, "x", is_removed=True), restore=True).rows
    assert (back.verdict, back.key, back.after) == (
        Verdict.RESTORE,
        "gone",
        Existing("active", "Gone", "not again", True),
    )
    assert (new.verdict, new.after) == (Verdict.ADD, Existing("active", "x", None, False))


def test_what_a_file_says_nothing_about_stays() -> None:
    [row] = planned(ImportRow(2, "DEAL_HUNTER", None, True)).rows
    assert row.after == Existing("active", "Deal_Hunter", "asked", True)


def test_a_new_seller_is_stored_as_the_file_has_it() -> None:
    [plain, keyed] = planned(ImportRow(2, " Shop ", " n ", True), ImportRow(3, "Renamed", key="first name")).rows
    assert (plain.key, plain.after) == ("shop", Existing("active", "Shop", "n", True))
    assert (keyed.key, keyed.after) == ("first name", Existing("active", "Renamed", None, False))


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
    assert made.counts[Verdict.ADD] == 1
    assert made.counts[Verdict.RESTORE] == 0
    assert [row.row.number for row in made.changes] == [2, 4]
