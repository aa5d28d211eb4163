"""Starting a collection from the Dagster UI: what it will take is said first, and a cap is kept."""

from collection_pipeline.core.catalogue import STARTER_FILE, read_catalogue
from collection_pipeline.orchestration.operations import Preset, StartConfig
from collection_pipeline_tests.orchestration.conftest import Pipeline


def test_the_launch_configuration_says_what_every_preset_takes() -> None:
    description = StartConfig.model_fields["preset"].description or ""
    for key, preset in read_catalogue(STARTER_FILE).presets.items():
        assert f"{key}: about {2 * len(preset.categories):,} oxylabs calls" in description


def test_the_launchpad_offers_the_starter_presets() -> None:
    assert [preset.value for preset in Preset] == list(read_catalogue(STARTER_FILE).presets)


def test_an_estimate_starts_nothing(pipeline: Pipeline) -> None:
    assert start(pipeline, only_estimate=True)
    assert pipeline.store.collections.all() == []


def test_a_collection_that_costs_more_than_its_cap_is_refused_unless_told_to_go_on(pipeline: Pipeline) -> None:
    assert not start(pipeline, cost_cap=10.0)
    assert pipeline.store.collections.all() == []
    assert start(pipeline, cost_cap=10.0, as_far_as_it_goes=True)
    [collection] = pipeline.store.collections.all()
    assert collection.cost_cap == 10


def test_started_twice_it_is_one_collection(pipeline: Pipeline) -> None:
    assert start(pipeline)
    assert start(pipeline)
    assert len(pipeline.store.collections.all()) == 1


def start(pipeline: Pipeline, **config: object) -> bool:
    wish = {"categories": ["home-coffee"], **config}
    return pipeline.run(None, collection_id=None, job="start_collection", config=wish).success
