"""The dry run: what importing each row would do to the list. Decides only; nothing is read or changed here.

A row is looked up by its key, else by the key of its name, else by the present name of a seller on the list. What a
file says nothing about stays as it is; a name changes only where the row has a key too, because without one the name
*is* the seller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.edits import LONGEST_NOTE
from collection_pipeline.files.reading import ImportRow

_SHOWN = 80


class Verdict(StrEnum):
    """What becomes of a row."""

    ADD = "add"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    REMOVED_BEFORE = "removed before"
    RESTORE = "restore"
    INVALID = "invalid"


CHANGING = frozenset({Verdict.ADD, Verdict.UPDATE, Verdict.RESTORE})


@dataclass(frozen=True, slots=True)
class Existing:
    """A seller as the list has it, or shall have it."""

    status: str
    display_name: str
    note: str | None
    is_flagged: bool


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row, what becomes of it and why. `key` and `after` say what to store where the verdict changes anything."""

    row: ImportRow
    verdict: Verdict
    reason: str = ""
    key: str | None = None
    after: Existing | None = None

    def line(self) -> str:
        """The row for people; names are quoted, so that no character in them can disturb a terminal."""
        said = f"row {self.row.number}: {self.verdict.upper()} {_short(self.row.name or '')}"
        return f"{said}: {self.reason}" if self.reason else said


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do, row by row."""

    rows: tuple[PlannedRow, ...]

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """Rows per verdict, every verdict named."""
        counted = Counter(row.verdict for row in self.rows)
        return {verdict: counted[verdict] for verdict in Verdict}

    @property
    def changes(self) -> tuple[PlannedRow, ...]:
        """The rows that change the list."""
        return tuple(row for row in self.rows if row.verdict in CHANGING)

    def lines(self) -> Iterator[str]:
        """A line for each row, in the file's order, and one with the counts."""
        yield from (row.line() for row in self.rows)
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in self.counts.items() if count)
        yield f"{len(self.rows):,} rows: {counts}." if counts else "0 rows."


def plan(
    rows: Iterable[ImportRow],
    existing: Mapping[str, Existing],
    key_of: Callable[[str], str],
    *,
    restore: bool = False,
) -> ImportPlan:
    """What becomes of each row. `restore` brings sellers back that were removed by hand; else they stay away.

    `existing` has, by key, the sellers that the file may mean; `key_of` raises PipelineError for what is no name.
    """
    planner = _Planner(existing, key_of, restore)
    return ImportPlan(tuple(planner.planned(row) for row in rows))


class _Planner:
    def __init__(self, existing: Mapping[str, Existing], key_of: Callable[[str], str], restore: bool) -> None:
        self._existing, self._key_of, self._restore = existing, key_of, restore
        self._first: dict[str, int] = {}
        self._named: dict[str, list[str]] = {}
        for key, seller in existing.items():
            if seller.status == "active":
                with suppress(PipelineError):  # a display name that is no name names nobody
                    self._named.setdefault(key_of(seller.display_name), []).append(key)

    def planned(self, row: ImportRow) -> PlannedRow:
        try:
            key = self._seller(row)
        except PipelineError as error:
            return PlannedRow(row, Verdict.INVALID, str(error))
        if key in self._first:
            reason = f"the same seller as row {self._first[key]}, and only that row counts"
            return PlannedRow(row, Verdict.DUPLICATE, reason, key)
        self._first[key] = row.number
        before = self._existing.get(key)
        if not self._restore and (before.status == "removed" if before else row.is_removed):
            who = "by hand" if before else "says the file"
            return PlannedRow(row, Verdict.REMOVED_BEFORE, f"removed {who}; it is not brought back unless asked", key)
        return _changed(row, key, before)

    def _seller(self, row: ImportRow) -> str:
        if row.problem is not None:
            raise PipelineError(row.problem)
        if len(row.note or "") > LONGEST_NOTE:
            raise PipelineError(f"its note is longer than {LONGEST_NOTE:,} characters; shorten it")
        named = self._key_of(row.name or "")
        if row.key is not None:
            return self._key_of(row.key)
        if named in self._existing:
            return named
        meant = self._named.get(named, [named])
        if len(meant) > 1:
            raise PipelineError(f"means more than one seller: {', '.join(meant)}; give the key in `seller_key`")
        return meant[0]


def _changed(row: ImportRow, key: str, before: Existing | None) -> PlannedRow:
    if before is None:
        added = Existing("active", (row.name or "").strip(), _said(row.note, None), bool(row.is_flagged))
        return PlannedRow(row, Verdict.ADD, "", key, added)
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
    if before.status != "active":
        return PlannedRow(row, Verdict.RESTORE, reason, key, after)
    return PlannedRow(row, Verdict.UPDATE if after != before else Verdict.UNCHANGED, reason, key, after)


def _said(text: str | None, before: str | None) -> str | None:
    """What holds after a file said a text, or nothing; outer white space says nothing either."""
    said = (text or "").strip()
    return before if said in ("", (before or "").strip()) else said


def _differences(before: Existing, after: Existing) -> Iterator[str]:
    if before.display_name != after.display_name:
        yield f"name {_short(before.display_name)} becomes {_short(after.display_name)}"
    if before.note != after.note:
        yield f"note {_short(before.note or '')} becomes {_short(after.note or '')}"
    if before.is_flagged != after.is_flagged:
        yield "is flagged" if after.is_flagged else "loses its flag"


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")
