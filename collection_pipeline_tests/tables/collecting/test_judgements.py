"""What people say of listings: it wins over the match, outlives collections, can be taken back and handed on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from collection_pipeline.core.collecting.product_match import matched
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.retention import RULES, Purge
from collection_pipeline.tables.collecting.judgements import JudgedPair
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.collecting.test_matches import OVERVIEW, execute, like
from collection_pipeline_tests.tables.examples import ORG, collect, done, listing, rows, start
from collection_pipeline_tests.waiting import await_true

ASIN, OTHER = "B000000001", "B000000002"
SHOWN = "SELECT listing_id, match, match_reasons FROM ebay_listings ORDER BY asin, listing_id"
LOG = "SELECT listing_id, is_same, reason, actor, withdrawn_by FROM listing_judgements ORDER BY id"
ANN, BOB = like("1", "ann", "0.200"), like("2", "bob", "0.900")


@pytest.fixture
def judged(store: Store) -> Store:
    """Two listings of a product, of which one was confirmed and the other rejected."""
    start(store, "c1", "books")
    collect(store, "c1", "books", {ASIN: [ANN, BOB]})
    assert store.judgements.judge(ORG, ["1"], "eve", is_same=True, reason="same box") == 1
    assert store.judgements.judge(ORG, ["2"], "eve", is_same=False) == 1
    return store


def test_a_persons_word_wins_at_once_and_after_the_next_collection(judged: Store) -> None:
    said = [("1", Decimal(1), "confirmed by eve: same box"), ("2", Decimal(0), "rejected by eve")]
    assert rows(judged, SHOWN) == said
    assert rows(judged, OVERVIEW) == [("ann", 1, Decimal(1)), ("bob", 0, Decimal(0))]
    start(judged, "c2", "books")
    collect(judged, "c2", "books", {ASIN: [ANN, BOB, like("3", "cid", "0.400")]})
    assert rows(judged, SHOWN) == [*said, ("3", Decimal("0.400"), "a reason")]
    assert judged.quality.wrong_figures(ORG, "books") == []


def test_it_waits_for_a_page_that_is_being_written_and_wins_over_it(judged: Store) -> None:
    judged.judgements.withdraw(ORG, ["1"], "eve")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    another = create_engine(judged.engine.url)
    with ThreadPoolExecutor(2) as threads, another.connect() as other:
        # The page has begun, knows of no judgement, and has not come to its listings yet.
        other.execute(sa.text("SELECT FROM product_searches WHERE asin = :asin FOR UPDATE"), {"asin": ASIN})
        page = threads.submit(judged.searches.checkpoints(ORG, "c1").record, done(ASIN), [ANN, BOB])
        await_true(lambda: rows(judged, waiting) == [(1,)])
        word = threads.submit(judged.judgements.judge, ORG, ["1"], "eve", is_same=True)
        await_true(lambda: word.done() or rows(judged, waiting) == [(2,)])
        other.rollback()
        page.result()
        word.result()
    another.dispose()
    assert rows(judged, SHOWN)[0] == ("1", Decimal(1), "confirmed by eve")


def test_it_also_wins_when_the_listing_comes_back_after_it_was_purged(judged: Store) -> None:
    execute(judged, "DELETE FROM ebay_listings")
    start(judged, "c2", "books")
    collect(judged, "c2", "books", {ASIN: [ANN, BOB]})
    assert [row[1] for row in rows(judged, SHOWN)] == [1, 0]


def test_it_counts_for_its_organisation_and_product_alone(judged: Store) -> None:
    start(judged, "c2", "toys")
    collect(judged, "c2", "toys", {OTHER: [ANN]})
    assert rows(judged, SHOWN)[-1] == ("1", Decimal("0.200"), "a reason")
    with pytest.raises(PipelineError, match="found for 2 products"):
        judged.judgements.judge(ORG, ["1"], "eve", is_same=False)
    assert judged.judgements.judge(ORG, ["1"], "eve", is_same=False, asin=OTHER) == 1
    assert [row[1] for row in rows(judged, SHOWN)] == [1, 0, 0]
    with pytest.raises(PipelineError, match="there is no listing"):
        judged.judgements.judge("acme", ["1"], "eve", is_same=False)


def test_judged_anew_the_last_word_is_in_force_and_the_first_is_remembered(judged: Store) -> None:
    judged.judgements.judge(ORG, ["1", "2"], "dan", is_same=False, reason="other year")
    assert [row[1:] for row in rows(judged, SHOWN)] == [(Decimal(0), "rejected by dan: other year")] * 2
    assert rows(judged, LOG) == [
        ("1", True, "same box", "eve", "dan"),
        ("2", False, None, "eve", "dan"),
        ("1", False, "other year", "dan", None),
        ("2", False, "other year", "dan", None),
    ]


def test_taken_back_the_listing_shows_what_its_title_says(judged: Store) -> None:
    assert judged.judgements.withdraw(ORG, ["1", "2"], "dan") == 2
    expected = [one.match for one in matched(f"Title of {ASIN}", [ANN, BOB])]
    assert rows(judged, SHOWN) == [
        (str(number), one.probability, one.reasons) for number, one in enumerate(expected, start=1) if one
    ]
    assert {row[-1] for row in rows(judged, LOG)} == {"dan"}
    assert judged.quality.wrong_figures(ORG, "books") == []
    with pytest.raises(PipelineError, match="there is no judgement"):
        judged.judgements.withdraw(ORG, ["1"], "dan")


def test_one_number_that_is_wrong_and_nothing_is_changed(judged: Store) -> None:
    before = rows(judged, SHOWN), rows(judged, LOG)
    with pytest.raises(PipelineError, match="'77'"):
        judged.judgements.judge(ORG, ["1", "77"], "dan", is_same=False)
    with pytest.raises(PipelineError, match="'77'"):
        judged.judgements.withdraw(ORG, ["1", "77"], "dan")
    assert (rows(judged, SHOWN), rows(judged, LOG)) == before


def test_what_was_said_becomes_pairs_and_what_was_taken_back_does_not(judged: Store) -> None:
    confirmed = JudgedPair(f"Title of {ASIN}", Decimal("100.00"), "Listing 1", Decimal("200.00"), is_same=True)
    rejected = replace(confirmed, listing_title="Listing 2", is_same=False)
    assert list(judged.judgements.pairs(ORG)) == [confirmed, rejected]
    judged.judgements.withdraw(ORG, ["1"], "eve")
    assert list(judged.judgements.pairs(ORG)) == [rejected]
    assert list(judged.judgements.pairs("acme")) == []


def test_who_is_erased_leaves_no_judgement_whoever_had_the_listing_then(judged: Store) -> None:
    start(judged, "c2", "books")
    collect(judged, "c2", "books", {ASIN: [ANN, replace(BOB, seller=listing("2", "cid").seller)]})
    judged.erasure.erase("cid", "eve")
    assert [row[0] for row in rows(judged, LOG)] == ["1"]
    execute(judged, "DELETE FROM ebay_listings")
    judged.erasure.erase("ann", "eve")
    assert rows(judged, LOG) == []


def test_only_what_was_taken_back_is_purged(judged: Store) -> None:
    judged.judgements.withdraw(ORG, ["1"], "eve")
    execute(
        judged, "UPDATE listing_judgements SET judged_at = '2020-01-01', withdrawn_at = withdrawn_at - interval '3 y'"
    )
    [rule] = [rule for rule in RULES if rule.table == "listing_judgements"]
    [(now,)] = rows(judged, "SELECT now() - interval '731 days'")
    judged.purges.run([Purge(rule, now)])  # type: ignore[arg-type]
    assert [row[0] for row in rows(judged, LOG)] == ["2"]
