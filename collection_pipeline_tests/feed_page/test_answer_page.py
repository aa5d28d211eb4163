"""The answer page in a real browser, on a database of 50,000 sellers; benchmarks/answer_page.py has ten times that."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from benchmarks.answer_filling import fill_answer
from collection_pipeline.feed.access import ANSWER_VIEWS, FeedConfig
from collection_pipeline.tables.collecting import browsing as products
from collection_pipeline.tables.collecting.comparing import changed_query, timeline_query
from collection_pipeline.tables.schema.paging import PageReader
from collection_pipeline.tables.sellers import browsing, profiles
from collection_pipeline.tables.sellers.browsing import BrowsedSeller, SellerBrowser, SellerFilter, SellerSort
from collection_pipeline.tables.store import Store, open_store
from collection_pipeline_tests.conftest import copied
from collection_pipeline_tests.feed.serving import ask, serving
from collection_pipeline_tests.feed_page.conftest import WIDE, Complaints
from collection_pipeline_tests.tables.examples import rows

pytestmark = pytest.mark.xdist_group("answer_page")
"""Its tests share one database that takes seconds to fill."""

ORG, TOKEN, ACME = "default", "a-token-for-all", "a-token-of-acme"
HOSTILE = "<img src=x onerror=alert(1)>"
LOOKING = FeedConfig(has_simulated_data=True)
CONTROLLING = FeedConfig(token=TOKEN, org_tokens={"acme": ACME}, may_control=True)


@dataclass(frozen=True)
class Large:
    """A database of 50,000 sellers, and two servers on it: one that may only look, and one that may control."""

    store: Store
    looking: str
    controlling: str


@pytest.fixture(scope="module")
def large(server: sa.URL, collector: str) -> Iterator[Large]:
    database = copied(server, "template", "answer_page")
    with open_store(database) as store, open_store(database.set(username=collector)) as served:
        fill_answer(store.engine, 50_000)
        with store.engine.begin() as connection:
            connection.execute(
                sa.text("UPDATE sellers SET display_name = :name WHERE seller_key = 'seller-777'"), {"name": HOSTILE}
            )
            connection.execute(
                sa.text("""
                    INSERT INTO sellers (org_id, marketplace, seller_key, display_name)
                    VALUES ('acme', 'ebay', 'only-acme', 'Only Acme')
                """)
            )
        with serving(served, LOOKING) as looking, serving(served, CONTROLLING) as controlling:
            yield Large(store, looking, controlling)


@contextmanager
def opened(browser: Browser, width: int = WIDE["width"]) -> Iterator[Page]:
    """A page of its own. The test fails if the browser had anything to object to."""
    complaints = Complaints()
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.on("console", complaints.hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def names(page: Page) -> list[str]:
    return page.locator(".rows tbody th a").all_inner_texts()


def settled(page: Page) -> Page:
    expect(page.locator("#main:not([aria-busy])")).to_be_attached()
    expect(page.locator(".results[aria-busy]")).to_have_count(0)
    return page


# ---- the statements ------------------------------------------------------------------------------------------------


def plan(store: Store, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes of a statement's plan, as a page is read."""
    reader = PageReader(store.engine)
    with reader._reading() as connection:
        found = connection.execute(sa.text(f"EXPLAIN (FORMAT JSON) {query}"), {**values, "limit": 51}).scalar_one()

    def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for child in node.get("Plans", ()):
            yield from nodes(child)

    return list(nodes((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))


FILTERS = {
    "none": SellerFilter(),
    "words": SellerFilter(words="coffee star"),
    "category": SellerFilter(category="category-3"),
    "new_in": SellerFilter(new_in="weekly-40"),
    "products": SellerFilter(min_products=10),
    "match": SellerFilter(min_match=Decimal("0.9")),
    "flagged": SellerFilter(is_flagged=True),
    "exported": SellerFilter(is_exported=True),
    "removed": SellerFilter(status="removed"),
    "several": SellerFilter(words="coffee", category="category-3", is_exported=False, min_feedback=10),
}


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("sort", SellerSort)
def test_no_page_of_sellers_reads_a_table_whole(large: Large, wanted: SellerFilter, sort: SellerSort) -> None:
    query = browsing.page_query(ORG, wanted, sort, is_descending=True, after=None)
    assert not [node for node in plan(large.store, *query) if node["Node Type"] == "Seq Scan"]


@pytest.mark.parametrize("sort", SellerSort)
def test_a_page_of_the_whole_list_is_read_in_the_order_of_an_index(large: Large, sort: SellerSort) -> None:
    query = browsing.page_query(ORG, SellerFilter(), sort, is_descending=False, after=None)
    nodes = plan(large.store, *query)
    assert f"ix_sellers_by_{sort}" in {node.get("Index Name") for node in nodes}
    # What is sorted is at most the page itself, outside of the limit.
    inner = nodes[next(place for place, node in enumerate(nodes) if node["Node Type"] == "Limit") :]
    assert not [node for node in inner if node["Node Type"] == "Sort"]


def test_no_other_page_reads_a_table_whole(large: Large) -> None:
    queries = [
        profiles.listings_query(ORG, "ebay", "seller-5000", None),
        profiles.listings_query(ORG, "ebay", "seller-5000", None, Decimal("0.9")),
        *(
            products.page_query(ORG, category, words, sort, is_descending=True, after=None)
            for sort in (products.ProductSort.SELLERS, products.ProductSort.SPREAD)
            for category, words in ((None, None), ("category-3", None), (None, "coffee"), ("category-3", "dog"))
        ),
        timeline_query(ORG, None),
        changed_query(ORG, "weekly-39", "weekly-40", "came", None),
        changed_query(ORG, "weekly-39", "weekly-40", "left", None),
    ]
    for query in queries:
        assert not [node for node in plan(large.store, *query) if node["Node Type"] == "Seq Scan"]


@pytest.mark.parametrize("sort", SellerSort)
@pytest.mark.parametrize("is_descending", [False, True])
def test_the_pages_of_a_list_hold_every_seller_once_and_in_order(
    large: Large, sort: SellerSort, *, is_descending: bool
) -> None:
    browser, wanted = SellerBrowser(large.store.engine), SellerFilter(is_flagged=True)
    found = list[BrowsedSeller]()
    after: str | None = ""
    while after is not None:
        page = browser.page(ORG, wanted, sort, is_descending=is_descending, after=after or None, limit=7)
        found += page.rows
        after = page.next
    assert len({one.seller_key for one in found}) == len(found) == browser.count(ORG, wanted).count > 50
    if sort is SellerSort.PRODUCTS:
        products_of = [one.product_count for one in found]
        assert products_of == sorted(products_of, reverse=is_descending)
    if sort is SellerSort.NEWEST:
        moments = [one.first_seen_at for one in found]
        assert moments == sorted(moments, reverse=is_descending)


@pytest.mark.parametrize("sort", products.ListingSort)
@pytest.mark.parametrize("least", [None, Decimal("0.5")])
def test_the_pages_of_a_products_listings_hold_each_once_and_in_order(
    large: Large, sort: products.ListingSort, least: Decimal | None
) -> None:
    browser, asin = products.ProductBrowser(large.store.engine), "B000000105"
    found = list[products.ProductListing]()
    after: str | None = ""
    while after is not None:
        page = browser.listings(ORG, asin, after or None, 7, sort=sort, min_match=least)
        found += page.rows
        after = page.next
    condition = "true" if least is None else f"match >= {least}"
    [(count,)] = rows(large.store, f"SELECT count(*) FROM ebay_listings WHERE asin = '{asin}' AND {condition}")
    assert isinstance(count, int)
    assert len({one.listing_id for one in found}) == len(found) == count > 20
    current = [one for one in found if one.gone_at is None]
    assert found[: len(current)] == current
    if sort is products.ListingSort.MATCH:
        assert current == sorted(current, key=lambda one: -(-1 if one.match is None else one.match))
    else:
        assert current == sorted(current, key=lambda one: one.price)


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("sellers?after=nonsense", 400, "after"),
        ("sellers?after=WyIxIl0", 400, "after"),
        ("sellers?sort=feedback", 400, "first_seen"),
        ("sellers?flagged=maybe", 400, "yes or no"),
        ("sellers?since=yesterday", 400, "2026-01-31"),
        ("sellers?min_feedback_percent=NaN", 400, "number"),
        ("sellers?min_match=2", 400, "min_match"),
        ("product/listings?asin=B000000105&sort=best", 400, "match"),
        ("seller/listings?key=seller-5000&min_match=likely", 400, "min_match"),
        ("products?sort=position", 400, "category"),
        ("seller?key=nobody", 404, "nobody"),
        ("product?asin=none", 404, "none"),
        ("compare?first=weekly-40&second=none", 404, "none"),
        ("compare?first=weekly-40", 400, "second"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(large: Large, path: str, status: int, word: str) -> None:
    answer = ask.get(f"{large.looking}/api/answer/{path}")
    assert answer.status_code == status
    assert word in answer.json()["error"]


# ---- organisations and control -------------------------------------------------------------------------------------


def test_a_token_of_one_organisation_shows_that_one_alone(large: Large) -> None:
    def get(path: str, token: str) -> Any:
        return ask.get(f"{large.controlling}{path}", headers={"Authorization": f"Bearer {token}"})

    assert [one["seller_key"] for one in get("/api/answer/sellers", ACME).json()["rows"]] == ["only-acme"]
    assert get("/api/answer/sellers?org_id=default", ACME).status_code == 403
    assert get("/api/answer/seller?key=seller-1", ACME).status_code == 404
    assert get("/api/answer/collections", ACME).json()["rows"] == []
    assert get("/api/collections", ACME).json()["collections"] == []
    assert get("/api/collections/weekly-40/progress", ACME).status_code == 404
    assert get("/collections/weekly-40/activity", ACME).status_code == 404
    assert get("/metrics", ACME).status_code == 403
    assert get("/api/answer/compare?first=weekly-39&second=weekly-40", ACME).status_code == 404
    assert [one["seller_key"] for one in get("/api/answer/sellers?org_id=acme", TOKEN).json()["rows"]] == ["only-acme"]
    assert len(get("/api/answer/sellers", TOKEN).json()["rows"]) == 50
    removing = {"keys": ["seller-1"], "actor": "eve"}
    headers = {"Authorization": f"Bearer {ACME}"}
    refused = ask.post(f"{large.controlling}/api/answer/sellers/remove", headers=headers, json=removing)
    assert (refused.status_code, "not on the list" in refused.json()["error"]) == (409, True)


def test_a_server_that_may_only_look_changes_nothing(large: Large, browser: Browser) -> None:
    for name in ("flag", "remove", "export", "undo"):
        body = {"keys": ["seller-1"], "audit_id": 1, "actor": "eve"}
        assert ask.post(f"{large.looking}/api/answer/sellers/{name}", json=body).status_code == 403
    judging = {"asin": "B000000105", "keys": ["1-1"], "verdict": "confirm", "actor": "eve"}
    assert ask.post(f"{large.looking}/api/answer/listings/judge", json=judging).status_code == 403
    assert rows(large.store, "SELECT count(*) FROM listing_judgements WHERE actor = 'eve'") == [(0,)]
    with opened(browser) as page:
        page.goto(f"{large.looking}/answer/sellers")
        expect(page.locator("#view")).to_contain_text("You may only look")
        expect(page.locator(".rows input[type=checkbox]")).to_have_count(0)


# ---- in the browser ------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_sorted_and_paged_and_its_address_shows_a_colleague_the_same(
    large: Large, browser: Browser
) -> None:
    with opened(browser) as page:
        page.goto(f"{large.looking}/answer/sellers")
        expect(page.locator(".headline")).to_contain_text("More than 10,000 sellers")
        page.get_by_label("Name has a word that begins with").fill("coff")
        expect(page.locator(".headline")).not_to_contain_text("More than")
        page.get_by_role("button", name="Products").press("Enter")
        expect(page.locator("th[aria-sort=descending]")).to_contain_text("Products")
        page.get_by_text("Columns", exact=True).click()
        page.get_by_label("Key", exact=True).check()
        page.get_by_label("Categories", exact=True).uncheck()
        first = names(settled(page))
        page.get_by_role("button", name="Next page").click()
        expect(page.get_by_role("button", name="First page")).to_be_enabled()
        second = names(settled(page))
        assert len(first) == len(second) == 50
        assert not set(first) & set(second)
        assert all("coff" in name for name in first + second)
        heads = page.locator(".rows thead th").all_inner_texts()
        sent = page.url
        page.go_back()
        expect(page.get_by_role("button", name="First page")).to_be_disabled()
        assert names(settled(page)) == first
    with opened(browser) as colleague:
        colleague.goto(sent)
        expect(colleague.locator(".rows tbody tr")).to_have_count(50)
        assert names(settled(colleague)) == second
        assert colleague.locator(".rows thead th").all_inner_texts() == heads
        expect(colleague.get_by_label("Name has a word that begins with")).to_have_value("coff")


def test_names_are_shown_as_text(large: Large, browser: Browser) -> None:
    with opened(browser) as page:
        page.on("dialog", lambda _: pytest.fail("a name ran as a script"))
        page.goto(f"{large.looking}/answer/sellers?flagged=yes&q=onerror")
        expect(page.locator(".rows tbody th")).to_contain_text(HOSTILE)
        page.get_by_role("link", name=HOSTILE).click()
        expect(page.locator("#title")).to_have_text(HOSTILE)
        expect(page.locator("#view img")).to_have_count(0)


def test_listings_are_filtered_by_match_and_sorted_by_it_and_the_address_says_so(
    large: Large, browser: Browser
) -> None:
    with opened(browser) as page:
        page.goto(f"{large.looking}/answer/product?asin=B000000105")
        page.get_by_role("button", name="Match").click()
        expect(page.locator("th[aria-sort=descending]")).to_contain_text("Match")
        page.get_by_label("Match from").select_option("0.7")
        expect(page).to_have_url(f"{large.looking}/answer/product?asin=B000000105&sort=match&min_match=0.7")
        expect(settled(page).locator(".rows tbody tr").first).to_contain_text("the titles share")
        shown = page.locator("[data-column=match]").all_inner_texts()
        shares = [int(text.split(" ")[0]) for text in shown]
        assert shares == sorted(shares, reverse=True)
        assert shares[-1] >= 70
        expect(page.get_by_role("button", name="is the product")).to_have_count(0)
        page.goto(f"{large.looking}/answer/sellers?min_match=0.9&columns=best_match,matched")
        expect(page.get_by_label("Best match from")).to_have_value("0.9")
        best = settled(page).locator("[data-column=best_match]").all_inner_texts()
        assert len(best) == 50
        assert all(int(text.split(" ")[0]) >= 90 for text in best)


def test_people_say_which_listings_are_the_product_and_take_it_back(large: Large, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(f"{large.controlling}/answer/product?asin=B000000205&sort=match&token={TOKEN}")
        page.get_by_label("Your name, for the log").fill(HOSTILE)
        last = page.locator(".rows tbody tr").last
        last.get_by_role("button", name="is the product").click()
        first = page.locator(".rows tbody tr").first
        expect(first).to_contain_text(f"confirmed by {HOSTILE}")
        expect(first.locator("[data-column=match]")).to_contain_text("100 %")
        expect(page.locator("#view img")).to_have_count(0)
        [(is_same, actor)] = rows(large.store, "SELECT is_same, actor FROM listing_judgements")
        assert (is_same, actor) == (True, HOSTILE)
        first.get_by_role("button", name="Take back").click()
        expect(page.locator(".rows tbody")).not_to_contain_text("confirmed by")
        [(withdrawn,)] = rows(large.store, "SELECT withdrawn_at IS NOT NULL FROM listing_judgements")
        assert withdrawn


def test_selected_sellers_are_flagged_exported_removed_and_brought_back(large: Large, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(f"{large.controlling}/answer/sellers?new_in=weekly-12&token={TOKEN}")
        page.locator(".rows tbody .choose input").first.check()
        page.locator(".rows tbody .choose input").nth(1).check()
        expect(page.locator(".chosen")).to_contain_text("2 sellers selected")
        page.get_by_label("Your name, for the log").fill("Anna")
        page.get_by_role("button", name="Flag", exact=True).click()
        expect(page.locator(".notice[data-tone=done]")).to_contain_text("2 sellers flagged")
        expect(page.locator(".rows .flag")).to_have_count(2)
        [(actor, detail)] = rows(large.store, "SELECT actor, detail FROM seller_audit_log ORDER BY id DESC LIMIT 1")
        assert (actor, detail) == ("Anna", "on the answer page")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".notice[data-tone=done]")).to_contain_text("Taken back")
        settled(page).locator(".rows tbody .choose input").first.check()
        with page.expect_download() as kept:
            page.get_by_role("button", name="Export").click()
        key = rows(large.store, "SELECT seller_key FROM sellers WHERE exported_at > now() - interval '1 minute'")
        assert len(key) == 1
        assert str(key[0][0]) in kept.value.path().read_text()
        settled(page).locator(".rows tbody .choose input").first.check()
        name = names(page)[0]
        page.get_by_role("button", name="Remove…").click()
        page.get_by_role("button", name="Remove", exact=True).click()
        expect(page.locator(".notice[data-tone=done]")).to_contain_text("1 seller removed")
        assert name not in names(settled(page))
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".rows tbody")).to_contain_text(name)


