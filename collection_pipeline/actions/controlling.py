"""Pausing, resuming and cancelling a collection: the same for a command, a job in the Dagster UI, and the live page.

Each keeps who asked for it, as in "in the Dagster UI" (the column `controlled`), and returns how the collection stands
afterwards. All raise PipelineError for a collection that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from collection_pipeline.core.collecting.collections import CollectionStatus, paused_by_hand
from collection_pipeline.tables.store import Store


@dataclass(frozen=True, slots=True)
class Controlled:
    """What became of a collection. `restarted` counts the categories that start again."""

    collection_id: str
    status: CollectionStatus
    has_changed: bool
    restarted: int = 0


def pause(store: Store, collection_id: str, *, asked: str) -> Controlled:
    """Pauses a running collection. Its runs stop within two seconds; what they have found is kept."""
    store.collections.get(collection_id)
    was_running = store.control.pause(collection_id, paused_by_hand(asked))
    return Controlled(collection_id, store.collections.get(collection_id).status, was_running)


def resume(store: Store, collection_id: str, *, asked: str, cost_cap: Decimal | None = None) -> Controlled:
    """Starts what is missing of a collection that is paused, or ended with failures or cancelled."""
    before = store.collections.get(collection_id).status
    restarted = store.control.resume(collection_id, cost_cap=cost_cap, controlled=f"Somebody resumed it {asked}.")
    status = store.collections.get(collection_id).status
    return Controlled(collection_id, status, restarted > 0 or status is not before, restarted)


def cancel(store: Store, collection_id: str, *, asked: str) -> Controlled:
    """Cancels an open collection. What was found is kept and counted; it can be resumed."""
    store.collections.get(collection_id)
    was_open = store.control.cancel(collection_id, controlled=f"Somebody cancelled it {asked}.")
    return Controlled(collection_id, store.collections.get(collection_id).status, was_open)
