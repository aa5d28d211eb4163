"""The dry run: what importing each row would do to the list. Decides only; nothing is read or changed here.

A row is looked up by its key, else by the key of its name, else by the present name of a seller on the list. What a
file says nothing about stays as it is; a name changes only where the row has a key too, because without one the name
*is* the seller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.edits import LONGEST_NOTE
from collection_pipeline.core.sellers.identity import seller_key
from collection_pipeline.core.sellers.seller_list import ListedSeller, SellerChange

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row of a file: what it says of a seller. None is what it says nothing about, which stays as it is.

    `number` is the line, the sheet's row or the place in the array. `key` is there where the file has a `seller_key`:
    it is the seller even if the name has become another one. `is_removed` is what our own exports say of a seller that
    was removed. A `problem` makes the row unusable.
    """

    number: int
    name: str | None
    note: str | None = None
    is_flagged: bool | None = None
    problem: str | None = None
    key: str | None = None
    is_removed: bool = False


class RowOutcome(StrEnum):
    """What becomes of a row."""

    ADD = "add"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    REMOVED_BEFORE = "removed before"
    RESTORE = "restore"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row, what becomes of it and why. `change` is what it does to the list, where it does anything."""

    row: ImportRow
    outcome: RowOutcome
    reason: str = ""
    key: str | None = None
    change: SellerChange | None = None

    def line(self) -> str:
        """The row for people; names are quoted, so that no character in them can disturb a terminal."""
        said = f"row {self.row.number}: {self.outcome.upper()} {_short(self.row.name or '')}"
        return f"{said}: {self.reason}" if self.reason else said


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do, row by row."""

    rows: tuple[PlannedRow, ...]

    @property
    def counts(self) -> Mapping[RowOutcome, int]:
        """Rows per outcome, every outcome named."""
        counted = Counter(row.outcome for row in self.rows)
        return {outcome: counted[outcome] for outcome in RowOutcome}

    @property
    def changes(self) -> list[SellerChange]:
        """What the rows change of the list."""
        return [row.change for row in self.rows if row.change is not None]

    def lines(self) -> Iterator[str]:
        """A line for each row, in the file's order, and one with the counts."""
        yield from (row.line() for row in self.rows)
        counts = ", ".join(f"{count:,} {outcome}" for outcome, count in self.counts.items() if count)
        yield f"{len(self.rows):,} rows: {counts}." if counts else "0 rows."


def plan(
    rows: Iterable[ImportRow],
    existing: Mapping[str, ListedSeller],
    *,
    restore: bool = False,
) -> ImportPlan:
    """What becomes of each row. `restore` brings sellers back that were removed by hand; else they stay away.

    `existing` has, by key, the sellers that the file may mean.
    """
    planner = _Planner(existing, restore)
    return ImportPlan(tuple(planner.planned(row) for row in rows))


class _Planner:
    def __init__(self, existing: Mapping[str, ListedSeller], restore: bool) -> None:
        self._existing, self._restore = existing, restore
        self._first: dict[str, int] = {}
        self._named: dict[str, list[str]] = {}
        for key, seller in existing.items():
            if seller.status == "active":
                with suppress(PipelineError):  # a display name that is no name names nobody
                    self._named.setdefault(seller_key(seller.display_name), []).append(key)

    def planned(self, row: ImportRow) -> PlannedRow:
        try:
            key = self._seller(row)
        except PipelineError as error:
            return PlannedRow(row, RowOutcome.INVALID, str(error))
        if key in self._first:
            reason = f"the same seller as row {self._first[key]}, and only that row counts"
            return PlannedRow(row, RowOutcome.DUPLICATE, reason, key)
        self._first[key] = row.number
        before = self._existing.get(key)
        if not self._restore and (before.status == "removed" if before else row.is_removed):
            who = "by hand" if before else "says the file"
            return PlannedRow(
                row, RowOutcome.REMOVED_BEFORE, f"removed {who}; it is not brought back unless asked", key
            )
        return _changed(row, key, before)

    def _seller(self, row: ImportRow) -> str:
        if row.problem is not None:
            raise PipelineError(row.problem)
        if len(row.note or "") > LONGEST_NOTE:
            raise PipelineError(f"its note is longer than {LONGEST_NOTE:,} characters; shorten it")
        named = seller_key(row.name or "")
        if row.key is not None:
            return seller_key(row.key)
        if named in self._existing:
            return named
        meant = self._named.get(named, [named])
        if len(meant) > 1:
            raise PipelineError(f"means more than one seller: {', '.join(meant)}; give the key in `seller_key`")
        return meant[0]


def _changed(row: ImportRow, key: str, before: ListedSeller | None) -> PlannedRow:
    if before is None:
        added = ListedSeller(key, (row.name or "").strip(), "active", _said(row.note, None), bool(row.is_flagged))
        return PlannedRow(row, RowOutcome.ADD, "", key, SellerChange(None, added))
    # A file that has keys only says nothing about names.
    name = None if row.key is None or row.name == row.key else row.name
    after = replace(
        before,
        status="active",
        display_name=_said(name, before.display_name) or before.display_name,
        note=_said(row.note, before.note),
        is_flagged=before.is_flagged if row.is_flagged is None else row.is_flagged,
    )
    reason = "; ".join(_differences(before, after))
    if after == before:
        return PlannedRow(row, RowOutcome.UNCHANGED, reason, key)
    outcome = RowOutcome.UPDATE if before.status == "active" else RowOutcome.RESTORE
    return PlannedRow(row, outcome, reason, key, SellerChange(before, after))


def _said(text: str | None, before: str | None) -> str | None:
    """What holds after a file said a text, or nothing; outer white space says nothing either."""
    said = (text or "").strip()
    return before if said in ("", (before or "").strip()) else said


def _differences(before: ListedSeller, after: ListedSeller) -> Iterator[str]:
    if before.display_name != after.display_name:
        yield f"name {_short(before.display_name)} becomes {_short(after.display_name)}"
    if before.note != after.note:
        yield f"note {_short(before.note or '')} becomes {_short(after.note or '')}"
    if before.is_flagged != after.is_flagged:
        yield "is flagged" if after.is_flagged else "loses its flag"


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")
