"""Labelled pairs of offers as a file: what `benchmarks.matching` measures with, and a model can be trained with."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.printable import printable

HEADER = ("title_a", "price_a", "title_b", "price_b", "is_same")

Pair = tuple[str, Decimal | None, str, Decimal | None, bool]
"""Title and price of a product, title and price of a listing, and whether they are the same product."""


def write_pairs(path: Path, pairs: Iterable[Pair]) -> int:
    """Writes a new tab-separated file; how many pairs. Raises PipelineError, also where there is one of that name."""
    count = 0
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, delimiter="\t", lineterminator="\n")
            lines.writerow(HEADER)
            for title, price, listing_title, listing_price, is_same in pairs:
                lines.writerow((_line(title), _text(price), _line(listing_title), _text(listing_price), int(is_same)))
                count += 1
    except FileExistsError:
        raise PipelineError(
            f"{printable(str(path))} is there already and stays as it is. Choose another name."
        ) from None
    except (OSError, ValueError) as error:
        raise PipelineError(f"The pairs cannot be written to {printable(str(path))}: {error}.") from error
    return count


def _line(title: str) -> str:
    """The title with single spaces only, which say the same to a comparison and keep a pair on its line."""
    return " ".join(title.split())


def _text(price: Decimal | None) -> str:
    return "" if price is None else str(price)
