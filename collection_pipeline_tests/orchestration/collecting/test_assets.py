"""One category at a time, in this process: what is collected, and what is left when something goes wrong."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from collection_pipeline.core.collecting.collections import (
    BY_HAND,
    CollectionPlan,
    CollectionStatus,
    Pause,
    settlements,
)
from collection_pipeline.core.collecting.streaks import FAILURES_THAT_PAUSE
from collection_pipeline.core.money import BandRule
from collection_pipeline.simulator.faults import Fault
from collection_pipeline_tests.orchestration.conftest import NODES, SMALL, Pipeline
from collection_pipeline_tests.tables.examples import finish


def materialized(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """The metadata of an asset's materialization, as plain values."""
    [event] = [
        event
        for event in result.all_events
        if event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key == dg.AssetKey(asset)
    ]
    return {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}


def test_a_collected_category_is_the_truth(pipeline: Pipeline) -> None:
    assert pipeline.run("home-coffee").success
    truth = pipeline.truth("home-coffee")
    assert pipeline.sellers() == set(truth["sellers"])
    assert len(truth["sellers"]) > 10
    listings = {(asin, listing) for asin, listing in pipeline.rows("SELECT asin, listing_id FROM ebay_listings")}
    assert listings == {(asin, one) for asin, product in truth["products"].items() for one in product["listings"]}
    [category] = truth["categories"]
    products = pipeline.rows("SELECT position, asin, price::text FROM amazon_products")
    assert {(asin, price) for _, asin, price in products} == {
        (one["asin"], one["price"]) for one in category["products"]
    }


def test_materializations_state_facts(pipeline: Pipeline) -> None:
    result = pipeline.run("home-coffee")
    truth = pipeline.truth("home-coffee")
    products = materialized(result, "amazon_products")
    priced = truth["searchable_product_count"]
    assert products["products"] == products["dagster/row_count"] == truth["product_count"]
    assert products["without_price"] == truth["product_count"] - priced
    assert (products["pages"], products["api_calls"]) == (2, 2)
    listings = materialized(result, "ebay_listings")
    assert (listings["searched"], listings["without_price"]) == (priced, truth["product_count"] - priced)
    assert listings["listings"] == truth["listing_count"]
    assert listings["api_calls"] == pipeline.simulator.stats()["requests"]["ebay.search"]
    sellers = materialized(result, "ebay_sellers")
    assert sellers["sellers_found"] == sellers["new_sellers"] == sellers["sellers_on_list"] == truth["seller_count"]
    assert sellers["known_sellers"] == 0
    for metadata in (products, listings, sellers):
        assert isinstance(metadata["seconds"], float)
        assert 1 <= len(metadata["preview"].records) <= 5


