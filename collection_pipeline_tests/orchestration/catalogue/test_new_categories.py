"""Categories added to the catalogue are collected, the first look aside."""

from dataclasses import replace

import dagster as dg

from collection_pipeline.orchestration.catalogue.new_categories import collect_new_categories
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline_tests.orchestration.conftest import CATALOGUE, Pipeline


def tick(pipeline: Pipeline, cursor: str | None) -> tuple[str, str | None]:
    settings = Settings.from_mapping({"COLLECTION_DATABASE_URL": url(pipeline)})
    context = dg.build_sensor_context(instance=pipeline.instance, cursor=cursor, resources={"settings": settings})
    result = collect_new_categories(context)
    assert isinstance(result, dg.SensorResult)
    assert result.skip_reason is not None
    return result.skip_reason.skip_message or "", result.cursor


def url(pipeline: Pipeline) -> str:
    return pipeline.store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def load(pipeline: Pipeline, *keys: str) -> None:
    pipeline.store.catalogue.load(replace(CATALOGUE, categories={key: CATALOGUE.categories[key] for key in keys}))


def test_what_is_added_is_collected_once_and_what_was_there_is_not(pipeline: Pipeline) -> None:
    load(pipeline, "home-coffee")
    said, cursor = tick(pipeline, None)
    assert said == "No category was added."
    load(pipeline, "home-coffee", "home-knives", "toys-kites")
    said, cursor = tick(pipeline, cursor)
    assert said == "Started a collection of home-knives, toys-kites."
    [collection] = pipeline.store.collections.all()
    assert {unit.category for unit in pipeline.store.collections.units(collection.collection_id)} == {
        "home-knives",
        "toys-kites",
    }
    said, _ = tick(pipeline, cursor)
    assert said == "No category was added."
    assert len(pipeline.store.collections.all()) == 1


def test_what_cannot_be_paid_for_today_waits_and_is_not_forgotten(pipeline: Pipeline) -> None:
    load(pipeline, "home-coffee")
    _, cursor = tick(pipeline, None)
    with pipeline.store.engine.begin() as connection:
        today = "(now() AT TIME ZONE 'America/Los_Angeles')::date"
        connection.exec_driver_sql(f"INSERT INTO api_usage VALUES ('ebay', 'search', {today}, 4999, 4999)")
    load(pipeline, "home-coffee", "home-knives")
    said, after = tick(pipeline, cursor)
    assert "1 new categories wait" in said
    assert after == cursor
    assert pipeline.store.collections.all() == []
