"""Which column of a file holds what: as somebody says, or else by the names that people give such columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collection_pipeline.files.raw import UnreadableFile


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The names of the columns that hold each thing; what is None is looked for under its usual names."""

    name: str | None = None
    key: str | None = None
    note: str | None = None
    is_flagged: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where in a row each thing stands; None where the file does not have it."""

    name: int | None
    key: int | None
    note: int | None
    is_flagged: int | None
    status: int | None


_USUAL = {
    "name": ("display_name", "seller_name", "seller", "name", "username", "user_name", "ebay_seller", "account"),
    "key": ("seller_key",),
    "note": ("note", "notes", "comment", "comments"),
    "is_flagged": ("is_flagged", "flagged", "flag"),
    "status": ("status",),
}


def places(columns: Sequence[str], mapping: ColumnMapping) -> Places:
    """Where everything is. Raises UnreadableFile, naming the file's columns, where that is unknown or ambiguous."""
    found = Places(
        name=_place(columns, "name", mapping.name),
        key=_place(columns, "key", mapping.key),
        note=_place(columns, "note", mapping.note),
        is_flagged=_place(columns, "is_flagged", mapping.is_flagged),
        status=_place(columns, "status", mapping.status),
    )
    if found.name is None and found.key is None:
        raise UnreadableFile(
            f"None of its columns is known to hold the sellers' names. {_listed(columns)} "
            f"Call the column `seller_name` in the first row, or say which one it is."
        )
    return found


def _place(columns: Sequence[str], thing: str, wanted: str | None) -> int | None:
    if wanted is None:
        known = _USUAL[thing]
        matches = [place for place, column in enumerate(columns) if _plain(column) in known]
    else:
        matches = [place for place, column in enumerate(columns) if column == wanted] or [
            place for place, column in enumerate(columns) if _plain(column) == _plain(wanted)
        ]
        if not matches:
            raise UnreadableFile(f"It has no column {wanted!r}. {_listed(columns)}")
    if len(matches) > 1:
        several = " and ".join(repr(columns[place]) for place in matches)
        raise UnreadableFile(
            f"The columns {several} may all be its {thing}; say which one is, or rename the others. {_listed(columns)}"
        )
    return matches[0] if matches else None


def _plain(column: str) -> str:
    return "_".join(column.casefold().replace("-", " ").replace("_", " ").split())


def _listed(columns: Sequence[str]) -> str:
    return f"Its columns are {', '.join(repr(one) for one in columns if one) or 'without names'}."
