"""Products: what Amazon's best-seller pages show, and how a word of a search leads back to its product.

A product is drawn from its identity alone (a node and a place in it, or a place in the pool common to all nodes), and
its model number is that identity in disguise. So a search finds a product in a process that never served its page.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import ceil
from random import Random

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.world.best_sellers import entry_day, newcomers, order_on
from collection_pipeline.simulator.world.draws import draw, number, unit
from collection_pipeline.simulator.world.identities import SLOTS_PER_NODE, ProductId, base36, identity_of, model_number
from collection_pipeline.simulator.world.names import AMAZON_TITLE_CHARS, product_title, words
from collection_pipeline.simulator.world.prices import price_on

BACKGROUND_PRODUCTS = 60
"""Products that no best-seller list shows; a search without a model number finds them too."""


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """One product: its whole title, and its price even where Amazon's page does not show it.

    `price` is that of the world's day, `first_price` that of day 0. Before `since` the product was not there.
    """

    id: ProductId
    asin: str
    child_asin: str
    model: str
    title: str
    price: Decimal
    first_price: Decimal
    since: int
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
    """All products and best-seller lists of one simulated Amazon, on the day of its configuration."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self._capacity = config.products_per_page * config.pages
        # Half as many again as one list takes: lists share most of the pool, and still differ.
        self.pool_size = ceil(config.overlap * self._capacity * 1.5)
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
        identity = identity_of(self._config.seed, word)
        return self.product(identity) if identity is not None and self._exists(identity) else None

    def price(self, product: Product, day: int) -> Decimal:
        """What a product costs on a day."""
        key = (product.id.kind, product.id.number)
        return price_on(self._config.seed, key, product.first_price, day)

    def common(self) -> list[Product]:
        """Products that any search may find: the common pool and those of no list."""
        shared = [self.product(ProductId("shared", index)) for index in range(min(self.pool_size, 200))]
        return shared + [self.product(ProductId("background", index)) for index in range(BACKGROUND_PRODUCTS)]

    def _exists(self, identity: ProductId) -> bool:
        if identity.kind == "own":
            return self._since(identity) <= self._config.day and self.is_known(identity.node)
        return identity.number < (self.pool_size if identity.kind == "shared" else BACKGROUND_PRODUCTS)

    def _since(self, identity: ProductId) -> int:
        """The day on which a product came to the market: newcomers have the places behind those of day 0."""
        index = identity.number % SLOTS_PER_NODE - self._capacity
        return entry_day(index, self._capacity) if identity.kind == "own" and index >= 0 else 0

    def _product(self, identity: ProductId) -> Product:
        seed = self._config.seed
        rng = draw(seed, "product", identity.kind, identity.number)
        model = model_number(seed, identity)
        title = product_title(rng, model)
        asin = _asin(number(seed, "asin", identity.kind, identity.number))
        # A parent's ASIN and its best-selling child's differ about as often as they do in the sample.
        child = _asin(number(seed, "child", identity.kind, identity.number)) if rng.random() < 0.7 else asin
        first_price = _price(rng)
        return Product(
            id=identity,
            asin=asin,
            child_asin=child,
            model=model,
            title=title,
            price=price_on(seed, (identity.kind, identity.number), first_price, self._config.day),
            first_price=first_price,
            since=self._since(identity),
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
        twice = rng.randrange(count // 2) if count > 2 else None
        if config.day:
            entered = self._newcomers(node, shared)
            identities = order_on(config.seed, node, identities, entered, config.day)
        if twice is not None:
            identities[-1] = identities[twice]  # the one ASIN that is listed twice
        return [self.product(identity) for identity in identities]

    def _newcomers(self, node: str, listed: list[int]) -> list[tuple[ProductId, int]]:
        """Who has entered a node's list since day 0, and when: new products, and others of the common pool."""
        config = self._config
        others = sorted(set(range(self.pool_size)) - set(listed))
        draw(config.seed, "newcomers", node).shuffle(others)
        entered: list[tuple[ProductId, int]] = []
        for index in newcomers(self._capacity, config.day, at_most=SLOTS_PER_NODE - self._capacity):
            is_shared = others and unit(config.seed, "newcomer", node, index) < config.overlap
            identity = (
                ProductId("shared", others.pop()) if is_shared else ProductId.of_node(node, self._capacity + index)
            )
            entered.append((identity, entry_day(index, self._capacity)))
        return entered


def _asin(value: int) -> str:
    return "B0" + base36(value % 36**8).rjust(8, "0")


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
