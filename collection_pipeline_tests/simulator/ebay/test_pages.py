"""eBay's result pages as the simulator serves them: what docs/sources.md 3 measured on recorded ones."""

from __future__ import annotations

import re

from collection_pipeline.simulator.ebay.pages import LOOSE_SELLER
from collection_pipeline_tests.simulator.asking import NODE, Asking, cleaned


def pages(ask: Asking) -> list[str]:
    truth = ask.simulator.truth(NODE)["products"].values()
    return [ask.result_page(cleaned(product["title"])) for product in truth if product["listings"]]


def test_every_page_begins_with_two_placeholders(ask: Asking) -> None:
    assert all(page.count("123456") == 2 for page in pages(ask))


def test_both_layouts_top_rated_rows_dividers_and_bare_attributes_are_met(ask: Asking) -> None:
    found = pages(ask)
    signs = ("s-card", "s-item", "Top Rated Plus", "tooltip__overlay", "s-card__new-listing", "s-item__etrs-text")
    for sign in (*signs, "mi:1706", "mi:4721", "class=s-", LOOSE_SELLER):
        assert 0 < sum(sign in page for page in found) < len(found), sign
    for page in found:
        above, _, below = page.partition("mi:1706")
        assert LOOSE_SELLER not in above
        assert not below or LOOSE_SELLER in below
        assert page.index("/itm/123456") < page.index("srp-results"), "placeholders stand in front of the list"


def test_pages_follow_one_another_as_long_as_there_is_a_next(ask: Asking) -> None:
    numbers: set[str] = set()
    for page in range(1, 100):
        html = ask.result_page("coffee", _pgn=str(page), _ipg="60")
        shown = re.findall(r"/itm/(\d+)", html.partition("mi:1706")[0])
        assert 0 < len(shown) <= 60 + 2
        numbers |= set(shown)
        if "pagination__next icon-link" not in html:
            break
    assert len(numbers) > 60


def test_a_page_that_nothing_answers_says_so(ask: Asking) -> None:
    assert '<span class="BOLD">0</span> results' in ask.result_page("nothing is called like this")


def test_another_address_than_a_search_is_refused(ask: Asking) -> None:
    body = {"source": "ebay", "url": "https://www.ebay.com/itm/1"}
    response = ask.http.post(f"{ask.simulator.oxylabs_url}/v1/queries", auth=("u", "p"), json=body)
    assert (response.status_code, response.json()["message"]) == (400, "Unsupported url.")
