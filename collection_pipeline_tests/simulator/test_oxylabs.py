"""Oxylabs' wire format: docs/sources.md 2.1 to 2.3, and its official sample."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import running
from collection_pipeline.simulator.world.products import Products
from collection_pipeline_tests.simulator.asking import NODE, Asking

SAMPLE = Path(__file__).parents[3] / "shared/wire/oxylabs_amazon_bestsellers_sample.json"
SIZES = Products(SimulatorConfig())


def test_a_page_is_done_parsed_and_asked_for(ask: Asking) -> None:
    response = ask.node()
    body = response.json()
    [result] = body["results"]
    assert response.status_code == 200
    assert body["job"]["status"] == "done"
    assert len(body["job"]) == 34
    assert (result["status_code"], result["type"], result["page"]) == (200, "parsed", 1)
    assert re.fullmatch(r"\d{19}", result["job_id"])
    assert result["job_id"] == body["job"]["id"] == response.headers["x-oxylabs-job-id"]
    content = result["content"]
    assert (content["query"], content["page"], content["pages"]) == (NODE, 1, 2)
    assert content["parse_status_code"] == 12000
    row = content["results"][0]
    assert re.fullmatch(r"[A-Z0-9]{10}", row["asin"])
    assert row["url"].startswith("/")
    assert f"ref=zg_bs_{NODE}_{row['pos']}" in row["url"]


@pytest.mark.skipif(not SAMPLE.exists(), reason="the vendor's sample is not part of the repository")
def test_fields_are_those_of_the_official_sample(ask: Asking) -> None:
    sample = json.loads(SAMPLE.read_text())["results"][0]
    result = ask.node().json()["results"][0]
    assert sample.keys() <= result.keys()
    assert sample["content"].keys() == result["content"].keys()
    assert list(sample["content"]["results"][0]) == list(result["content"]["results"][0])


def test_pages_hold_38_to_50_rows_with_gaps_one_asin_twice_and_both_ways_to_number_page_two() -> None:
    pages = [SIZES.pages(str(node)) for node in range(40)]
    sizes = {len(page) for both in pages for page in both}
    assert min(sizes) == 38
    assert max(sizes) == 50
    assert any(page[-1].pos > len(page) for both in pages for page in both), "no gaps in positions"
    assert {both[1][0].pos > 50 for both in pages} == {True, False}
    for both in pages:
        counts = Counter(row.product.asin for page in both for row in page)
        assert sorted(counts.values())[-2:] == [1, 2]


def test_prices_come_as_numbers_texts_zero_and_null_and_whole_dollars_as_integers(ask: Asking) -> None:
    rows = [row for node in range(60) for row in ask.rows(str(node))]
    kinds = {type(row["price"]) for row in rows}
    assert kinds == {int, float, str, type(None)}
    unseen = [row for row in rows if row["price"] in (0, "", None)]
    assert 0.02 < len(unseen) / len(rows) < 0.12
    assert all(row["price_str"] == "" and row["price_upper"] == 0 for row in unseen)
    assert any(isinstance(row["price"], int) and row["price"] >= 100 for row in rows)
    assert any(" - $" in row["price_str"] and row["price_upper"] for row in rows)


def test_titles_are_awkward_and_cut_at_125_characters(ask: Asking) -> None:
    titles = [row["title"] for node in range(30) for row in ask.rows(str(node))]
    assert max(map(len, titles)) == 125
    for sign in ('"', ",", "[", "(", "🔥", "コ", "<b>", "&", "*", "'"):
        assert any(sign in title for title in titles), f"no title with {sign}"


@pytest.mark.parametrize("node", ["99900001", "not-a-node"])
def test_an_unknown_node_is_done_billed_and_empty(ask: Asking, node: str) -> None:
    body = ask.node(node).json()
    assert body["job"]["status"] == "done"
    assert body["results"][0]["content"]["results"] == []
    assert ask.simulator.stats()["oxylabs_billed_pages"] == 1
    assert "Best undefined" in ask.node(node, parse=False).json()["results"][0]["content"]


def test_a_page_beyond_the_last_faults_within_http_200(ask: Asking) -> None:
    response = ask.node(start_page=3)
    assert response.status_code == 200
    assert response.json()["job"]["status"] == "faulted"
    assert (response.json()["results"][0]["status_code"], response.json()["results"][0]["content"]) == (613, "")
    assert ask.node(render="").json()["job"]["status"] == "faulted"
    assert ask.simulator.stats()["oxylabs_billed_pages"] == 0


def test_several_pages_are_one_entry_each(ask: Asking) -> None:
    assert [entry["page"] for entry in ask.node(pages=2).json()["results"]] == [1, 2]
    assert [entry["status_code"] for entry in ask.node(pages=3).json()["results"]] == [200, 200, 613]


def test_parse_yes_is_silently_false_and_unknown_keys_are_ignored(ask: Asking) -> None:
    [result] = ask.node(parse="yes", flavour="mint").json()["results"]
    assert result["type"] == "raw"
    assert result["content"].startswith("<!DOCTYPE html>")


def test_a_missing_render_is_forced(ask: Asking) -> None:
    response = ask.node(render=None)
    assert response.json()["results"][0]["is_render_forced"] is True
    assert not any("render-requests" in name for name in response.headers)
    assert any("render-requests" in name for name in ask.node().headers)


def test_key_order_varies(ask: Asking) -> None:
    assert len({tuple(ask.node().json()["results"][0]) for _ in range(8)}) > 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "amazon_dreams"}, "Unsupported source."),
        ({"locale": "xx"}, "Unsupported `locale` value for `domain` `com`. Supported locales are: en_US"),
        ({"pages": "two"}, "Parameter `pages` is invalid."),
    ],
)
def test_a_wrong_request_gets_the_envelope_of_errors(ask: Asking, change: dict[str, object], message: str) -> None:
    response = ask.node(**change)
    assert response.status_code == 400
    assert response.json()["message"].startswith(message)
    assert response.json().keys() == {"message", "instance", "timestamp", "trace_id"}
    assert response.json()["instance"] == "/v1/queries"


def test_broken_json_and_a_missing_query(ask: Asking) -> None:
    url = f"{ask.simulator.oxylabs_url}/v1/queries"
    broken = ask.http.post(url, auth=("a", "b"), content=b"{nope")
    assert (broken.status_code, broken.json()["message"]) == (400, "Json error: Unexpected value.")
    missing = ask.node(query=None)
    assert (missing.status_code, missing.json()) == (400, {"errors": ["[query]: This field is missing."]})


def test_no_header_is_a_json_401_and_bad_credentials_an_empty_one(ask: Asking) -> None:
    url = f"{ask.simulator.oxylabs_url}/v1/queries"
    without = ask.http.post(url, json={})
    assert (without.status_code, without.json()["message"]) == (401, "Authorization header not provided.")
    wrong = ask.http.post(url, json={}, auth=("user", ""))
    assert (wrong.status_code, wrong.content) == (401, b"")
    assert "content-type" not in wrong.headers
    assert "date" not in wrong.headers


def test_only_the_expected_credentials_open_where_some_are_expected(ask: Asking) -> None:
    ask.simulator.configure(oxylabs_credentials=["user", "other"], ebay_credentials=["id", "other"])
    assert ask.node().status_code == 401
    assert ask.token_response().status_code == 401
    assert ask.token_response(auth=("id", "other")).status_code == 200


def test_more_than_a_second_holds_is_429_without_retry_after_and_pages_count(ask: Asking) -> None:
    ask.simulator.configure(oxylabs_rate_per_s=5)
    first = ask.node(pages=2)
    limits = {name: value for name, value in first.headers.items() if name.startswith("x-ratelimit-total-requests-")}
    assert sorted(limits.values()) == ["3", "5"]
    assert all(re.search(r"-[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}-(limit|remaining)$", name) for name in limits)
    answers = [first, *(ask.node(pages=2) for _ in range(2))]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["message"] == "Too many requests. (Total Dynamic)."
    assert "retry-after" not in answers[-1].headers


def test_a_pushed_job_is_pending_then_done_then_expired_told_only_by_a_header(ask: Asking) -> None:
    ask.simulator.configure(amazon_latency_s=100)
    response = ask.push("")
    assert response.status_code == 202
    job = response.json()
    assert job["status"] == "pending"
    assert [link["rel"] for link in job["_links"]] == ["self", "results"]
    assert job["_links"][0]["href"].startswith("http://data.oxylabs.io/")
    seen = []
    for offset in (0, 101, 90_000):
        ask.simulator.configure(clock_offset_s=offset)
        results = ask.pull(f"{job['id']}/results")
        seen.append((results.status_code, results.headers["x-oxylabs-job-status"]))
    assert seen == [(204, "pending"), (200, "done"), (204, "done")]
    assert ask.pull(job["id"]).json()["status"] == "done"


def test_pushed_results_are_those_of_realtime(ask: Asking) -> None:
    job = ask.push("").json()["id"]
    pushed = ask.pull(f"{job}/results").json()["results"][0]["content"]
    assert pushed == ask.node().json()["results"][0]["content"]
    assert ask.pull(f"{job}/results?type=raw").json()["results"][0]["type"] == "raw"
    assert ask.pull(f"{job}/results/1/content").json() == pushed


def test_a_faulted_job_may_have_no_results_at_all(ask: Asking) -> None:
    ask.simulator.set_faults("oxylabs.faulted_204")
    results = ask.pull(f"{ask.push('').json()['id']}/results")
    assert (results.status_code, results.headers["x-oxylabs-job-status"]) == (204, "faulted")


def test_a_batch_lists_wrong_values_beside_its_jobs(ask: Asking) -> None:
    response = ask.push("/batch", query=["1", "", "2"])
    assert response.status_code == 202
    assert [job["query"] for job in response.json()["queries"]] == ["1", "2"]
    assert response.json()["errors"] == [{"message": "Parameter `query` is invalid.", "query": ""}]
    hopeless = ask.push("/batch", query=["1", "2"], source="nope")
    assert hopeless.status_code == 202
    assert hopeless.json() == {"queries": [], "errors": [{"message": "Unsupported source."}] * 2}


def test_unknown_jobs(ask: Asking) -> None:
    assert ask.pull("7000000000000000001").json()["message"] == "Query not found."
    assert ask.pull(ask.node().json()["job"]["id"]).status_code == 404, "Realtime jobs cannot be looked up"
    assert ask.pull("abc").json() == {"message": "Resource not found"}


def test_a_category_id_that_is_no_number_never_ends(ask: Asking) -> None:
    context = [{"key": "category_id", "value": "kitchen"}]
    assert ask.node(context=context).status_code == 408
    assert ask.pull(ask.push("", context=context).json()["id"]).json()["status"] == "pending"


@pytest.mark.parametrize(("page_two", "first"), [("continues", 9), ("restarts", 1)])
def test_how_page_two_is_numbered_can_be_set(page_two: str, first: int) -> None:
    config = SimulatorConfig(products_per_page=8, page_two=page_two)  # type: ignore[arg-type]
    with running(config) as simulator:
        [page] = Asking(simulator).node("4", start_page=2).json()["results"]
        assert page["content"]["results"][0]["pos"] - first in (0, 1)
