"""Best sellers: what a page says, and how pages become a category's list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from collection_pipeline.core.errors import Implausible, Malformed
from collection_pipeline.core.money import Money

ASIN = re.compile(r"[A-Z0-9]{10}")


@dataclass(frozen=True, slots=True)
class Product:
    """One best seller of one category, as the page showed it. What was not seen is None."""

    asin: str
    position: int
    title: str
    price: Money | None
    rating: Decimal | None
    ratings_count: int | None
    url: str


@dataclass(frozen=True, slots=True)
class BestSellerPage:
    """One page of a node's best sellers.

    `pages` is how many the vendor says there are, `bad_rows` the reasons for which single rows were left out, and
    `is_partial` its own word that it could not read everything. `url` is the page's address, for the activity log.
    """

    products: tuple[Product, ...]
    page: int
    pages: int
    url: str
    bad_rows: tuple[str, ...] = ()
    is_partial: bool = False

    @property
    def items_count(self) -> int:
        """How many items the page holds."""
        return len(self.products)


class BestSellerSource(Protocol):
    """Where best sellers come from."""

    async def best_sellers(self, node: str, page: int) -> BestSellerPage:
        """Page `page` (from 1) of a browse node. One billed call. Raises SourceError."""
        ...


def ranked(pages: Iterable[BestSellerPage]) -> list[Product]:
    """One list out of a category's pages: best position first, each ASIN once.

    Positions are kept as given, gaps included. It is not known whether a second page goes on at 51 or starts again at
    1 (docs/sources.md 5), so a page that starts again is moved behind the one before. Of a repeated ASIN the best
    position stays, and a price is taken from the repetition where the first sight had none.
    """
    best: dict[str, Product] = {}
    last_position = 0
    for page in sorted(pages, key=lambda page: page.page):
        starts_again = min((product.position for product in page.products), default=0) <= last_position
        shift = last_position if starts_again else 0
        for product in sorted(page.products, key=lambda product: product.position):
            position = product.position + shift
            last_position = max(last_position, position)
            seen = best.get(product.asin)
            if seen is None:
                best[product.asin] = replace(product, position=position)
            elif seen.price is None and product.price is not None:
                best[product.asin] = replace(seen, price=product.price)
    return sorted(best.values(), key=lambda product: product.position)


def require_another_page(page: BestSellerPage, former: BestSellerPage) -> None:
    """Raises Malformed if a page is the one before once more: a vendor was seen labelling its first page "2"."""
    asins = {product.asin for product in page.products}
    if asins and asins <= {product.asin for product in former.products}:
        raise Malformed(
            f"Page {page.page} of the best sellers has the products of page {former.page} and no others.",
            url=page.url,
            stage="product_extraction",
        )


def require_plausible(products: Sequence[Product], *, known: int, category: str, least_share: float = 0.5) -> None:
    """Raises Implausible if a new list is so much shorter than the `known` one that a block is likelier than a change.

    Half is far below the ordinary spread (38 to 50 products a page) and far above what a blocked page shows.
    """
    if len(products) < known * least_share:
        raise Implausible(
            f"{category}: only {len(products)} products came back where {known} are known; the known list stays. "
            "Try again later, or check the category's node with `collection-pipeline catalogue check`.",
            stage="product_extraction",
        )
