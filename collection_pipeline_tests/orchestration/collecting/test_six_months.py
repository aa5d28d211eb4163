"""Half a year on the living marketplace: planned, collected by Dagster, and measured against the truth."""

from __future__ import annotations

import sqlalchemy as sa

from collection_pipeline.actions.starting import CollectionRequest, start_collection
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline_tests.orchestration.conftest import Pipeline

CATEGORIES = ("home-coffee", "toys-kites")
BUDGET = 20


def test_six_months_of_collections_keep_to_their_budget_and_find_what_is_new(pipeline: Pipeline) -> None:
    there: set[str] = set()
    for month in range(6):
        pipeline.simulator.configure(day=30 * month)
        with pipeline.store.engine.begin() as connection:
            connection.execute(sa.text("UPDATE product_searches SET searched_at = searched_at - interval '30 days'"))
        budget = None if month == 0 else BUDGET
        name = f"month-{month}"
        request = CollectionRequest(categories=CATEGORIES, name=name, budget=budget)
        start_collection(pipeline.store, "default", request, utc_now())
        before = pipeline.simulator.stats()["requests"].get("ebay.search", 0)
        for category in CATEGORIES:
            assert pipeline.run(category, collection_id=name).success
        with pipeline.store.engine.begin() as connection:
            connection.execute(sa.text("UPDATE collections SET status = 'completed'"))
        calls = pipeline.simulator.stats()["requests"]["ebay.search"] - before
        assert budget is None or calls <= budget
        truth = set(pipeline.truth(*CATEGORIES)["sellers"])
        there |= truth
        found = pipeline.sellers()
        assert found <= there
        assert found == truth if month == 0 else len(found & truth) > 0.7 * len(truth)
    results = pipeline.rows(
        "SELECT collection_id, sum(budget_calls), min(searches), sum(expected_new_sellers), sum(new_sellers) "
        "FROM collection_plan_results GROUP BY 1 ORDER BY 1"
    )
    assert [row[1] for row in results] == [None, *[BUDGET] * 5]
    assert all(row[2] > 0 for row in results), "no category is starved"
    assert all(row[3] > 0 for row in results)
    assert sum(row[4] for row in results[1:]) > 0, "the later months have new sellers"
