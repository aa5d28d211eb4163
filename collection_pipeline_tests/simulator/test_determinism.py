from __future__ import annotations

import json
import os
import subprocess
import sys

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.faults import Fault, FaultBoard
from collection_pipeline.simulator.world.products import Products
from collection_pipeline_tests.simulator.asking import NODE

_SCRIPT = f"""
import json, sys
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.state import Simulator
from collection_pipeline.simulator.truth import Collection, truth
simulator = Simulator(SimulatorConfig(seed=int(sys.argv[1]), products_per_page=6))
found = truth(simulator, ["{NODE}", "1"], Collection())
strikes = [simulator.faults.pick("ebay.search", "") for _ in range(3)]
print(json.dumps(found, sort_keys=True))
"""


def _world(seed: int, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", _SCRIPT, str(seed)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_seed_gives_the_same_world_in_every_process_and_another_seed_another_one() -> None:
    first = _world(1, "1")
    assert first == _world(1, "2")
    assert first != _world(2, "1")
    assert json.loads(first)["seller_count"] > 0


def test_a_share_of_requests_is_struck_and_always_the_same_ones() -> None:
    def struck() -> list[bool]:
        board = FaultBoard(1, [Fault("ebay.reset", share=0.1)])
        return [board.pick("ebay.search", "q") is not None for _ in range(1000)]

    assert struck() == struck()
    assert 70 <= sum(struck()) <= 130


def test_a_fault_counts_only_what_it_could_strike() -> None:
    board = FaultBoard(1, [Fault("ebay.reset", every=2, limit=2, contains="kettle"), Fault("oxylabs.slow", nth=2)])
    requests = ["kettle", "mug", "kettle", "kettle", "kettle", "kettle", "kettle"]
    assert [board.pick("ebay.search", q) is not None for q in requests] == [
        False,
        False,
        True,
        False,
        True,
        False,
        False,
    ]
    assert [board.pick("oxylabs.query", "1") is not None for _ in range(3)] == [False, True, False]


def test_the_asked_share_of_a_category_is_in_others_too() -> None:
    products = Products(SimulatorConfig(products_per_page=50, pages=2, overlap=0.3))
    lists = {node: {row.product.asin for page in products.pages(node) for row in page} for node in map(str, range(9))}
    for node, asins in lists.items():
        others = set().union(*(lists[other] for other in lists if other != node))
        assert 0.25 <= len(asins & others) / len(asins) <= 0.32


def test_without_overlap_categories_share_nothing() -> None:
    products = Products(SimulatorConfig(products_per_page=5, overlap=0))
    first, second = ({row.product.asin for page in products.pages(node) for row in page} for node in ("1", "01"))
    assert not first & second
