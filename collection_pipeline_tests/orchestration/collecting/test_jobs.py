"""Starting a collection from the Dagster UI: what it will take is said first, and a cap is kept."""

from decimal import Decimal

from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.core.collecting.collections import Pause
from collection_pipeline.orchestration.collecting.jobs import StartConfig, StarterPreset
from collection_pipeline_tests.orchestration.conftest import Pipeline


def test_the_launch_configuration_says_what_every_preset_takes() -> None:
    description = StartConfig.model_fields["preset"].description or ""
    for key, preset in read_catalogue(STARTER_FILE).presets.items():
        assert f"{key}: about {2 * len(preset.categories):,} oxylabs calls" in description


def test_the_launchpad_offers_the_starter_presets() -> None:
    assert [preset.value for preset in StarterPreset] == list(read_catalogue(STARTER_FILE).presets)


def test_an_estimate_starts_nothing(pipeline: Pipeline) -> None:
    assert start(pipeline, only_estimate=True)
    assert pipeline.store.collections.all() == []


def test_a_collection_that_costs_more_than_its_cap_is_refused_unless_told_to_go_on(pipeline: Pipeline) -> None:
    assert not start(pipeline, cost_cap=10.0)
    assert pipeline.store.collections.all() == []
    assert start(pipeline, cost_cap=10.0, as_far_as_it_goes=True)
    [collection] = pipeline.store.collections.all()
    assert collection.cost_cap == 10


def test_a_budget_is_dealt_out_to_the_categories_before_the_first_call(pipeline: Pipeline) -> None:
    assert start(pipeline, categories=["home-coffee", "home-knives"], budget=31)
    shares = "SELECT category, budget_calls, searches FROM collection_plans ORDER BY 1"
    assert pipeline.rows(shares) == [("home-coffee", 16, 16), ("home-knives", 15, 15)]


def test_started_twice_it_is_one_collection(pipeline: Pipeline) -> None:
    assert start(pipeline)
    assert start(pipeline)
    assert len(pipeline.store.collections.all()) == 1


def test_the_only_collection_need_not_be_named(pipeline: Pipeline) -> None:
    assert start(pipeline, name="one")
    for job, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelling")):
        assert control(pipeline, job) is None
        assert pipeline.store.collections.get("one").status == status


def test_a_collection_that_is_not_the_only_one_has_to_be_named(pipeline: Pipeline) -> None:
    assert control(pipeline, "pause") == "Say which collection is meant; running are: none."
    assert start(pipeline, name="one")
    assert start(pipeline, name="two", categories=["home-knives"])
    assert control(pipeline, "pause") == "Say which collection is meant; running are: one, two."
    assert control(pipeline, "pause", collection_id="two") is None
    assert [one.status for one in pipeline.store.collections.all()] == ["running", "paused"]
    assert pipeline.store.collections.get("two").pause == Pause("by_hand", "Somebody paused it in the Dagster UI.")
    assert "three" in (control(pipeline, "cancel", collection_id="three") or "")


def test_a_resumed_collection_can_have_a_new_cap(pipeline: Pipeline) -> None:
    assert start(pipeline, name="one")
    assert control(pipeline, "pause") is None
    assert control(pipeline, "resume", cost_cap=700.5) is None
    assert pipeline.store.collections.get("one").cost_cap == Decimal("700.5")


def control(pipeline: Pipeline, job: str, **config: object) -> str | None:
    """Runs one of the jobs that control collections; the sentence with which it failed, if it did."""
    result = pipeline.run(None, collection_id=None, job=f"collection_{job}", config=config)
    failures = [event.step_failure_data.user_failure_data for event in result.all_events if event.is_step_failure]
    return failures[0].description if failures and failures[0] else None


def start(pipeline: Pipeline, **config: object) -> bool:
    wish = {"categories": ["home-coffee"], **config}
    return pipeline.run(None, collection_id=None, job="collection_start", config=wish).success
