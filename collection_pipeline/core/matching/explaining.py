"""Why two offers match or not, in a few words each: "same model KF8", "pack of 2 against 1"."""

from __future__ import annotations

import math
from collections.abc import Iterator

from collection_pipeline.core.matching.comparing import contradicting_units, missing_words
from collection_pipeline.core.matching.contradictions import (
    ACCESSORY,
    COMPATIBLE_WITH,
    MADE_FOR,
    OTHER_PACK,
    PART,
    contradictions,
)
from collection_pipeline.core.matching.reading import Reading

_FAR_APART = 2.5
"""A price this many times the other is worth a word. Listings are searched at up to 2.2 times the product's price."""

_WORDS = 3
"""Words of a title that are named at most."""

_SENTENCES = {
    MADE_FOR: "one is made for the other",
    ACCESSORY: "only one names an accessory",
    COMPATIBLE_WITH: 'only one says "compatible" or "replacement"',
    PART: "only one is a part, empty or broken",
}


def explain(product: Reading, listing: Reading) -> tuple[str, ...]:
    """The reasons, those about models first. In "2 against 1" the listing has 2 and the product 1."""
    if not product.words or not listing.words:
        return ("a title says nothing",)
    missing = missing_words(product, listing)
    return (
        *_models(product, listing, missing),
        *_contradictions(product, listing),
        *_sizes(product, listing),
        *_colours(product, listing),
        *_words(product, missing),
        *_prices(product, listing),
    )


def _models(product: Reading, listing: Reading, missing: list[str]) -> Iterator[str]:
    """The models, where the listing lacks the `missing` words of the product's title."""
    shared = product.models.difference(missing)
    if shared:
        yield f"same model {min(shared, key=lambda model: (-len(model), model)).upper()}"
    lacking = product.models.intersection(missing)
    if lacking and (others := listing.models.intersection(missing_words(listing, product))):
        yield f"model {min(others).upper()} against {min(lacking).upper()}"


def _contradictions(product: Reading, listing: Reading) -> Iterator[str]:
    for contradiction in contradictions(product, listing):
        if contradiction == OTHER_PACK:
            yield f"pack of {_pack(listing)} against {_pack(product)}"
        else:
            yield _SENTENCES[contradiction]


def _pack(reading: Reading) -> int:
    return max(reading.packs or reading.counts, default=1)


def _sizes(product: Reading, listing: Reading) -> Iterator[str]:
    for unit in sorted(contradicting_units(product, listing)):
        yield f"{max(listing.sizes[unit]):g} {unit} against {max(product.sizes[unit]):g} {unit}"


def _colours(product: Reading, listing: Reading) -> Iterator[str]:
    if product.colours and listing.colours and product.colours.isdisjoint(listing.colours):
        yield f"{'/'.join(sorted(listing.colours))} against {'/'.join(sorted(product.colours))}"


def _words(product: Reading, missing: list[str]) -> Iterator[str]:
    lacking = sorted((word for word in missing if word.isalpha()), key=lambda word: (-product.words[word], word))
    if not missing:
        yield "every word of the product's title"
    elif len(missing) == len(product.words):
        yield "no word in common"
    elif lacking:
        yield f"lacks {', '.join(lacking[:_WORDS])}"


def _prices(product: Reading, listing: Reading) -> Iterator[str]:
    if product.log_price is None or listing.log_price is None:
        return
    gap = listing.log_price - product.log_price
    if abs(gap) >= math.log(_FAR_APART):
        # A price is read as it comes; the exponent is bounded so that an absurd one still has a ratio.
        yield f"price {math.exp(min(gap, 20)):.2g} times the product's"
