"""Marketplaces that stumble and marketplaces that are away: the first are none of a person's business."""

from __future__ import annotations

import pytest

from collection_pipeline.core.catalogue import Catalogue, Category
from collection_pipeline.core.collecting.collections import CollectionStatus
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.faults import Fault
from collection_pipeline.tables.watching.alerts import AlertStore
from collection_pipeline_tests.orchestration.conftest import Pipeline
from collection_pipeline_tests.tables.examples import finish

NODES = {f"home-{number}": str(2000 + number) for number in range(12)}
STUMBLING = SimulatorConfig(products_per_page=12, pages=2, listings_per_product=8, sellers=80, overlap=0)

FAULTS = ("server_error", "bad_gateway_html", "reset", "html_page", "truncated_json", "null_body", "slow")
SHARE = 0.07
"""Of each fault, so that 1 - 0.93**6 = 35 % of all requests fail, and a few more are late."""


def faults(vendor: str) -> list[Fault]:
    names = {"bad_gateway_html": "gateway_524"} if vendor == "oxylabs" else {}
    return [Fault(f"{vendor}.{names.get(name, name)}", share=SHARE, seconds=0.05) for name in FAULTS]


def stumbling(pipeline: Pipeline) -> Pipeline:
    """With twelve categories of its own."""
    categories = {key: Category(key, key, node, "home", "Home") for key, node in NODES.items()}
    pipeline.store.catalogue.load(Catalogue(categories, {}))
    pipeline.instance.add_dynamic_partitions("category", list(NODES))
    return pipeline


@pytest.mark.parametrize("simulator", [STUMBLING], indirect=True)
def test_a_source_that_fails_one_request_in_three_completes_by_itself(pipeline: Pipeline) -> None:
    pipeline = stumbling(pipeline)
    pipeline.simulator.set_faults(*faults("ebay"), *faults("oxylabs"))
    for category in NODES:
        assert pipeline.run(category).success
    asked = pipeline.simulator.stats()["requests"]
    assert finish(pipeline.store, "c1")
    assert pipeline.store.snapshots.of_collection("c1").seller_count == len(pipeline.sellers())
    assert pipeline.store.collections.get("c1").status is CollectionStatus.COMPLETED
    assert pipeline.store.collections.failures("c1") == []
    assert pipeline.sellers() == set(pipeline.simulator.truth(*NODES.values())["sellers"])
    assert AlertStore(pipeline.store.engine).waiting(pipeline.store.snapshots.of_collection("c1").taken_at) == 0
    # the faults were met, and every try is accounted for
    searched = len(pipeline.rows("SELECT 1 FROM product_searches WHERE status IN ('done', 'empty')"))
    assert asked["ebay.search"] > 1.3 * searched
    [(calls,)] = pipeline.rows("SELECT calls FROM collections")
    assert calls >= asked["ebay.search"]
