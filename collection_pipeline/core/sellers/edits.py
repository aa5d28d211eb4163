"""Edits of the seller list by people: what each changes, and when it is refused.

Everything is checked before anything is changed, and a refusal names every row that is wrong, not only the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.identity import seller_key
from collection_pipeline.core.sellers.seller_list import ListedSeller, SellerChange

LONGEST_NOTE = 2_000
MOST_NAMED = 20
"""Rows that one refusal names; of more it gives the number."""


@dataclass(frozen=True, slots=True)
class NewSeller:
    """A seller as somebody writes it down."""

    name: str
    note: str | None = None
    is_flagged: bool = False


@dataclass(frozen=True, slots=True)
class SellerUpdate:
    """What an update is to change; None leaves as it is. An empty note takes the note away."""

    display_name: str | None = None
    note: str | None = None
    is_flagged: bool | None = None


Known = Mapping[str, Sequence[ListedSeller]]
"""Per name that was given, the sellers on the list that it may mean: by key, or by their present name."""


def additions(wanted: Sequence[NewSeller], known: Known) -> list[SellerChange]:
    """The changes that add sellers; one that was removed by hand becomes active again. Raises PipelineError."""
    problems: list[str] = []
    changes: dict[str, SellerChange] = {}
    for row, seller in enumerate(wanted, start=1):
        key, problem = _addable(seller, known, changes)
        if problem:
            problems.append(_row(row, seller.name, problem, len(wanted)))
            continue
        before = next((one for one in known.get(seller.name, ()) if one.seller_key == key), None)
        after = ListedSeller(key, seller.name.strip(), "active", _note(seller.note), seller.is_flagged)
        changes[key] = SellerChange(before, after)
    _refuse(problems, "No seller was added")
    if not changes:
        raise PipelineError("There is nothing to add: give at least one name.")
    return list(changes.values())


def _addable(seller: NewSeller, known: Known, already: Mapping[str, SellerChange]) -> tuple[str, str | None]:
    try:
        key = seller_key(seller.name)
        _note(seller.note)
    except PipelineError as error:
        return "", f"cannot be a seller: {error}"
    if key in already:
        return key, "is the same seller as another row of this edit"
    active = [one for one in known.get(seller.name, ()) if one.status == "active"]
    if active:
        return key, f"is on the list already, as {_named(active)}"
    return key, None


def removals(names: Sequence[str], known: Known) -> list[SellerChange]:
    """The changes that take sellers off the list; it is remembered that they were. Raises PipelineError."""
    return [
        SellerChange(seller, replace(seller, status="removed"))
        for seller in _found(names, known, "No seller was removed")
    ]


def flag_changes(names: Sequence[str], known: Known, *, is_flagged: bool) -> list[SellerChange]:
    """The changes that flag sellers, or take their flags away. Raises PipelineError."""
    sellers = _found(names, known, "No flag was changed")
    changes = [
        SellerChange(seller, replace(seller, is_flagged=is_flagged))
        for seller in sellers
        if seller.is_flagged != is_flagged
    ]
    if not changes:
        raise PipelineError(f"No flag was changed: {'all of them are' if is_flagged else 'none of them is'} flagged.")
    return changes


def update(name: str, wanted: SellerUpdate, known: Known) -> SellerChange:
    """The change of one seller's name, note or flag. Its key stays: it is the same account. Raises PipelineError."""
    [before] = _found([name], known, "Nothing was updated")
    after = before
    if wanted.display_name is not None:
        seller_key(wanted.display_name)  # raises for one that is empty or far too long
        after = replace(after, display_name=wanted.display_name.strip())
    if wanted.note is not None:
        after = replace(after, note=_note(wanted.note))
    if wanted.is_flagged is not None:
        after = replace(after, is_flagged=wanted.is_flagged)
    if after == before:
        raise PipelineError(f"Nothing was updated: {before.display_name!r} is like that already.")
    return SellerChange(before, after)


def require_unchanged(changes: Iterable[SellerChange], present: Mapping[tuple[str, str], ListedSeller]) -> None:
    """Raises PipelineError if a seller is no longer as the change that is to be undone had left it."""
    problems = []
    for change in changes:
        seller = change.before or change.after
        if seller is not None and present.get(seller.identity) != change.before:
            problems.append(f"{seller.display_name!r} was changed again since")
    _refuse(problems, "Nothing was undone")


def _found(names: Sequence[str], known: Known, refusal: str) -> list[ListedSeller]:
    """The one active seller that each name means."""
    problems: list[str] = []
    found: dict[str, ListedSeller] = {}
    for row, name in enumerate(names, start=1):
        matches = [one for one in known.get(name, ()) if one.status == "active"]
        # The key itself is the one unmistakable name, whoever else is called like it by now.
        exact = [one for one in matches if one.seller_key == name]
        if len(exact or matches) != 1:
            several = f"means more than one seller: {_named(matches)}; give the key"
            problem = several if matches else _unknown(known, name)
            problems.append(_row(row, name, problem, len(names)))
            continue
        [seller] = exact or matches
        if seller.seller_key in found:
            problems.append(_row(row, name, "is the same seller as another row of this edit", len(names)))
        found[seller.seller_key] = seller
    _refuse(problems, refusal)
    if not found:
        raise PipelineError(f"{refusal}: give at least one name.")
    return list(found.values())


def _unknown(known: Known, name: str) -> str:
    return "was removed before" if known.get(name) else "is not on the list"


def _named(sellers: Sequence[ListedSeller]) -> str:
    return ", ".join(f"{one.display_name!r} (key {one.seller_key})" for one in sellers)


def _note(note: str | None) -> str | None:
    if note is not None and len(note) > LONGEST_NOTE:
        raise PipelineError(f"The note has {len(note):,} characters; at most {LONGEST_NOTE:,} are possible.")
    return (note or "").strip() or None


def _row(row: int, name: str, problem: str, rows: int) -> str:
    shown = name if len(name) <= 80 else f"{name[:79]}…"
    return f"{f'row {row}, ' if rows > 1 else ''}{shown!r} {problem}"


def _refuse(problems: Sequence[str], refusal: str) -> None:
    if problems:
        more = f"; and {len(problems) - MOST_NAMED} more rows" if len(problems) > MOST_NAMED else ""
        raise PipelineError(f"{refusal}: {'; '.join(problems[:MOST_NAMED])}{more}.")
