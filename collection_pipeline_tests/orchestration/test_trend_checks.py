"""A category that suddenly looks unlike its own past, in real runs."""

from typing import Any

import dagster as dg
import pytest

from collection_pipeline_tests.orchestration.conftest import Pipeline

PAST = """
    INSERT INTO collections (collection_id, org_id, status, started_at, completed_at)
    SELECT 'past-' || n, 'default', 'completed', now() - n * interval '30 days', now() - n * interval '30 days'
    FROM generate_series(1, 6) n
"""
PAST_PRODUCTS = """
    INSERT INTO amazon_product_history (collection_id, category, asin, position, title, seen_at, price)
    SELECT 'past-' || n, 'home-coffee', 'B' || lpad(p::text, 9, '0'), p, 'Title', now() - n * interval '30 days', 1
    FROM generate_series(1, 6) n, generate_series(1, {products}) p
"""
PAST_SEARCHES = """
    INSERT INTO product_searches (collection_id, asin, category, status, listings, searched_at)
    SELECT 'past-' || n, 'B' || lpad(p::text, 9, '0'), 'home-coffee', 'done', {listings}, now() - n * interval '30 days'
    FROM generate_series(1, 6) n, generate_series(1, 20) p
"""


def remember(pipeline: Pipeline, *statements: str) -> None:
    with pipeline.store.engine.begin() as connection:
        for statement in (PAST, *statements):
            connection.exec_driver_sql(statement)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {one.check_name: one.passed for one in result.get_asset_check_evaluations()}


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}


def test_without_a_past_nothing_is_unusual(pipeline: Pipeline) -> None:
    result = pipeline.run("home-coffee")
    assert result.success
    assert all(checks(result).values())


@pytest.mark.parametrize(
    ("past", "check", "blocked"),
    [
        (PAST_PRODUCTS.format(products=90), "products_are_usual", {"ebay_listings", "ebay_sellers"}),
        (PAST_SEARCHES.format(listings=90), "listings_are_usual", {"ebay_sellers"}),
    ],
)
def test_an_unusual_figure_blocks_what_would_be_built_on_it_and_is_the_reason(
    pipeline: Pipeline, past: str, check: str, blocked: set[str]
) -> None:
    remember(pipeline, past)
    result = pipeline.run("home-coffee")
    assert not result.success
    assert not checks(result)[check]
    assert not materialized(result) & blocked
    assert pipeline.sellers() == set()
    [failure] = pipeline.store.collections.failures("c1")
    assert (failure.unit, failure.reason) == ("category", "implausible")
    assert "unusually few: the median of the last 6 was" in (failure.error_message or "")


def test_somebody_who_has_looked_lets_it_pass(pipeline: Pipeline) -> None:
    remember(pipeline, PAST_PRODUCTS.format(products=90))
    accepted: dict[str, Any] = {"ops": {"amazon_products_products_are_usual": {"config": {"accept_unusual": True}}}}
    assert pipeline.run("home-coffee", config=accepted).success
    assert pipeline.sellers() == set(pipeline.truth("home-coffee")["sellers"])


def test_what_poisons_nothing_is_only_told(pipeline: Pipeline) -> None:
    remember(
        pipeline,
        """INSERT INTO collection_categories (collection_id, category, status, new_sellers, sellers_found, started_at)
           SELECT 'past-' || n, 'home-coffee', 'done', 0, 10, now() - n * interval '30 days'
           FROM generate_series(1, 6) n""",
    )
    result = pipeline.run("home-coffee")
    assert result.success
    new = len(pipeline.sellers())
    assert checks(result)["new_sellers_are_usual"] is (new <= 50)