def test_all_of_a_view_is_exported_with_what_is_known_of_each(large: Large, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(f"{large.controlling}/answer/sellers?flagged=yes&category=category-3&token={TOKEN}")
        expect(settled(page).locator(".rows")).to_be_visible()
        page.get_by_text("Export all of this view").click()
        page.get_by_label("Your name, for the log").fill("Anna")
        with page.expect_download() as kept:
            page.get_by_role("button", name="Export the view").click()
        exported = list(csv.DictReader(kept.value.path().read_text().splitlines()))
        wanted = SellerFilter(is_flagged=True, category="category-3")
        keys = SellerBrowser(large.store.engine).keys(ORG, wanted, 1_000)
        assert {row["seller_key"] for row in exported} == set(keys)
        assert len(exported) == len(keys) > 0
        assert all(row["is_simulated"] == "false" for row in exported)
        assert any(row["best_match"] for row in exported)
        expect(page.locator(".notice[data-tone=done]")).to_contain_text("The view was exported")


@pytest.mark.parametrize("width", [1280, 390])
def test_every_view_says_what_it_shows_and_fits_the_screen(large: Large, browser: Browser, width: int) -> None:
    values = {"seller": "?key=seller-5000", "product": "?asin=B000000105"}
    with opened(browser, width) as page:
        for view in ("", *ANSWER_VIEWS):
            page.goto(f"{large.looking}/answer{'/' if view else ''}{view}{values.get(view, '')}")
            expect(settled(page).locator("#title")).not_to_be_empty()
            expect(page.get_by_text("Simulated data")).to_be_visible()
            expect(page.locator("#trouble")).to_be_hidden()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            unnamed = "[...document.querySelectorAll('input,select')].filter((one) => one.labels.length === 0 && !one.ariaLabel).length"
            assert page.evaluate(unnamed) == 0
        page.goto(large.looking)
        expect(page.get_by_text("Simulated data")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_who_brings_no_token_is_asked_for_it_and_it_leaves_the_address(large: Large, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(f"{large.controlling}/answer/compare?token={TOKEN}")
        expect(page.locator("#title")).to_have_text("Two collections compared")
        assert "token" not in page.url
        page.get_by_role("button", name="Left").click()
        expect(page.get_by_text("seen by weekly-39, not by weekly-40")).to_be_visible()
        assert "change=left" in page.url
