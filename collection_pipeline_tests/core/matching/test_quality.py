"""The measuring of matches: `benchmarks.matching`."""

from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.matching import main, quality, read_pairs, threshold_for

PAIRS = [(0.9, True), (0.8, True), (0.8, False), (0.3, True), (0.1, False)]


def test_quality_counts_what_is_taken_at_a_threshold() -> None:
    found = quality(PAIRS, 0.5)
    assert (found.precision, found.recall, found.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_quality_of_nothing_taken_is_zero() -> None:
    assert quality(PAIRS, 0.95).f1 == 0


def test_the_threshold_for_a_precision_takes_all_pairs_of_the_same_match() -> None:
    assert threshold_for(PAIRS, 0.9) == 0.9
    assert threshold_for(PAIRS, 0.75) == 0.3
    assert threshold_for([(0.5, False)], 0.9) is None


def test_a_file_of_pairs_is_read_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text(
        "title_a\tprice_a\ttitle_b\tprice_b\tis_same\n"
        "sony wh-1000xm5 headphones\t300\tsony wh1000xm5 headphones\t\t1\n"
        '"lodge 12"" skillet"\t30\tbosch drill\t80\t0\n'
    )
    pairs = read_pairs(file)
    assert [pair.one.price for pair in pairs] == [Decimal(300), Decimal(30)]
    assert (pairs[0].other.price, pairs[1].one.title) == (None, 'lodge 12" skillet')
    monkeypatch.setattr("sys.argv", ["matching", str(file)])
    main()
    printed = capsys.readouterr().out
    assert "precision 1.000, recall 1.000, F1 1.000" in printed
    assert "microseconds a pair" in printed
