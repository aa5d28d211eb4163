"""A whole run with eBay's result pages as the source of listings, chosen by a setting and by nothing else."""

import pytest

from collection_pipeline.simulator.faults import Fault
from collection_pipeline_tests.orchestration.conftest import Pipeline


@pytest.fixture
def keyless(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """The pipeline of a team that has no key of eBay's API."""
    monkeypatch.setenv("EBAY_SOURCE", "pages")
    monkeypatch.delenv("EBAY_CLIENT_ID")
    monkeypatch.delenv("EBAY_CLIENT_SECRET")
    return pipeline


def test_a_category_collected_from_result_pages_is_the_truth(keyless: Pipeline) -> None:
    assert keyless.run("home-coffee").success
    node = "1001"
    truth = keyless.simulator.truth(node, limit=60, sees_condition="false")
    assert keyless.sellers() == set(truth["sellers"])
    requests = keyless.simulator.stats()["requests"]
    assert "ebay.search" not in requests
    assert "ebay.token" not in requests
    usage = dict(keyless.rows("SELECT operation, calls FROM api_usage"))
    assert sum(usage.values()) == requests["oxylabs.realtime"]
    assert usage["search_page"] > truth["searchable_product_count"] // 2
    assert set(usage) == {"best_sellers", "search_page"}


def test_result_pages_that_cannot_be_used_fail_their_products(keyless: Pipeline) -> None:
    keyless.simulator.set_faults(Fault("oxylabs.ebay_gallery", every=6))
    assert keyless.run("home-coffee").success
    failures = keyless.store.collections.failures("c1")
    assert failures
    assert {(failure.unit, failure.reason, failure.error_stage) for failure in failures} == {
        ("product", "malformed", "seller_extraction")
    }
    truth = keyless.simulator.truth("1001", limit=60, sees_condition="false")
    assert keyless.sellers() <= set(truth["sellers"])
