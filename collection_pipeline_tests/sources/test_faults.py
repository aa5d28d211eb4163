"""Every fault that the simulator knows, and what the pipeline calls it."""

from collections.abc import Callable

import pytest

from collection_pipeline.core.errors import (
    FaultedJob,
    Garbled,
    Malformed,
    QuotaExhausted,
    RateLimited,
    Rejected,
    SourceError,
    Transient,
    Unauthorised,
)
from collection_pipeline.simulator.faults import FAULTS, Fault
from collection_pipeline.simulator.server import RunningSimulator
from collection_pipeline_tests.conftest import REPOSITORY
from collection_pipeline_tests.sources.asking import best_sellers, query_for, search, search_page

MEANINGS: dict[str, type[SourceError] | None] = {
    "ebay.rate_limited": RateLimited,
    "ebay.quota_exhausted": QuotaExhausted,
    "ebay.unauthorised": Unauthorised,
    "ebay.tokens_revoked": Unauthorised,
    "ebay.access_denied": Unauthorised,
    "ebay.forbidden_edge_403": Unauthorised,
    "ebay.server_error": Transient,
    "ebay.bad_gateway_html": Transient,
    "ebay.slow": None,
    "ebay.reset": Transient,
    "ebay.truncated_json": Garbled,
    "ebay.null_body": Garbled,
    "ebay.html_page": Garbled,
    "ebay.warning_unfiltered": Rejected,
    "ebay.offset_12515": Transient,
    "ebay.too_large_12023": Malformed,
    "ebay.bulk_threshold": Rejected,
    "ebay.bad_item": None,
    "ebay.token_refused": Unauthorised,
    "ebay.token_server_error": Transient,
    "oxylabs.faulted_613": FaultedJob,
    "oxylabs.faulted_400": FaultedJob,
    "oxylabs.faulted_204": FaultedJob,
    "oxylabs.timed_out_408": FaultedJob,
    "oxylabs.rate_limited": RateLimited,
    "oxylabs.unauthorised_empty": Unauthorised,
    "oxylabs.server_error": Transient,
    "oxylabs.gateway_524": Transient,
    "oxylabs.parse_failure_empty": Malformed,
    "oxylabs.parse_failure_12002": Malformed,
    "oxylabs.partial_12004": None,
    "oxylabs.parse_unknown_12007": Malformed,
    "oxylabs.short_page": None,
    "oxylabs.wrong_query": Malformed,
    "oxylabs.bad_row": None,
    "oxylabs.slow": None,
    "oxylabs.ebay_bot_wall": Malformed,
    "oxylabs.ebay_gallery": Malformed,
    "oxylabs.ebay_local_currency": Malformed,
    "oxylabs.reset": Transient,
    "oxylabs.truncated_json": Garbled,
    "oxylabs.null_body": Garbled,
    "oxylabs.html_page": Garbled,
}
"""None: the answer is good, late or partly unreadable, and is used."""


def test_no_fault_is_forgotten() -> None:
    assert set(MEANINGS) == set(FAULTS)


def test_the_document_lists_every_fault_with_its_kind_and_a_test_that_exists() -> None:
    document = (REPOSITORY / "docs" / "faults.md").read_text()
    rows = {cells[1].strip(" `"): cells for line in document.splitlines() if len(cells := line.split("|")) == 7}
    assert set(MEANINGS) <= set(rows)
    tests = "".join(file.read_text() for file in (REPOSITORY / "collection_pipeline_tests").rglob("test_*.py"))
    for fault, meaning in MEANINGS.items():
        _, _, looks, kind, _, shown_by, _ = rows[fault]
        assert looks.strip() == FAULTS[fault]
        assert kind.strip() == (meaning.__name__ if meaning else "–")
        assert f"def {shown_by.strip(' `')}(" in tests, fault


@pytest.mark.parametrize(("fault", "meaning"), MEANINGS.items())
def test_every_fault_has_its_kind(simulator: RunningSimulator, fault: str, meaning: type[SourceError] | None) -> None:
    query = query_for(simulator)
    simulator.set_faults(Fault(fault, seconds=0.1))

    def ask() -> object:
        if fault.startswith("oxylabs.ebay_"):
            return search_page(simulator, query)
        return search(simulator, query) if fault.startswith("ebay.") else best_sellers(simulator)

    require_meaning(ask, meaning)


PARSING = ("parse", "partial", "short_page", "wrong_query", "bad_row", "ebay_")
"""What can only happen to a page that Oxylabs parses itself, and what was tried already."""


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        (fault, meaning)
        for fault, meaning in MEANINGS.items()
        if fault.startswith("oxylabs.") and not fault.removeprefix("oxylabs.").startswith(PARSING)
    ],
)
def test_a_job_that_fetches_an_ebay_page_fails_as_any_other(
    simulator: RunningSimulator, fault: str, meaning: type[SourceError] | None
) -> None:
    query = query_for(simulator)
    simulator.set_faults(Fault(fault, seconds=0.1))
    require_meaning(lambda: search_page(simulator, query), meaning)


def require_meaning(ask: Callable[[], object], meaning: type[SourceError] | None) -> None:
    if meaning is None:
        ask()
        return
    with pytest.raises(meaning) as raised:
        ask()
    assert type(raised.value) is meaning
    assert "hunter" not in str(raised.value) + repr(raised.value) + str(raised.value.url)
    assert raised.value.url


def test_one_bad_row_never_costs_the_page(simulator: RunningSimulator) -> None:
    whole = best_sellers(simulator)
    simulator.set_faults("oxylabs.bad_row")
    page = best_sellers(simulator)
    assert len(page.products) >= len(whole.products) - 1
    assert len(page.bad_rows) == 1
    assert "no ASIN" in page.bad_rows[0]


def test_one_bad_item_never_costs_the_page(simulator: RunningSimulator) -> None:
    query = query_for(simulator)
    whole = search(simulator, query)
    simulator.set_faults("ebay.bad_item")
    page = search(simulator, query)
    assert page.unreadable == 1
    assert len(page.listings) >= len(whole.listings) - 1


def test_a_partly_read_page_is_used_and_says_so(simulator: RunningSimulator) -> None:
    simulator.set_faults("oxylabs.partial_12004")
    page = best_sellers(simulator)
    assert page.is_partial
    assert page.products


def test_an_unauthorised_answer_names_the_settings(simulator: RunningSimulator) -> None:
    simulator.set_faults("oxylabs.unauthorised_empty", "ebay.token_refused")
    with pytest.raises(Unauthorised, match="OXYLABS_USERNAME and OXYLABS_PASSWORD"):
        best_sellers(simulator)
    with pytest.raises(Unauthorised, match="EBAY_CLIENT_ID and EBAY_CLIENT_SECRET"):
        search(simulator, query_for(simulator))
