import pytest

from collection_pipeline.actions import controlling
from collection_pipeline.core.collecting.collections import BY_HAND, CollectionStatus, Pause
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import start

HERE = "with the command line, as anna"


def test_who_paused_resumed_and_cancelled_a_collection_is_kept(store: Store) -> None:
    start(store, "c1", "books")
    paused = controlling.pause(store, "c1", asked=HERE)
    assert (paused.status, paused.has_changed) == (CollectionStatus.PAUSED, True)
    assert store.collections.get("c1").pause == Pause(BY_HAND, f"Somebody paused it {HERE}.")
    assert store.collections.get("c1").controlled == f"Somebody paused it {HERE}."
    resumed = controlling.resume(store, "c1", asked="in the Dagster UI")
    assert (resumed.status, resumed.has_changed) == (CollectionStatus.RUNNING, True)
    assert store.collections.get("c1").controlled == "Somebody resumed it in the Dagster UI."
    cancelled = controlling.cancel(store, "c1", asked="on the live activity page")
    assert (cancelled.status, cancelled.has_changed) == (CollectionStatus.CANCELLING, True)
    assert store.collections.get("c1").controlled == "Somebody cancelled it on the live activity page."


def test_what_changes_nothing_is_nobodys_doing(store: Store) -> None:
    start(store, "c1", "books")
    assert not controlling.resume(store, "c1", asked=HERE).has_changed
    assert store.collections.get("c1").controlled is None
    store.control.pause("c1", Pause("quota_exhausted", "No quota is left."))
    assert not controlling.pause(store, "c1", asked=HERE).has_changed
    assert store.collections.get("c1").controlled is None
    store.control.resume("c1")
    assert store.collections.get("c1").controlled is None


@pytest.mark.parametrize("control", [controlling.pause, controlling.resume, controlling.cancel])
def test_a_collection_that_does_not_exist_is_refused(store: Store, control: object) -> None:
    assert callable(control)
    with pytest.raises(PipelineError, match="nowhere"):
        control(store, "nowhere", asked=HERE)
