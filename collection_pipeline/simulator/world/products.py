"""Products: what Amazon's best-seller pages show, and how a word of a search leads back to its product.

A product is drawn from its identity alone (a node and a place in it, or a place in the pool common to all nodes), and
its model number is that identity in disguise. So a search finds a product in a process that never served its page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import ceil
from random import Random
from typing import Literal

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.world.draws import draw, number
from collection_pipeline.simulator.world.names import AMAZON_TITLE_CHARS, product_title, words

Kind = Literal["own", "shared", "background"]

BACKGROUND_PRODUCTS = 60
"""Products that no best-seller list shows; a search without a model number finds them too."""
_SLOTS_PER_NODE = 1000
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTER: dict[Kind, str] = {"own": "N", "shared": "S", "background": "B"}
_KIND: dict[str, Kind] = {letter: kind for kind, letter in _LETTER.items()}


@dataclass(frozen=True, slots=True)
class ProductId:
    """Which product: its kind, and its number among those of the kind."""

    kind: Kind
    number: int

    @classmethod
    def of_node(cls, node: str, slot: int) -> ProductId:
        """The product in one place of a node's list. The leading 1 keeps nodes apart that differ in leading zeros."""
        return cls("own", int(f"1{node}") * _SLOTS_PER_NODE + slot)


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """One product: its whole title, and its price even where Amazon's page does not show it."""

    id: ProductId
    asin: str
    child_asin: str
    model: str
    title: str
    price: Decimal
    is_price_shown: bool
    rating: float
    ratings_count: int
    is_prime: bool
    words: frozenset[str]

    @property
    def amazon_title(self) -> str:
        """The title as the page shows it, cut inside a word if need be."""
        return self.title[:AMAZON_TITLE_CHARS]

    @property
    def amazon_price(self) -> Decimal | None:
        """The price that the page shows, or None."""
        return self.price if self.is_price_shown else None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a best-seller page: the position as printed, and its place in the whole list."""

    pos: int
    position: int
    product: Product


class Products:
    """All products and best-seller lists of one simulated Amazon."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        capacity = config.products_per_page * config.pages
        # Half as many again as one list takes: lists share most of the pool, and still differ.
        self.pool_size = ceil(config.overlap * capacity * 1.5)
        self.product = lru_cache(maxsize=50_000)(self._product)
        self.pages = lru_cache(maxsize=5_000)(self._pages)

    def is_known(self, node: str) -> bool:
        """Whether Amazon has such a browse node."""
        return (
            node.isascii()
            and node.isdigit()
            and len(node) <= 20
            and not node.startswith("999")
            and node not in self._config.unknown_nodes
        )

    def by_word(self, word: str) -> Product | None:
        """The product whose model number this word is, or None. Every node's products are found, served or not."""
        core = word.upper()
        if len(core) < 4 or not _MODEL.fullmatch(core):
            return None
        kind, value = _KIND[core[2]], int(core[3:], 36)
        identity = ProductId(kind, value)
        if _model(self._config.seed, identity) != core or not self._exists(identity):
            return None
        return self.product(identity)

    def common(self) -> list[Product]:
        """Products that any search may find: the common pool and those of no list."""
        shared = [self.product(ProductId("shared", index)) for index in range(min(self.pool_size, 200))]
        return shared + [self.product(ProductId("background", index)) for index in range(BACKGROUND_PRODUCTS)]

    def _exists(self, identity: ProductId) -> bool:
        if identity.kind == "own":
            node, slot = divmod(identity.number, _SLOTS_PER_NODE)
            return slot < self._config.products_per_page * self._config.pages and self.is_known(str(node)[1:])
        return identity.number < (self.pool_size if identity.kind == "shared" else BACKGROUND_PRODUCTS)

    def _product(self, identity: ProductId) -> Product:
        seed = self._config.seed
        rng = draw(seed, "product", identity.kind, identity.number)
        model = _model(seed, identity)
        title = product_title(rng, model)
        asin = _asin(number(seed, "asin", identity.kind, identity.number))
        # A parent's ASIN and its best-selling child's differ about as often as they do in the sample.
        child = _asin(number(seed, "child", identity.kind, identity.number)) if rng.random() < 0.7 else asin
        return Product(
            id=identity,
            asin=asin,
            child_asin=child,
            model=model,
            title=title,
            price=_price(rng),
            is_price_shown=rng.random() >= self._config.share_without_price,
            rating=rng.randint(31, 50) / 10,
            ratings_count=rng.choice((0, rng.randint(1, 99), rng.randint(100, 120_000))),
            is_prime=rng.random() < 0.6,
            words=frozenset(words(title)),
        )

    def _pages(self, node: str) -> tuple[tuple[Row, ...], ...]:
        """The rows of each page: gaps in positions, one ASIN twice, and a second page that goes on or starts again."""
        config = self._config
        rng = draw(config.seed, "node", node)
        restarts = {"restarts": True, "continues": False, "by_node": rng.random() < 0.5}[config.page_two]
        has_gaps = rng.random() < 0.5
        positions = [_positions(rng, config.products_per_page, has_gaps=has_gaps) for _ in range(config.pages)]
        products = self._listed(rng, node, sum(map(len, positions)))
        pages: list[tuple[Row, ...]] = []
        last = 0
        for index, printed in enumerate(positions):
            shift = 0 if restarts else index * config.products_per_page
            before = last if restarts else 0
            rows = [Row(pos + shift, pos + shift + before, products.pop(0)) for pos in printed]
            last = rows[-1].position
            pages.append(tuple(rows))
        return tuple(pages)

    def _listed(self, rng: Random, node: str, count: int) -> list[Product]:
        config = self._config
        shared = rng.sample(range(self.pool_size), min(round(config.overlap * count), self.pool_size))
        identities = [ProductId("shared", index) for index in shared]
        identities += [ProductId.of_node(node, slot) for slot in range(count - len(shared))]
        rng.shuffle(identities)
        if count > 2:
            identities[-1] = identities[rng.randrange(count // 2)]  # the one ASIN that is listed twice
        return [self.product(identity) for identity in identities]


_MODEL = re.compile(f"[A-Z]{{2}}[{''.join(_KIND)}][0-9A-Z]+")


def _model(seed: int, identity: ProductId) -> str:
    """A model number: two letters that check the rest, the kind, and the number to the base of 36."""
    check = number(seed, "model", identity.kind, identity.number)
    letters = chr(65 + check % 26) + chr(65 + check // 26 % 26)
    # Padded, so that even the first of the pool looks like a model number and is no ordinary word.
    return f"{letters}{_LETTER[identity.kind]}{_base36(identity.number).rjust(4, '0')}"


def _base36(value: int) -> str:
    text = ""
    while value:
        value, digit = divmod(value, 36)
        text = _DIGITS[digit] + text
    return text


def _asin(value: int) -> str:
    return "B0" + _base36(value % 36**8).rjust(8, "0")


def _price(rng: Random) -> Decimal:
    """Prices as they are: mostly .99, some whole (150 is 150 dollars, not cents), some of a few cents, some large."""
    draw_ = rng.random()
    if draw_ < 0.25:
        return Decimal(rng.randint(5, 250))
    if draw_ < 0.28:
        return Decimal(rng.randint(3, 99)) / 100
    if draw_ < 0.33:
        return Decimal(rng.randint(100_000, 250_000)) / 100
    return Decimal(rng.randint(5, 120)) + Decimal(rng.choice((99, 95, 49, 97, rng.randint(1, 98)))) / 100


def _positions(rng: Random, capacity: int, *, has_gaps: bool) -> list[int]:
    size = rng.randint(ceil(capacity * 0.76), capacity)
    return sorted(rng.sample(range(1, capacity + 1), size)) if has_gaps else list(range(1, size + 1))
