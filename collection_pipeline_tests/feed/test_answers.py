"""The plain JSON beside the stream, and its description."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jsonschema
import pytest
from starlette.routing import Route

from collection_pipeline.core.activity import Action
from collection_pipeline.core.catalogue import Catalogue, Category
from collection_pipeline.core.collecting.collections import Pause
from collection_pipeline.core.collecting.progress import Progress
from collection_pipeline.feed import endpoints
from collection_pipeline.feed.access import PAGE_FILES, FeedConfig
from collection_pipeline.feed.app import build_app
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.feed.conftest import Shared
from collection_pipeline_tests.feed.serving import append, ask, serving
from collection_pipeline_tests.tables.examples import collect, finish, listing, rows, start


@pytest.fixture
def busy(url: str, store: Store) -> str:
    """A server that shows a collection that ended, `c`, and one that is paused, `later`."""
    store.catalogue.load(Catalogue({"books": Category("books", "All books", "1001", "media", "Media")}, {}))
    collect(store, "c", "books", {"A1": [listing("1", "anna"), listing("2", "bert")], "A2": []})
    append(store, range(2), action=Action.FOUND, duration_ms=100)
    append(store, range(1), action=Action.FOUND, duration_ms=400)
    append(store, range(1), action=Action.COMPLETE)
    append(store, range(1), action=Action.INSERTED, worker_id=0, new_sellers_count=2)
    append(store, range(2), action=Action.ERROR, error_type="transient", error_stage="api", error_message="no")
    append(store, range(1), action=Action.RATE_LIMITED, error_type="rate_limited")
    finish(store, "c")
    store.snapshots.of_collection("c")
    start(store, "later", "books", "toys")
    store.control.pause("later", Pause("by_hand", "Somebody paused it."))
    return url


def get(url: str, path: str) -> Any:
    answer = ask.get(f"{url}{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_collections_are_listed_newest_first(busy: str) -> None:
    later, c = get(busy, "/api/collections")["collections"]
    assert (later["collection_id"], later["status"], later["paused_reason"]) == ("later", "paused", "by_hand")
    assert (c["collection_id"], c["status"], c["seller_count_snapshot"]) == ("c", "completed", 2)
    assert c["cost"] == "0.0000"
    assert c["cost_cap"] is None
    assert c["completed_at"].endswith("+00:00")
    assert get(busy, "/api/collections?limit=1")["collections"] == [later]
    assert get(busy, "/api/collections?org_id=nobody")["collections"] == []
    assert get(busy, "/api/collections/c") == c


def test_progress_categories_and_metrics_add_up(busy: str) -> None:
    progress = get(busy, "/api/collections/c/progress")
    assert (progress["searches_total"], progress["sellers_found"], progress["new_sellers"]) == (2, 2, 2)
    assert progress["time_left_s"] is None
    [category] = get(busy, "/api/collections/c/categories")["categories"]
    assert (category["name"], category["department"], category["status"]) == ("All books", "media", "done")
    assert (category["products"], category["searches_total"], category["searches_ended"]) == (2, 2, 2)
    assert [one["searches_total"] for one in get(busy, "/api/collections/later/categories")["categories"]] == [0, 0]
    metrics = get(busy, "/api/collections/c/metrics")
    assert metrics["events"] == 8
    assert metrics["failures"] == [{"error_type": "transient", "error_stage": "api", "count": 2}]
    worker = next(one for one in metrics["workers"] if one["worker_id"] == 1)
    system = next(one for one in metrics["workers"] if one["worker_id"] == 0)
    assert (worker["products"], worker["pages"], worker["errors"], worker["rate_limited"]) == (1, 3, 2, 1)
    assert worker["mean_ms"] == 200
    assert system["new_sellers"] == 2


def test_seller_counts_are_those_of_one_organisation_oldest_first(busy: str, store: Store) -> None:
    store.snapshots.by_hand("default")
    store.snapshots.by_hand("another")
    counts = get(busy, "/api/seller-counts")["snapshots"]
    assert [(one["cause"], one["collection_id"], one["seller_count"]) for one in counts] == [
        ("collection", "c", 2),
        ("manual", None, 2),
    ]
    assert get(busy, "/api/seller-counts?limit=1")["snapshots"] == counts[1:]
    assert [one["seller_count"] for one in get(busy, "/api/seller-counts?org_id=another")["snapshots"]] == [0]


def test_progress_shows_every_column_of_its_view(store: Store) -> None:
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'collection_progress'"
    columns = {name for (name,) in rows(store, query)}
    assert columns - {"time_left"} == set(Progress.__dataclass_fields__) - {"time_left_s"}


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/collections/none/activity", 404, "'none'"),
        ("/api/collections/none", 404, "'none'"),
        ("/api/collections/none/progress", 404, "'none'"),
        ("/api/collections/none/categories", 404, "'none'"),
        ("/api/collections/none/metrics", 404, "'none'"),
        ("/nothing", 404, "openapi.json"),
        ("/collections/c/activity?worker_id=one", 400, "worker_id"),
        ("/collections/c/activity?worker_id=-1", 400, "worker_id"),
        ("/collections/c/activity?worker_id=99999", 400, "worker_id"),
        ("/collections/c/activity?action=dancing", 400, "fetching"),
        ("/collections/c/activity?last_event_id=last", 400, "Last-Event-ID"),
        ("/collections/c/activity?last_event_id=99999999999999999999", 400, "Last-Event-ID"),
        ("/api/collections?limit=0", 400, "limit"),
        ("/api/collections?limit=²", 400, "limit"),
        ("/api/seller-counts?limit=many", 400, "limit"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(shared: Shared, path: str, status: int, word: str) -> None:
    answer = ask.get(f"{shared.url}{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert word in answer.json()["error"]
    assert answer.json()["error"].endswith(".")


def test_the_page_is_served_as_it_lies_there(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "PAGE", tmp_path)
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "feed.js").write_text("1")
    with serving(store, FeedConfig(token="t")) as url:
        assert ask.get(f"{url}/").text == "<!doctype html>"
        assert "text/html" in ask.get(f"{url}/").headers["content-type"]
        assert "javascript" in ask.get(f"{url}/static/feed.js").headers["content-type"]
        assert ask.get(f"{url}/static/feed.css").status_code == 404


def test_the_description_is_of_the_addresses_there_are(busy: str, store: Store) -> None:
    described = get(busy, "/openapi.json")
    routes = [route for route in build_app(FeedConfig(), store).routes if isinstance(route, Route)]
    served = {
        (method.lower(), route.path)
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
        if route.path not in {*PAGE_FILES, "/openapi.json"}
    }
    assert served == {(method, path) for path, methods in described["paths"].items() for method in methods}
    assert described["openapi"].startswith("3.1")


def test_the_answers_are_as_described(busy: str) -> None:
    described = get(busy, "/openapi.json")["paths"]
    checked = 0
    for path, methods in described.items():
        examples = {}
        for parameter in methods.get("get", {}).get("parameters", []):
            assert parameter["in"] != "path" or parameter["required"]
            if "example" in parameter:
                examples[parameter["name"]] = parameter["example"]
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" in content:
            answer = get(busy, f"{re.sub(r'{.*}', 'c', path)}?{urlencode(examples)}")
            jsonschema.validate(answer, content["application/json"]["schema"])
            checked += 1
    assert checked == 21
