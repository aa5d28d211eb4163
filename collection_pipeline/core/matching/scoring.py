"""How likely two offers are the same product."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from collection_pipeline.core.matching.comparing import compare
from collection_pipeline.core.matching.contradictions import LOG_ODDS, contradictions
from collection_pipeline.core.matching.explaining import explain
from collection_pipeline.core.matching.reading import Offer, Reading, read
from collection_pipeline.core.matching.trees import shipped_model

DEFAULT_THRESHOLD = 0.5
"""From here on two offers are taken for the same product."""


@dataclass(frozen=True, slots=True)
class Match:
    """How likely a listing offers the product, and why."""

    probability: float
    """From 0 to 1. The same whichever of the two offers is the product."""
    _product: Reading = field(repr=False)
    _listing: Reading = field(repr=False)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks for and against, in words. Made when asked for, because most are never read."""
        return explain(self._product, self._listing)


class Matcher:
    """One product, read once, to score many listings against.

    ```python
    matcher = Matcher(Offer("Keurig K-Classic Coffee Maker", Decimal("89.99")))
    matches = [matcher.score(listing) for listing in listings]
    ```
    """

    def __init__(self, product: Offer) -> None:
        self._product = read(product)
        self._log_odds = shipped_model()

    def score(self, listing: Offer) -> Match:
        """How likely the listing offers this product."""
        product, reading = self._product, read(listing)
        if not product.words or not reading.words:
            return Match(0.0, product, reading)
        log_odds = self._log_odds(compare(product, reading))
        for contradiction in contradictions(product, reading):
            log_odds += LOG_ODDS[contradiction]
        return Match(1 / (1 + math.exp(-log_odds)), product, reading)


def score(product: Offer, listing: Offer) -> Match:
    """How likely a listing offers the product. For many listings of one product, use `Matcher`."""
    return Matcher(product).score(listing)
