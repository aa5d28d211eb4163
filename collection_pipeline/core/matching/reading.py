"""A title, read once: its words, model numbers, sizes, packs, and what it is made for.

Reading knows nothing about the other title. `comparing` puts two readings side by side.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from collection_pipeline.core.matching.rarity import rarity
from collection_pipeline.core.matching.vocabulary import COLOURS, COUNTS, MULTIPLES, SILENT, UNITS

LONGEST_TITLE = 300
"""Characters that are read. eBay allows 80 and Amazon 200; more is an accident, and would cost time."""

LONGEST_PURPOSE = 6
"""Words after "for" that still say what the offer is made for."""

_CHUNK = re.compile(r"\d+(?:\.\d+)+(?![^\W_])|[^\W_]+(?:[-.][^\W_]+)*")
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)-?([a-z]+)")
_NUMBER_FORM = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_ALL_IN_ONE = re.compile(r"[0-9]+in[0-9]")
_TIMES = re.compile(r"x([0-9]{1,2})|([0-9]{1,2})x")
_INCH_MARK = re.compile(r"(?<=\d)(?:\"|''|″|”)")
_WRITTEN_NUMBERS = {"two": "2", "three": "3", "four": "4", "six": "6", "dozen": "12"}
_PURPOSE_WORDS = frozenset(("for", "fit", "compatible", "replace"))
_MEASURES = UNITS.keys() | MULTIPLES | COUNTS
_SHORTEST_ARTICLE_NUMBER = 5
_MOST = 100_000
"""No pack holds more; a larger number is an article number."""


_NAME, _COLOUR, _NUMBER, _MODEL, _SILENT, _PURPOSE = range(6)


class _Token(NamedTuple):
    """A word as it is read whatever surrounds it."""

    word: str
    kind: int
    rarity: float


@dataclass(frozen=True, slots=True)
class Offer:
    """What is compared: a title as the marketplace shows it, and a price, None where it is not known."""

    title: str
    price: Decimal | None = None


@dataclass(slots=True)
class Reading:
    """What an offer says. Made by `read`, and not changed afterwards."""

    text: str
    """The words in alphabetical order, separated by spaces."""
    squashed: str
    """The words in their order without spaces, where "boom box" is found as "boombox"."""
    words: dict[str, float]
    """Every word, number and size once, with its rarity from 0 to 1."""
    weight: float
    """The sum of the rarities."""
    brand: str
    """The first word that says something; on both marketplaces usually the brand."""
    models: set[str]
    """Words that mix letters and digits, and long numbers, without hyphens: "kf8", "dgs1008p"."""
    sizes: dict[str, set[float]]
    """The sizes by unit: {"in": {17.0}}."""
    sized: set[str]
    """The numbers of the sizes without their units, where the other title may leave the unit out."""
    numbers: set[str]
    """Numbers without a unit."""
    packs: set[int]
    """How many of the thing are sold together, where the title says so."""
    counts: set[int]
    """How many are inside, where the title says so."""
    colours: set[str]
    """The families of the colours that are named."""
    made_for: set[str]
    """The words that occur only after "for", "fits" or "compatible with"."""
    log_price: float | None
    """The natural logarithm of the price; None where it is not known or not above zero."""


def read(offer: Offer) -> Reading:
    """Reads the title and price of one offer."""
    tokens = [token for piece in offer.title[:LONGEST_TITLE].lower().split() for token in _tokens(piece)]
    squashed = "".join([token.word for token in tokens])
    reading = Reading("", squashed, {}, 0.0, "", set(), {}, set(), set(), set(), set(), set(), set(), None)
    _read_words(reading, tokens)
    for edge in tokens[:1] + tokens[-1:]:
        if edge.kind == _MODEL and (times := _TIMES.fullmatch(edge.word)):
            reading.packs.add(int(times[1] or times[2]))
            reading.models.discard(edge.word)
    reading.weight = sum(reading.words.values())
    reading.text = " ".join(sorted(reading.words))
    reading.log_price = _log_price(offer.price)
    return reading


def _read_words(reading: Reading, tokens: list[_Token]) -> None:
    """Fills in the words, the brand, and the words that occur only in what the offer is made for."""
    words, made_for = reading.words, reading.made_for
    purpose_left = 0
    unit_read = False
    for position, (word, kind, rare) in enumerate(tokens):
        if unit_read:
            unit_read = False
            continue
        if kind >= _SILENT:
            if kind == _PURPOSE and words:
                purpose_left = LONGEST_PURPOSE
            if word in SILENT:
                continue
        elif kind == _NUMBER:
            word, unit_read = _read_number(reading, tokens, position)
        elif kind == _MODEL:
            reading.models.add(word)
        elif kind == _COLOUR:
            reading.colours.add(COLOURS[word])
        if word in words:
            if not purpose_left:
                made_for.discard(word)
            continue
        words[word] = rarity(word) if kind == _NUMBER else rare
        if not reading.brand:
            reading.brand = word
        if purpose_left:
            purpose_left -= 1
            if kind != _PURPOSE:
                made_for.add(word)


def _read_number(reading: Reading, tokens: list[_Token], position: int) -> tuple[str, bool]:
    """Notes what a number counts or measures. Returns it as a word ("17in"), and whether a unit follows."""
    digits = tokens[position].word
    following = tokens[position + 1].word if position + 1 < len(tokens) else ""
    preceding = tokens[position - 2].word if position > 1 and tokens[position - 1].word == "of" else ""
    number = float(digits)
    word = f"{number:g}"
    if unit := UNITS.get(following):
        reading.sizes.setdefault(unit, set()).add(number)
        reading.sized.add(word)
        return word + unit, True
    if following in MULTIPLES or preceding in MULTIPLES:
        reading.packs.add(int(min(number, _MOST)))
    elif following in COUNTS or preceding in COUNTS:
        reading.counts.add(int(min(number, _MOST)))
    elif len(digits) >= _SHORTEST_ARTICLE_NUMBER and "." not in digits:
        reading.models.add(digits)
        return digits, False
    else:
        reading.numbers.add(word)
    return word, False


@lru_cache(maxsize=16_384)
def _tokens(piece: str) -> tuple[_Token, ...]:
    """What a piece of title without spaces says. Remembered, because the listings of a product repeat their words."""
    text = _INCH_MARK.sub(" inch ", piece)
    return tuple(_token(word) for chunk in _CHUNK.findall(text) for word in _split(chunk))


def _token(word: str) -> _Token:
    if word in _PURPOSE_WORDS:
        kind = _PURPOSE
    elif word in SILENT:
        kind = _SILENT
    elif word in COLOURS:
        kind = _COLOUR
    elif _NUMBER_FORM.fullmatch(word):
        kind = _NUMBER
    elif word.isalpha() or _ALL_IN_ONE.fullmatch(word):
        kind = _NAME
    else:
        kind = _MODEL
    return _Token(word, kind, rarity(word))


def _split(chunk: str) -> tuple[str, ...]:
    """The words of a chunk: "self-adhesive" is two, "17-inch" and "1tb" too, "dgs-1008p" is one."""
    if chunk.replace("-", "").isalpha():
        parts = chunk.split("-")
        # "k-mini" and "d-link" are names, which their halves are not.
        return (chunk.replace("-", ""),) if min(map(len, parts)) == 1 < len(parts) else tuple(map(_singular, parts))
    if _NUMBER_FORM.fullmatch(chunk):
        return (chunk,)
    quantity = _QUANTITY.fullmatch(chunk)
    if quantity and (_singular(quantity[2]) in _MEASURES or "-" in chunk):
        return (quantity[1], _singular(quantity[2]))
    return (chunk.replace("-", "").replace(".", ""),)


def _singular(word: str) -> str:
    if word in _WRITTEN_NUMBERS:
        return _WRITTEN_NUMBERS[word]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):
        return word[:-1]
    return word


def _log_price(price: Decimal | None) -> float | None:
    if price is None or not price.is_finite() or price <= 0:
        return None
    return math.log(price)
