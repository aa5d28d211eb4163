"""Labelled pairs as a file: whatever titles hold, what is read again is what was written."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.matching import read_pairs
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.files.labelled_pairs import Pair, write_pairs

TITLES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
PRICES = st.none() | st.decimals(0, 1_000, places=2)


@given(st.lists(st.tuples(TITLES, PRICES, TITLES, PRICES, st.booleans()), max_size=5))
def test_whatever_is_written_is_read_again_but_for_white_space(pairs: list[Pair]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pairs.tsv"
        assert write_pairs(file, pairs) == len(pairs)
        read = read_pairs(file)
    assert [(pair.one.title, pair.one.price, pair.other.title, pair.other.price, pair.is_same) for pair in read] == [
        (" ".join(one.split()), price, " ".join(other.split()), other_price, is_same)
        for one, price, other, other_price, is_same in pairs
    ]


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("mine")
    with pytest.raises(PipelineError, match="is there already"):
        write_pairs(file, [("a", Decimal(1), "b", None, True)])
    assert file.read_text() == "mine"


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="cannot be written to"):
        write_pairs(tmp_path / "nowhere" / "pairs.tsv", [])
