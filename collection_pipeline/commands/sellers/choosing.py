"""Options that choose sellers, the same wherever sellers are listed or exported."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.suggesting import did_you_mean
from collection_pipeline.tables.sellers.exports import Selection
from collection_pipeline.tables.store import Store

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS = (
    click.option("--category", help="Only sellers of this category's current best sellers."),
    click.option("--collection", "collection_id", help="Only sellers that this collection saw."),
    click.option(
        "--flagged/--not-flagged", "is_flagged", default=None, help="Only flagged sellers, or only the others."
    ),
    click.option(
        "--exported/--never-exported",
        "is_exported",
        default=None,
        help="Only sellers that an export has included, or only the others.",
    ),
    click.option("--name", "name_contains", help="Only sellers whose name contains this."),
    click.option("--with-removed", is_flag=True, help="Include removed sellers."),
)
_NAMES = tuple(name for name in Selection.__dataclass_fields__ if name != "keys")


def require_known(store: Store, org_id: str, selection: Selection) -> None:
    """Raises PipelineError for an unknown collection, and for a category that nothing is known about."""
    if selection.collection_id is not None:
        store.collections.get(selection.collection_id)
    known, category = store.catalogue.current().categories, selection.category
    # One that left the catalogue has kept its sellers.
    if category is not None and category not in known and not store.exports.count(org_id, Selection(category)):
        raise PipelineError(f"There is no category {category!r}.{did_you_mean(category, known)}")


def seller_selection_options(command: Callable[..., R]) -> Callable[..., R]:
    """Gives a command these options, and the choice as its argument `selection`."""

    @wraps(command)
    def chosen(**arguments: Any) -> R:
        selection = Selection(**{name: arguments.pop(name) for name in _NAMES})
        return command(selection=selection, **arguments)

    for option in reversed(_OPTIONS):
        chosen = option(chosen)
    return chosen
