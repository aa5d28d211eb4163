"""How well `match` tells the same product from another, on labelled pairs.

    python -m benchmarks.matching FILE…

A file is tab-separated with the columns title_a, price_a, title_b, price_b and is_same (1 or 0).
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from collection_pipeline.core.matching import DEFAULT_THRESHOLD, Matcher, Offer

WANTED_PRECISION = 0.9
LISTINGS_OF_A_PRODUCT = 240
"""How many listings a product usually has; a product is prepared once for so many."""

REPEATS = 10


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two offers, and whether a person found them to be the same product."""

    one: Offer
    other: Offer
    is_same: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """How right the pairs at or above a threshold are."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of both; 0 if both are."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def read_pairs(file: Path) -> list[LabelledPair]:
    """The labelled pairs of a file."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            LabelledPair(
                Offer(row["title_a"], _price(row["price_a"])),
                Offer(row["title_b"], _price(row["price_b"])),
                row["is_same"] == "1",
            )
            for row in csv.DictReader(lines, delimiter="\t")
        ]


def _price(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def quality(pairs: Sequence[tuple[float, bool]], threshold: float) -> Quality:
    """Precision and recall of some matches and labels, where a match from the threshold on counts as the same."""
    taken = [is_same for match, is_same in pairs if match >= threshold]
    same = sum(is_same for _, is_same in pairs)
    return Quality(sum(taken) / len(taken) if taken else 0.0, sum(taken) / same if same else 0.0)


def threshold_for(pairs: Sequence[tuple[float, bool]], precision: float) -> float | None:
    """The lowest threshold with at least such a precision, or None if there is none."""
    lowest = None
    right = 0
    ranked = sorted(pairs, reverse=True)
    for taken, (match, is_same) in enumerate(ranked, start=1):
        right += is_same
        last_of_its_match = taken == len(ranked) or ranked[taken][0] < match
        if last_of_its_match and right / taken >= precision:
            lowest = match
    return lowest


def microseconds_per_pair(pairs: Sequence[LabelledPair]) -> float:
    """Processor time for a listing, its title read anew, and the product's once for all its listings.

    Each product's listings are scored several times and the fastest counts, because other processes disturb the rest.
    """
    firsts = range(0, len(pairs), LISTINGS_OF_A_PRODUCT)
    fastest = [min(_seconds(pairs[first : first + LISTINGS_OF_A_PRODUCT]) for _ in range(REPEATS)) for first in firsts]
    return sum(fastest) / len(pairs) * 1e6


def _seconds(pairs: Sequence[LabelledPair]) -> float:
    started = time.process_time()
    matcher = Matcher(pairs[0].one)
    for pair in pairs:
        _ = matcher.score(pair.other).probability
    return time.process_time() - started


def report(file: Path) -> None:
    """Prints what one file shows."""
    pairs = read_pairs(file)
    matches = [(Matcher(pair.one).score(pair.other).probability, pair.is_same) for pair in pairs]
    found = quality(matches, DEFAULT_THRESHOLD)
    print(f"{file.name}: {len(pairs)} pairs, {sum(pair.is_same for pair in pairs)} the same product")
    print(
        f"  at the default threshold {DEFAULT_THRESHOLD}: precision {found.precision:.3f}, recall {found.recall:.3f}, "
        f"F1 {found.f1:.3f}"
    )
    threshold = threshold_for(matches, WANTED_PRECISION)
    if threshold is None:
        print(f"  no threshold has {WANTED_PRECISION:.0%} precision")
    else:
        recall = quality(matches, threshold).recall
        print(f"  threshold for {WANTED_PRECISION:.0%} precision: {threshold:.3f} (recall {recall:.3f})")
    print(f"  {microseconds_per_pair(pairs):.1f} microseconds a pair")


def main() -> None:
    parser = argparse.ArgumentParser(description="Precision, recall and speed of matching on labelled pairs.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="labelled pairs, tab-separated")
    for file in parser.parse_args().files:
        report(file)


if __name__ == "__main__":
    main()