def test_only_listings_with_the_match_that_is_asked_for_bring_their_sellers(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTION_EVIDENCE_MATCH", "0.9")
    result = pipeline.run("home-coffee")
    [(median,)] = pipeline.rows("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY match) FROM ebay_listings")
    assert materialized(result, "ebay_listings")["median_match"] == pytest.approx(median, abs=0.001)
    likely = pipeline.rows("SELECT DISTINCT seller_key FROM ebay_listings WHERE match >= 0.9")
    assert pipeline.sellers() == {key for (key,) in likely}
    assert 0 < len(likely) < pipeline.truth("home-coffee")["seller_count"]
    assert materialized(result, "ebay_sellers")["sellers_found"] == len(likely)
    assert pipeline.rows("SELECT DISTINCT match_reasons IS NULL FROM ebay_listings") == [(False,)]


def test_collecting_again_finds_everything_known(pipeline: Pipeline) -> None:
    pipeline.run("home-coffee")
    sellers = pipeline.rows("SELECT seller_key, display_name, listing_count FROM sellers ORDER BY 1")
    again = pipeline.run("home-coffee", collection_id="c2")
    merged = materialized(again, "ebay_sellers")
    assert (merged["new_sellers"], merged["known_sellers"]) == (0, len(sellers))
    assert pipeline.rows("SELECT seller_key, display_name, listing_count FROM sellers ORDER BY 1") == sellers


def test_a_product_of_two_categories_is_searched_once_in_a_collection(pipeline: Pipeline) -> None:
    pipeline.run("home-coffee")
    second = pipeline.run("home-knives")
    assert materialized(second, "ebay_listings")["in_other_categories"] > 0
    merged = materialized(second, "ebay_sellers")
    assert merged["dagster/row_count"] == merged["sellers_found"] < merged["sellers_on_list"]
    searches = pipeline.simulator.stats()["searches"]
    assert {search["requests"] for search in searches} == {1}
    assert pipeline.sellers() == set(pipeline.truth("home-coffee", "home-knives")["sellers"])


def test_a_run_tried_again_in_its_collection_buys_nothing_twice(pipeline: Pipeline) -> None:
    pipeline.run("home-coffee")
    before = pipeline.simulator.stats()["requests"]
    again = pipeline.run("home-coffee")
    assert again.success
    assert materialized(again, "amazon_products")["fetched_before"] is True
    assert pipeline.simulator.stats()["requests"] == before


def test_a_run_that_was_stopped_goes_on_where_it_stopped(pipeline: Pipeline) -> None:
    pipeline.simulator.set_faults(Fault("ebay.access_denied", nth=9))
    assert not pipeline.run("home-coffee").success
    found = dict(pipeline.rows("SELECT status, count(*) FROM product_searches GROUP BY 1"))
    assert found["done"] >= 3
    assert found["planned"] > 0
    pipeline.simulator.set_faults()
    searched = pipeline.simulator.stats()["requests"]["ebay.search"]
    assert pipeline.store.control.resume("c1") == 1
    assert pipeline.run("home-coffee").success
    assert pipeline.sellers() == set(pipeline.truth("home-coffee")["sellers"])
    unfinished = found["planned"] + found["failed"]
    assert pipeline.simulator.stats()["requests"]["ebay.search"] - searched <= unfinished


@pytest.mark.parametrize(
    ("fault", "kind", "stage"),
    [
        ("oxylabs.faulted_613", "faulted_job", "api"),
        ("oxylabs.short_page", "implausible", "product_extraction"),
    ],
)
def test_best_sellers_that_cannot_be_had_leave_what_is_known_and_a_reason(
    pipeline: Pipeline, fault: str, kind: str, stage: str
) -> None:
    pipeline.run("home-coffee")
    known = pipeline.rows("SELECT asin, position, title, price FROM amazon_products ORDER BY 1")
    sellers = pipeline.sellers()
    pipeline.simulator.set_faults(fault)
    failed = pipeline.run("home-coffee", collection_id="c2")
    assert not failed.success
    assert pipeline.rows("SELECT asin, position, title, price FROM amazon_products ORDER BY 1") == known
    assert pipeline.sellers() == sellers
    [failure] = pipeline.store.collections.failures("c2")
    assert (failure.category, failure.reason, failure.error_stage) == ("home-coffee", kind, stage)


def test_an_unknown_node_fails_its_category_with_one_call_and_the_run_says_why(pipeline: Pipeline) -> None:
    failed = pipeline.run("nowhere")
    assert not failed.success
    [failure] = pipeline.store.collections.failures("c1")
    assert failure.reason == "unknown_node"
    assert NODES["nowhere"] in str(failure.error_message)
    assert pipeline.simulator.stats()["requests"]["oxylabs.realtime"] == 1
    [step] = [event for event in failed.all_events if event.event_type_value == "STEP_FAILURE"]
    data = step.step_failure_data.user_failure_data
    assert data is not None
    assert NODES["nowhere"] in str(data.description)


def test_a_page_that_comes_twice_costs_the_category_and_changes_nothing(pipeline: Pipeline) -> None:
    assert pipeline.run("home-coffee", collection_id="c0").success
    known = pipeline.rows("SELECT asin, position FROM amazon_products ORDER BY asin")
    pipeline.simulator.set_faults("oxylabs.first_page_again")
    assert not pipeline.run("home-coffee").success
    [failure] = pipeline.store.collections.failures("c1")
    assert (failure.unit, failure.reason) == ("category", "malformed")
    assert pipeline.rows("SELECT asin, position FROM amazon_products ORDER BY asin") == known


def test_a_malformed_answer_fails_its_product_and_the_rest_goes_on(pipeline: Pipeline) -> None:
    pipeline.simulator.set_faults(Fault("ebay.too_large_12023", nth=4))
    result = pipeline.run("home-coffee")
    assert result.success
    listings = materialized(result, "ebay_listings")
    assert listings["failed"] == 1
    [failure] = pipeline.store.collections.failures("c1")
    assert (failure.unit, failure.asin is not None, failure.reason) == ("product", True, "malformed")
    assert listings["searched"] == pipeline.truth("home-coffee")["searchable_product_count"] - 1


@pytest.mark.parametrize(
    "simulator", [replace(SMALL, products_per_page=2, pages=1, share_without_price=0)], indirect=True
)
def test_searches_that_all_fail_fail_the_category(pipeline: Pipeline) -> None:
    pipeline.simulator.set_faults("ebay.too_large_12023")
    assert not pipeline.run("home-coffee").success
    failures = pipeline.store.collections.failures("c1")
    [category] = [failure for failure in failures if failure.unit == "category"]
    assert category.reason == "nothing_worked"
    assert len(failures) == pipeline.truth("home-coffee")["searchable_product_count"] + 1
    assert pipeline.sellers() == set()


def test_failed_replies_in_a_row_pause_the_collection_for_a_rest(pipeline: Pipeline) -> None:
    pipeline.simulator.set_faults("ebay.too_large_12023")
    assert not pipeline.run("home-coffee").success
    collection = pipeline.store.collections.get("c1")
    assert (collection.status, collection.pause and collection.pause.reason) == ("paused", "failures_in_a_row")
    assert collection.pause is not None
    assert collection.pause.until is not None
    assert pipeline.simulator.stats()["requests"]["ebay.search"] <= FAILURES_THAT_PAUSE + 4
    assert pipeline.store.collections.due(collection.pause.until - timedelta(seconds=1)) == []
    assert [one.collection_id for one in pipeline.store.collections.due(collection.pause.until)] == ["c1"]


@pytest.mark.parametrize(
    ("fault", "kind", "setting", "until"),
    [
        ("ebay.access_denied", "unauthorised", "EBAY_CLIENT_ID", False),
        ("ebay.quota_exhausted", "quota_exhausted", "eBay", True),
        ("oxylabs.unauthorised_empty", "unauthorised", "OXYLABS_PASSWORD", False),
    ],
)
def test_what_would_meet_every_product_pauses_the_collection_and_names_what_to_look_at(
    pipeline: Pipeline, fault: str, kind: str, setting: str, until: bool
) -> None:
    pipeline.simulator.set_faults(fault)
    failed = pipeline.run("home-coffee")
    [step] = [event for event in failed.all_events if event.event_type_value == "STEP_FAILURE"]
    assert setting in str(step.step_failure_data.user_failure_data)
    collection = pipeline.store.collections.get("c1")
    assert collection.status == "paused"
    assert collection.pause is not None
    assert (collection.pause.reason, collection.pause.until is not None) == (kind, until)
    assert setting in collection.pause.message
    assert pipeline.simulator.stats()["requests"].get("ebay.search", 0) <= 2 * 5


def paused_after(pipeline: Pipeline, searches: int, change: Callable[[], object]) -> threading.Thread:
    """Makes a change in another thread once so many searches were made."""

    def wait_and_change() -> None:
        while pipeline.simulator.stats()["requests"].get("ebay.search", 0) < searches:
            time.sleep(0.02)
        change()

    thread = threading.Thread(target=wait_and_change)
    thread.start()
    return thread


@pytest.mark.alone
@pytest.mark.parametrize("change", ["pause", "cancel"])
def test_a_run_stops_within_two_seconds_as_canceled_and_keeps_what_it_has(pipeline: Pipeline, change: str) -> None:
    pipeline.simulator.configure(ebay_latency_s=0.5)
    stopped_at: list[float] = []

    def stop() -> None:
        control = pipeline.store.control
        assert control.pause("c1", Pause(BY_HAND, "Somebody paused it.")) if change == "pause" else control.cancel("c1")
        stopped_at.append(time.monotonic())

    thread = paused_after(pipeline, 8, stop)
    result = pipeline.run("home-coffee")
    assert time.monotonic() - stopped_at[0] < 2.5  # the two seconds, and the end of the run itself
    thread.join()
    run = pipeline.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert (run.status, run.tags["stopped"]) == (
        dg.DagsterRunStatus.CANCELED,
        {"pause": "paused", "cancel": "cancelling"}[change],
    )
    assert dict(pipeline.rows("SELECT status, count(*) FROM product_searches GROUP BY 1"))["done"] >= 3
    before = pipeline.simulator.stats()["requests"]["ebay.search"]
    assert not pipeline.run("home-coffee").success  # a stopped collection's runs do not begin
    assert pipeline.simulator.stats()["requests"]["ebay.search"] == before

    if change == "cancel":
        pipeline.store.control.settle("c1", settlements(CollectionStatus.CANCELLING, pipeline.units(), []))
        pipeline.store.control.begin_finishing("c1")
        pipeline.store.snapshots.of_collection("c1")
        assert pipeline.store.collections.get("c1").status == "cancelled"
    pipeline.simulator.configure(ebay_latency_s=0.0)
    assert pipeline.store.control.resume("c1") == 1
    assert pipeline.store.control.resume("c1") == 0
    assert pipeline.run("home-coffee").success
    assert pipeline.sellers() == set(pipeline.truth("home-coffee")["sellers"])
    searches = pipeline.simulator.stats()["searches"]
    assert sum(search["requests"] - 1 for search in searches) <= 5  # what was in flight when it stopped


def test_a_run_that_was_taken_over_stops(pipeline: Pipeline) -> None:
    pipeline.simulator.configure(ebay_latency_s=0.5)

    def take_over() -> None:
        with pipeline.store.engine.begin() as connection:
            connection.execute(sa.text("UPDATE collection_categories SET run_id = 'another'"))

    thread = paused_after(pipeline, 6, take_over)
    result = pipeline.run("home-coffee")
    thread.join()
    run = pipeline.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["stopped"] == "superseded"
    assert pipeline.store.collections.get("c1").status == "running"


def test_products_searched_a_short_while_ago_are_not_bought_again(pipeline: Pipeline) -> None:
    pipeline.run("home-coffee")
    before = pipeline.simulator.stats()["requests"]["ebay.search"]
    fresh = {"ops": {"ebay_listings": {"config": {"fresh_for_hours": 1}}}}
    again = materialized(pipeline.run("home-coffee", collection_id="c2", config=fresh), "ebay_listings")
    assert again["fresh"] == pipeline.truth("home-coffee")["searchable_product_count"]
    assert pipeline.simulator.stats()["requests"]["ebay.search"] == before
    other_band = {"ops": {"ebay_listings": {"config": {"fresh_for_hours": 1, "max_markup_percent": 130}}}}
    wider = materialized(pipeline.run("home-coffee", collection_id="c3", config=other_band), "ebay_listings")
    assert wider["fresh"] == 0
    with pipeline.store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE product_searches SET searched_at = searched_at - interval '2 hours'"))
    stale = materialized(pipeline.run("home-coffee", collection_id="c4", config=fresh), "ebay_listings")
    assert stale["fresh"] == 0


def test_a_collection_stops_before_its_cost_cap(pipeline: Pipeline) -> None:
    pipeline.store.collections.start(CollectionPlan("c1", ("home-coffee",), BandRule(), cost_cap=Decimal(9)))
    assert not pipeline.run("home-coffee").success
    collection = pipeline.store.collections.get("c1")
    assert collection.pause is not None
    assert (collection.pause.reason, int(collection.cost)) == ("budget_spent", 9)
    requests = pipeline.simulator.stats()["requests"]
    assert requests["oxylabs.realtime"] + requests["ebay.search"] == 9
    assert pipeline.store.control.resume("c1", cost_cap=Decimal(1000)) == 1
    assert pipeline.run("home-coffee").success
    assert pipeline.sellers() == set(pipeline.truth("home-coffee")["sellers"])


def test_best_seller_pages_that_came_are_not_fetched_again(pipeline: Pipeline) -> None:
    pipeline.simulator.set_faults(Fault("oxylabs.unauthorised_empty", nth=2))
    assert not pipeline.run("home-coffee").success
    pipeline.simulator.set_faults()
    pipeline.store.control.resume("c1")
    assert pipeline.run("home-coffee").success
    assert sorted(one["requests"] for one in pipeline.simulator.stats()["nodes"]) == [1, 2]
    assert pipeline.sellers() == set(pipeline.truth("home-coffee")["sellers"])


def test_every_call_is_in_the_ledger(pipeline: Pipeline) -> None:
    pipeline.simulator.set_faults(Fault("ebay.server_error", nth=2))
    pipeline.run("home-coffee")
    requests = pipeline.simulator.stats()["requests"]
    ledger = {
        (source, operation): calls
        for source, operation, calls in pipeline.rows(
            "SELECT source, operation, sum(calls) FROM api_usage GROUP BY 1, 2"
        )
    }
    assert ledger == {
        ("oxylabs", "best_sellers"): requests["oxylabs.realtime"],
        ("ebay", "search"): requests["ebay.search"],
        ("ebay", "token"): requests["ebay.token"],
    }


def test_a_band_of_ones_own_is_searched_and_stored(pipeline: Pipeline) -> None:
    band = {"min_markup_percent": 90, "max_markup_percent": 110}
    pipeline.run("home-coffee", config={"ops": {"ebay_listings": {"config": band}}})
    truth = pipeline.simulator.truth(NODES["home-coffee"], low="1.9", high="2.1")
    assert pipeline.sellers() == set(truth["sellers"])
    assert pipeline.rows("SELECT min_markup_percent::int, max_markup_percent::int FROM collections") == [(90, 110)]


def test_a_band_that_is_upside_down_is_refused_before_ebay_is_asked(pipeline: Pipeline) -> None:
    band = {"min_markup_percent": 120, "max_markup_percent": 80}
    assert not pipeline.run("home-coffee", config={"ops": {"ebay_listings": {"config": band}}}).success
    [failure] = pipeline.store.collections.failures("c1")
    assert (failure.reason, "upside down" in str(failure.error_message)) == ("configuration", True)
    assert "ebay.search" not in pipeline.simulator.stats()["requests"]


def test_a_run_by_hand_has_a_collection_and_its_tag(pipeline: Pipeline) -> None:
    result = pipeline.run("home-coffee", collection_id=None)
    collection_id = f"run-{result.run_id[:8]}"
    run = pipeline.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["collection_id"] == collection_id
    assert run.tags["data"] == "simulated"
    assert pipeline.store.collections.progress(collection_id).categories_total == 1


def test_events_are_the_same_in_the_table_and_in_dagster_in_order(pipeline: Pipeline) -> None:
    pipeline.simulator.set_faults(Fault("ebay.server_error", nth=3))
    result = pipeline.run("home-coffee")
    table = pipeline.rows("SELECT worker_id, action, product_name, items_count FROM activity_events ORDER BY id")
    seen = [
        (facts["worker"], facts["action"], facts.get("product"), facts.get("items"))
        for _, facts in worker_events(pipeline, result.run_id)
    ]
    assert seen == table
    assert {action for _, action, *_ in table} >= {"fetching", "found", "complete", "error", "deduped", "inserted"}


def test_a_rate_limited_worker_says_so_and_stands_out(pipeline: Pipeline) -> None:
    pipeline.simulator.set_faults(Fault("ebay.rate_limited", nth=2))
    result = pipeline.run("home-coffee")
    assert result.success
    [(attempt, error_type, params)] = pipeline.rows(
        "SELECT attempt, error_type, api_params FROM activity_events WHERE action = 'rate_limited'"
    )
    assert (attempt, error_type) == (1, "rate_limited")
    assert 5000 <= params["wait_ms"] <= 6250
    levels = {
        entry.level for entry, facts in worker_events(pipeline, result.run_id) if facts["action"] == "rate_limited"
    }
    assert levels == {30}


@pytest.mark.parametrize("simulator", [SMALL], indirect=True)
def test_an_assets_page_shows_its_materializations_and_not_what_workers_did(pipeline: Pipeline) -> None:
    result = pipeline.run("home-coffee")
    assert worker_events(pipeline, result.run_id)
    for asset in ("amazon_products", "ebay_listings", "ebay_sellers"):
        assert not pipeline.instance.fetch_observations(dg.AssetKey(asset), limit=10).records


def worker_events(pipeline: Pipeline, run_id: str) -> list[tuple[dg.EventLogEntry, Mapping[str, Any]]]:
    """What workers did, as a run's page shows it, with the facts of each event."""
    entries = pipeline.instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    of_steps = [entry for entry in entries if entry.step_key and "worker" in facts_of(entry)]
    return [(entry, facts_of(entry)) for entry in of_steps]


def facts_of(entry: dg.EventLogEntry) -> Mapping[str, Any]:
    metadata = entry.get_dagster_event().engine_event_data.metadata
    return {name: value.value for name, value in metadata.items()}


@pytest.mark.parametrize("simulator", [SMALL], indirect=True)
def test_the_count_is_kept_with_its_cause(pipeline: Pipeline) -> None:
    pipeline.run("home-coffee")
    by_hand = materialized(pipeline.run(None, collection_id=None, job="sellers_count"), "seller_count_snapshot")
    assert (by_hand["seller_count"], by_hand["cause"]) == (len(pipeline.sellers()), "manual")
    finish(pipeline.store, "c1")
    after = materialized(pipeline.run(None, job="sellers_count"), "seller_count_snapshot")
    assert (after["seller_count"], after["cause"], after["collection"]) == (len(pipeline.sellers()), "collection", "c1")


def test_an_implausible_list_is_fetched_anew_when_it_is_tried_again(pipeline: Pipeline) -> None:
    pipeline.run("home-coffee")
    pipeline.simulator.set_faults("oxylabs.short_page")
    assert not pipeline.run("home-coffee", collection_id="c2").success
    pipeline.simulator.set_faults()
    assert pipeline.run("home-coffee", collection_id="c2").success


def test_a_collection_goes_on_with_its_own_list_of_products(pipeline: Pipeline) -> None:
    pipeline.simulator.set_faults(Fault("ebay.access_denied", nth=5))
    assert not pipeline.run("home-coffee").success
    pipeline.simulator.set_faults()
    with pipeline.store.engine.begin() as connection:  # another collection has replaced the current list meanwhile
        connection.execute(sa.text("DELETE FROM amazon_products WHERE position > 3"))
    pipeline.store.control.resume("c1")
    assert pipeline.run("home-coffee").success
    outcomes = dict(pipeline.rows("SELECT status, count(*) FROM product_searches GROUP BY 1"))
    assert sum(outcomes.values()) == pipeline.truth("home-coffee")["product_count"]
    assert not {"planned", "failed"} & set(outcomes)


def test_logs_are_lines_of_json_on_request(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLLECTION_LOG_FORMAT", "json")
    assert pipeline.run("home-coffee").success
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith('{"timestamp"')]
    assert len(lines) == pipeline.rows("SELECT count(*) FROM activity_events")[0][0]
    assert {line["action"] for line in lines} >= {"fetching", "found", "complete", "inserted"}
