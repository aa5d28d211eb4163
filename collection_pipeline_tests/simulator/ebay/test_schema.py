"""eBay's own OpenAPI file has the last word on every answer. It is not part of the repository (eBay's licence)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from collection_pipeline_tests.simulator.asking import Asking, cleaned

SPECIFICATION = Path(__file__).parents[4] / "shared/wire/buy_browse_v1_oas3.json"
pytestmark = pytest.mark.skipif(not SPECIFICATION.exists(), reason="eBay's OpenAPI file is not here")


@cache
def _validator(name: str) -> jsonschema.protocols.Validator:
    components = json.loads(SPECIFICATION.read_text())["components"]
    for schema in components["schemas"].values():
        schema["additionalProperties"] = False  # so that a field of our own invention is noticed
    return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})


def _check(body: dict[str, Any]) -> None:
    if "errors" in body:
        assert body.keys() == {"errors"}
        for error in body["errors"]:
            _validator("Error").validate(error)
    else:
        _validator("SearchPagedCollection").validate(body)


@pytest.mark.parametrize("market", ["EBAY_US", "EBAY_DE"])
def test_every_item_is_valid(ask: Asking, market: str) -> None:
    for node in ("1", "2"):
        for row in ask.rows(node):
            _check(ask.search(cleaned(row["title"]), market=market, limit=200).json())
    for options in ("AUCTION", "BEST_OFFER"):
        _check(ask.search("kettle", limit=200, filter=f"buyingOptions:{{{options}}}").json())


@pytest.mark.parametrize(
    "params",
    [
        {"q": "zqxjklmnpvwrt"},
        {"limit": 10, "offset": 20},
        {"filter": "price:[1..2]"},
        {"filter": "nonsense:{1}"},
        {"filter": "sellerAccountTypes:{BUSINESS}"},
        {"sort": "relevance"},
        {"offset": "ten"},
        {"offset": "10000"},
        {"filter": "itemLocationRegion:{MOON}"},
    ],
)
def test_every_warning_and_error_is_valid(ask: Asking, params: dict[str, Any]) -> None:
    _check(ask.search(**({"q": "kettle"} | params)).json())


@pytest.mark.parametrize(
    "fault", ["quota_exhausted", "unauthorised", "access_denied", "server_error", "bulk_threshold", "too_large_12023"]
)
def test_the_errors_of_faults_are_valid(ask: Asking, fault: str) -> None:
    ask.simulator.set_faults(f"ebay.{fault}")
    _check(ask.search().json())


def test_texts_are_those_of_the_specification() -> None:
    from collection_pipeline.simulator.ebay.errors import TEXTS

    specification = SPECIFICATION.read_text()
    strange = [code for code, text in TEXTS.items() if json.dumps(text, ensure_ascii=False)[1:-1] not in specification]
    assert strange == []
