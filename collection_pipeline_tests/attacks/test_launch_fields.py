"""Launches whose fields name a variable of the run's environment, for Dagster to fill in what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from collection_pipeline.definitions import defs
from collection_pipeline_tests.orchestration.conftest import Pipeline

SECRET = {"env": "EBAY_CLIENT_SECRET"}


@pytest.mark.parametrize(
    ("job", "config"),
    [
        ("sellers_add", {"name": SECRET}),
        ("sellers_add", {"name": "alpha", "note": SECRET}),
        ("sellers_add", {"name": "alpha", "organisation": SECRET}),
        ("sellers_add", {"name": "alpha", "is_flagged": SECRET}),
        ("sellers_bulk_add", {"names": ["alpha", SECRET]}),
        ("sellers_bulk_add", {"names": SECRET}),
        ("sellers_update", {"name": "alpha", "rename": SECRET}),
        ("sellers_bulk_remove", {"names": [SECRET]}),
        ("sellers_undo", {"audit_id": SECRET}),
        ("sellers_import", {"file": SECRET}),
        ("sellers_export", {"file": SECRET}),
        ("sellers_export", {"file": "s.csv", "format": SECRET}),
        ("collection_start", {"own_preset": SECRET}),
        ("collection_start", {"name": SECRET}),
        ("collection_start", {"categories": [SECRET]}),
        ("collection_start", {"cost_cap": SECRET}),
        ("collection_pause", {"collection_id": SECRET}),
        ("storage_purge", {"only_count": SECRET}),
        ("category_collect", {"ops": {"ebay_listings": {"config": {"pages": SECRET}}}}),
        ("category_collect", {"ops": {"amazon_products": {"config": {"least_share_of_known": SECRET}}}}),
        ("category_collect", {"ops": {"ebay_listings": {"config": {"accept_unusual": SECRET}}}}),
        ("category_collect", {"loggers": {"console": {"config": {"name": SECRET}}}}),
    ],
    ids=str,
)
def test_a_field_that_names_a_variable_is_refused_before_there_is_a_run(
    pipeline: Pipeline, job: str, config: dict[str, Any]
) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError) as refused:
        pipeline.instance.create_run_for_job(defs.resolve_job_def(job), run_config=config)
    assert "simulated" not in str(refused.value), "what the variable holds"
    assert pipeline.instance.get_runs() == []


def test_no_configuration_of_any_job_asset_check_or_resource_can_name_a_variable() -> None:
    readers = {kind.key for kind in (dg.StringSource, dg.IntSource, dg.BoolSource)}
    jobs = defs.get_repository_def().get_all_jobs()
    assert len(jobs) > 15
    for job in jobs:
        known = set(_keys(job.run_config_schema.run_config_schema_type, set()))
        assert not {key for key in known if any(reader in key for reader in readers)}, job.name
        assert any("String" in key for key in known), "the walk goes to the leaves"


def _keys(kind: Any, seen: set[str]) -> Iterator[str]:
    if kind.key not in seen:
        seen.add(kind.key)
        yield kind.key
        for inner in kind.type_iterator():
            yield from _keys(inner, seen)


def test_words_that_only_look_like_the_name_of_a_variable_are_words(pipeline: Pipeline) -> None:
    words = '{"env": "EBAY_CLIENT_SECRET"}'
    assert pipeline.run(None, collection_id=None, job="sellers_add", config={"name": "alpha", "note": words}).success
    assert pipeline.rows("SELECT note FROM sellers") == [(words,)]


def test_what_is_right_is_still_taken(pipeline: Pipeline) -> None:
    config = {"ops": {"ebay_listings": {"config": {"pages": 1, "pause_between_pages_ms": 0}}}}
    assert pipeline.run("home-coffee", config=config).success
    assert pipeline.sellers() != set()
