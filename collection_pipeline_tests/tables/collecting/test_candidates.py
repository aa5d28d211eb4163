"""The plan on the tables: what a product's past is read from, what a run leaves out, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from collection_pipeline.actions.starting import CollectionRequest, estimate_collection, start_collection
from collection_pipeline.core.catalogue import Catalogue, Category
from collection_pipeline.core.collecting.category_work import CategoryWork
from collection_pipeline.core.collecting.listings import Listing, ListingMatch
from collection_pipeline.core.collecting.planning.candidates import Candidate
from collection_pipeline.core.collecting.planning.correcting import DOUBT
from collection_pipeline.core.collecting.planning.expecting import FirstSearches
from collection_pipeline.core.collecting.planning.shares import PRODUCTS_OF_A_LIST
from collection_pipeline.core.collecting.products import Product
from collection_pipeline.core.collecting.searches import SearchPlan, SearchStatus
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import BandRule
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import BAND, ORG, collect, done, finish, listing, product, rows, start

A, B, C = "B000000001", "B000000002", "B000000003"
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def month(store: Store, collection_id: str, found: dict[str, list[Listing]], category: str = "books") -> None:
    """A collection, a month after the one before."""
    a_month_passes(store)
    start(store, collection_id, category)
    collect(store, collection_id, category, found)
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE collections SET status = 'completed'"))


def a_month_passes(store: Store) -> None:
    with store.engine.begin() as connection:
        for table, column in (("product_searches", "searched_at"), ("amazon_product_history", "seen_at")):
            connection.execute(sa.text(f"UPDATE {table} SET {column} = {column} - interval '30 days'"))


def candidates(store: Store, **changes: Any) -> dict[str, Candidate]:
    wanted = {"org_id": ORG, "band": BAND, "categories": ["books"], **changes}
    return {each.asin: each for each in store.candidates.of_categories(**wanted)}


def plan_run(store: Store, collection_id: str, *products: Product, fresh_for: timedelta | None = None) -> SearchPlan:
    store.control.enter(collection_id, "books", "run", org_id=ORG)
    store.products.replace(ORG, collection_id, "books", products, calls=1)
    return store.searches.plan(CategoryWork(ORG, collection_id, "books", "run"), fresh_for=fresh_for)


def reasons(store: Store, collection_id: str) -> dict[Any, Any]:
    query = f"SELECT asin, reason FROM product_searches WHERE collection_id = '{collection_id}' AND status = 'skipped'"
    return dict(rows(store, query))  # type: ignore[arg-type]


def test_a_products_past_is_what_its_searches_brought(store: Store) -> None:
    month(store, "c1", {A: [listing("1", "ann"), listing("2", "bob")], B: [listing("3", "ann")], C: []})
    month(
        store,
        "c2",
        {A: [listing("1", "ann"), listing("4", "cid"), listing("5", "dot")], B: [listing("6", "cid")], C: []},
    )
    found = candidates(store)
    past = found[A].past
    assert past is not None
    assert (past.searches, past.found, past.calls, past.empty_in_a_row) == (2, 2.5, 1, 0)
    assert (round(past.first_days_ago), round(past.last_days_ago)) == (30, 0)
    # Ann came with two products of the first collection, Cid with two of the second.
    assert (past.arrived, past.first_new, past.later_new) == (2, 1.5, 1.5)
    assert found[A].band == BAND.band(product(A).price)  # type: ignore[arg-type]
    assert found[A].age_days == pytest.approx(30, abs=0.1)
    assert (found[C].past or past).empty_in_a_row == 2


def test_merging_again_credited_the_same(store: Store) -> None:
    credited = "SELECT asin, arrived, new_sellers FROM product_searches ORDER BY 1"
    month(store, "c1", {A: [listing("1", "ann")], B: [listing("2", "ann")]})
    once = rows(store, credited)
    store.sellers.merge(ORG, "c1", "books", actor="run")
    assert rows(store, credited) == once
    assert [tuple(map(str, row[1:])) for row in once] == [("1", "0.50"), ("1", "0.50")]


def test_what_the_categories_of_a_collection_are_credited_with_adds_up_to_what_it_brought(store: Store) -> None:
    start(store, "c1", "books", "toys")
    collect(store, "c1", "books", {A: [listing("1", "ann"), listing("2", "bob")], B: [listing("3", "ann")]})
    collect(store, "c1", "toys", {C: [listing("4", "ann"), listing("5", "cid")]})
    credited = "SELECT asin, arrived, new_sellers FROM product_searches ORDER BY 1"
    assert [tuple(map(str, row)) for row in rows(store, credited)] == [
        (A, "2", "1.50"),
        (B, "1", "0.50"),
        (C, "2", "1.00"),  # Ann came to this product too, and had been brought before
    ]
    assert store.candidates.first_searches(ORG) == FirstSearches(3, 3.0)
    assert store.candidates.first_searches("other") == FirstSearches(0, 0.0)
    month(store, "c2", {A: [listing("1", "ann"), listing("9", "dot")]})
    assert store.candidates.first_searches(ORG) == FirstSearches(3, 3.0)  # the product was searched before


def test_searches_are_credited_with_listings_that_count_as_evidence_only(store: Store) -> None:
    likely = replace(listing("1", "ann"), match=ListingMatch(Decimal("0.9"), "same model"))
    accessory = replace(listing("2", "bob"), match=ListingMatch(Decimal("0.1"), "for the product"))
    month(store, "c1", {A: [likely, accessory], B: [accessory]})
    credited = "SELECT asin, arrived, new_sellers FROM product_searches ORDER BY 1"
    assert [row[1] for row in rows(store, credited)] == [2, 1]
    store.sellers.merge(ORG, "c1", "books", actor="run", evidence_match=0.5)
    assert [row[1] for row in rows(store, credited)] == [1, 0]


def test_what_was_expected_and_came_is_told_of_collections_that_ended(store: Store) -> None:
    store.catalogue.load(Catalogue({"books": Category("books", "Books", "1", "books", "Books")}, {}))
    for name in ("first", "second"):
        a_month_passes(store)
        started = start_collection(store, ORG, CollectionRequest(categories=("books",), name=name), NOW)
        assert not started.plan.choices or started.plan.expected.doubt == DOUBT[0]
        collect(store, name, "books", {A: [listing(name, f"seller of {name}")]})
        assert len(store.candidates.outcomes(ORG)) == (name == "second")  # the one at work is not over
        finish(store, name)
        store.snapshots.of_collection(name)
    first, second = store.candidates.outcomes(ORG)
    assert (first.came, second.came) == (1, 1)
    assert first.expected > second.expected > 0
    assert store.candidates.outcomes("other") == []


def test_searches_in_another_band_or_of_another_organisation_are_no_past(store: Store) -> None:
    month(store, "c1", {A: [listing("1", "ann")]})
    assert candidates(store)[A].past is not None
    wider = replace(BAND, max_markup_percent=BandRule().max_markup_percent + 10)
    assert candidates(store, band=wider)[A].past is None
    assert len(candidates(store, org_id="other")) == PRODUCTS_OF_A_LIST


def test_products_that_cannot_be_searched_are_no_candidates(store: Store) -> None:
    start(store, "c1", "books")
    plan_run(store, "c1", product(A), product(B, 2, price=None))
    assert candidates(store).keys() == {A}


def test_a_run_keeps_to_its_share_and_searches_what_promises_most_first(store: Store) -> None:
    lively = [[listing(f"{month}{seller}", f"s{month}{seller}") for seller in range(9)] for month in (1, 2, 3)]
    for number, offers in enumerate(lively):
        month(store, f"c{number}", {A: [listing("1", "ann")], B: offers, C: []})
    a_month_passes(store)
    store.catalogue.load(Catalogue({"books": Category("books", "Books", "1", "books", "Books")}, {}))
    started = start_collection(store, ORG, CollectionRequest(categories=("books",), name="next", budget=1), NOW)
    assert [each.candidate.asin for each in started.plan.choices] == [B]
    assert round(store.collections.expected("next") or 0) == round(started.plan.expected.mean) > 0
    assert store.collections.expected("unheard-of") is None
    assert store.collections.expected_of("next", "books") == store.collections.expected("next")
    assert store.collections.expected_of("next", "toys") is None
    made = plan_run(store, "next", product(A), product(B, 2), product(C, 3), product("B000000004", 4, price=None))
    assert made.budget == 1
    assert [search.asin for search in made.pending] == ["B000000004", B]
    assert reasons(store, "next") == {A: "over_budget", C: "over_budget"}
    store.searches.checkpoints(ORG, "next").record(done(B), [listing("9", "new")])
    again = store.searches.plan(CategoryWork(ORG, "next", "books", "run"))
    assert (again.budget, [search.asin for search in again.pending]) == (0, ["B000000004"])
    store.sellers.merge(ORG, "next", "books", actor="run")
    result = (
        "SELECT budget_calls, planned_searches, searches, calls, new_sellers, left_out FROM collection_plan_results"
    )
    assert rows(store, result) == [(1, 1, 1, 1, 1, {"over_budget": 2})]


def test_what_the_budget_did_not_reach_is_left_out_at_the_end(store: Store) -> None:
    start(store, "c1", "books")
    made = plan_run(store, "c1", product(A), product(B, 2))
    work = CategoryWork(ORG, "c1", "books", "run")
    store.searches.leave_out_rest(work, made)
    assert reasons(store, "c1") == {}
    store.searches.checkpoints(ORG, "c1").record(done(A, SearchStatus.FAILED, "transient"), [])
    store.searches.leave_out_rest(work, replace(made, budget=1))
    assert reasons(store, "c1") == {B: "over_budget"}
    assert store.searches.pending("c1", "books") == {A: 1}


def test_fresh_products_and_doubles_are_left_out(store: Store) -> None:
    month(store, "c1", {A: [listing("1", "ann")]})
    start(store, "c2", "books")
    double = replace(product(C, 3), title=product(B).title)
    made = plan_run(store, "c2", product(A), product(B, 2), double, fresh_for=timedelta(hours=1))
    assert [search.asin for search in made.pending] == [B]
    assert reasons(store, "c2") == {A: "fresh", C: "same_title"}


def test_an_estimate_tells_the_plan_and_starts_nothing(store: Store) -> None:
    store.catalogue.load(Catalogue({"books": Category("books", "Books", "1", "books", "Books")}, {}))
    request = CollectionRequest(categories=("books",), budget=30)
    estimate, plan = estimate_collection(store, ORG, request, NOW)
    assert (estimate.calls["ebay"], plan.calls, plan.reasons["over_budget"]) == (30, 30, PRODUCTS_OF_A_LIST - 30)
    assert rows(store, "SELECT count(*) FROM collection_plans") == [(0,)]
    with pytest.raises(PipelineError, match="A budget of 0 calls"):
        estimate_collection(store, ORG, replace(request, budget=0), NOW)
