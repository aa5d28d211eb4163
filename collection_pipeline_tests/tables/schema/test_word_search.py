from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from collection_pipeline.tables.schema.word_search import word_query, word_vector
from collection_pipeline.tables.store import Store


@pytest.mark.parametrize(
    ("text", "query"),
    [("Best coffee", "best:* & coffee:*"), ("a_b-c", "a:* & b:* & c:*"), (" '|&!:* ", None), ("", None), (None, None)],
)
def test_what_is_typed_becomes_beginnings_of_words(text: str | None, query: str | None) -> None:
    assert word_query(text) == query


@given(st.text(max_size=30))
@settings(max_examples=50)
def test_no_text_leaves_an_operator_in_a_query(text: str) -> None:
    for word in (word_query(text) or "").split(" & "):
        assert not set(word.removesuffix(":*")) & set("'|&!:*()<>\\ ")


@pytest.mark.parametrize(
    ("name", "asked", "fits"),
    [
        ("best-deals_2019", "deal", True),
        ("best-deals_2019", "2019 BEST", True),
        ("best-deals_2019", "eals", False),
        ("Café.Paris", "café", True),
        ("<b>shop</b>", "shop", True),
    ],
)
def test_a_name_is_found_by_the_beginnings_of_its_words(store: Store, name: str, asked: str, *, fits: bool) -> None:
    query = sa.text(f"SELECT {word_vector('CAST(:name AS text)')} @@ to_tsquery('simple', :asked)")
    with store.engine.connect() as connection:
        assert connection.scalar(query, {"name": name, "asked": word_query(asked)}) is fits
