"""/metrics, read as Prometheus reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from collection_pipeline import __version__
from collection_pipeline.core.activity import Action
from collection_pipeline.core.sellers.edits import NewSeller
from collection_pipeline.feed.metrics import PREFIX
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.conftest import REPOSITORY
from collection_pipeline_tests.feed.serving import Reading, append, ask, serving
from collection_pipeline_tests.tables.examples import collect, finish, listing, start
from collection_pipeline_tests.waiting import await_true

DEPLOYMENT = REPOSITORY / "deployment"


def scraped(url: str) -> dict[str, Metric]:
    answer = ask.get(f"{url}/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def value(families: dict[str, Metric], name: str, **labels: str) -> float | None:
    family = families[f"{PREFIX}_{name}".removesuffix("_total")]
    found = [one.value for one in family.samples if one.labels == labels and not one.name.endswith("_created")]
    return found[0] if found else None


@pytest.fixture
def busy(store: Store) -> Iterator[str]:
    """A server of an installation where one collection ended, one goes on, and errors happen."""
    start(store, "ended", "books")
    collect(store, "ended", "books", {"A1": [listing("1", "anna"), listing("2", "bert")]})
    finish(store, "ended")
    store.snapshots.of_collection("ended")
    start(store, "c", "books", "toys")
    with serving(store) as url:
        scraped(url)  # errors are counted from here on
        append(store, range(2), action=Action.ERROR, error_type="transient")
        await_true(lambda: value(scraped(url), "errors_total", phase="ebay", kind="transient") == 2)
        yield url


def test_figures_are_those_of_the_tables(busy: str) -> None:
    families = scraped(busy)
    assert value(families, "collections", status="completed") == 1
    assert value(families, "collections", status="running") == 1
    assert value(families, "collections", status="failed") == 0
    assert value(families, "categories", status="planned") == 2
    assert value(families, "sellers", org_id="default") == 2
    assert value(families, "errors_total", phase="ebay", kind="transient") == 2
    assert value(families, "errors_total", phase="amazon", kind="quota_exhausted") == 0
    assert value(families, "rate_limit_requests_per_second", source="ebay") == 10
    assert value(families, "quota_limit_calls", source="ebay") == 5_000
    assert value(families, "quota_limit_calls", source="oxylabs") is None
    assert value(families, "requests_in_flight_limit", source="oxylabs") == 25
    assert value(families, "feed_listener_connected") == 1
    assert value(families, "build_info", version=__version__) == 1
    assert value(families, "last_event_timestamp_seconds") is not None


def test_a_figure_that_is_not_known_is_absent_not_zero(url: str) -> None:
    families = scraped(url)
    assert value(families, "last_event_timestamp_seconds") is None
    assert value(families, "quietest_collection_timestamp_seconds") is not None  # it was started, if nothing else


def test_readers_are_counted(url: str) -> None:
    assert value(scraped(url), "feed_readers") == 0
    with Reading(f"{url}/collections/c/activity") as reading:
        reading.is_live()
        assert value(scraped(url), "feed_readers") == 1


def test_names_types_and_units_are_as_prometheus_wants_them(busy: str) -> None:
    families = scraped(busy)
    ours = {name: family for name, family in families.items() if name.startswith(PREFIX)}
    assert len(ours) > 15
    for name, family in ours.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", name)
        assert family.documentation.endswith("."), name
        assert family.type in ("gauge", "counter"), name
        for sample in family.samples:
            assert sample.name.endswith("_total") is (family.type == "counter"), sample.name
        if any(word in name for word in ("duration", "timestamp", "ahead")):
            assert name.endswith("_seconds"), name
        if "quota" in name:
            assert name.endswith("_calls"), name


def test_the_process_itself_is_measured(busy: str) -> None:
    assert {"process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds"} <= scraped(busy).keys()


def test_an_organisation_may_have_any_name(store: Store) -> None:
    name = 'Zoë\'s "shop"\\\n{x="y"} 1'
    store.edits.add(name, [NewSeller("anna")], Author("somebody"))
    with serving(store) as url:
        assert value(scraped(url), "sellers", org_id=name) == 1


def queries(node: Any) -> Iterator[str]:
    """Every query of a dashboard: of its panels, and of its variables."""
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        for one in node.values():
            yield from queries(one)
    if isinstance(node, list):
        for one in node:
            yield from queries(one)


def dashboard() -> list[str]:
    return list(queries(json.loads((DEPLOYMENT / "grafana-dashboard.json").read_text())))


def alerts() -> list[str]:
    return list(queries(yaml.safe_load((DEPLOYMENT / "prometheus-alerts.yaml").read_text())))


@pytest.mark.parametrize("asked", [dashboard(), alerts()], ids=["dashboard", "alerts"])
def test_nothing_is_asked_for_that_is_not_exported(busy: str, asked: list[str]) -> None:
    labels: dict[str, set[str]] = {}
    for family in scraped(busy).values():
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    assert len(asked) > 5
    for query in asked:
        names = set(re.findall(rf"\b(?:{PREFIX}|process)_\w+", query.replace('"collection_pipeline"', "")))
        assert names <= labels.keys(), query
        known = {"job", "instance"}.union(*(labels[name] for name in names))
        for grouped in re.findall(r"\bby \(([^)]*)\)", query):
            assert {one.strip() for one in grouped.split(",")} <= known, query
        for label in re.findall(r"(\w+)\s*(?:=~|!=|=)\s*\"", query):
            assert label in known, query


def test_the_dashboard_shows_every_figure(busy: str) -> None:
    text = " ".join(dashboard())
    ours = {
        sample.name for family in scraped(busy).values() for sample in family.samples if sample.name.startswith(PREFIX)
    }
    assert {name for name in ours if not re.search(rf"\b{name}\b", text)} == set()
