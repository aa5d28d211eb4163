"""A category that suddenly looks unlike its own past, in real runs."""

from typing import Any

import dagster as dg
import pytest

from collection_pipeline_tests import past
from collection_pipeline_tests.orchestration.conftest import Pipeline

COFFEE = "home-coffee"


def remember(pipeline: Pipeline, *statements: str) -> None:
    with pipeline.store.engine.begin() as connection:
        for statement in (past.COLLECTIONS, *statements):
            connection.exec_driver_sql(statement)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {one.check_name: one.passed for one in result.get_asset_check_evaluations()}


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}


def test_without_a_past_nothing_is_unusual(pipeline: Pipeline) -> None:
    result = pipeline.run(COFFEE)
    assert result.success
    assert all(checks(result).values())


@pytest.mark.parametrize(
    ("statement", "check", "blocked"),
    [
        (past.products(COFFEE, 90), "products_are_usual", {"ebay_listings", "ebay_sellers"}),
        (past.searches(COFFEE, 90), "listings_are_usual", {"ebay_sellers"}),
    ],
)
def test_an_unusual_figure_blocks_what_would_be_built_on_it_and_is_the_reason(
    pipeline: Pipeline, statement: str, check: str, blocked: set[str]
) -> None:
    remember(pipeline, statement)
    result = pipeline.run(COFFEE)
    assert not result.success
    assert not checks(result)[check]
    assert not materialized(result) & blocked
    assert pipeline.sellers() == set()
    [failure] = pipeline.store.collections.failures("c1")
    assert (failure.unit, failure.reason) == ("category", "implausible")
    assert "unusually few: the median of the last 6 was" in (failure.error_message or "")


def test_somebody_who_has_looked_lets_it_pass(pipeline: Pipeline) -> None:
    remember(pipeline, past.products(COFFEE, 90))
    accepted: dict[str, Any] = {"ops": {"amazon_products": {"config": {"accept_unusual": True}}}}
    assert pipeline.run(COFFEE, config=accepted).success
    assert pipeline.sellers() == set(pipeline.truth(COFFEE)["sellers"])


def test_what_poisons_nothing_is_only_told(pipeline: Pipeline) -> None:
    remember(pipeline, past.new_sellers(COFFEE, 0))
    result = pipeline.run(COFFEE)
    assert result.success
    new = len(pipeline.sellers())
    assert checks(result)["new_sellers_are_usual"] is (new <= 50)
