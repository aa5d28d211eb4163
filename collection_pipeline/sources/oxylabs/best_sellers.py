"""Amazon best sellers through the Oxylabs Web Scraper API (docs/sources.md 2.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from collection_pipeline.core.collecting.products import ASIN, BestSellerPage, Product
from collection_pipeline.core.collecting.usage import Call
from collection_pipeline.core.errors import EmptyPage, Malformed, SourceError, UnknownNode
from collection_pipeline.core.money import Money, parse_amount
from collection_pipeline.sources.http import count, mapping, quoted, sequence, text
from collection_pipeline.sources.oxylabs.jobs import OxylabsJobs, finished

PARSED, PARTLY_PARSED = (12000,), (12004, 12005)
"""parse_status_code: all read, or some fields not (docs/sources.md 2.2). Every other one is a failure."""

MOST_PAGES = 100
LAST_POSITION = 100 * MOST_PAGES
"""Far beyond the two pages of 50 that Amazon lists; a larger figure is a parsing accident."""

_CALL = Call("oxylabs", "best_sellers")


class OxylabsBestSellers:
    """Best sellers of Amazon.com browse nodes. Implements core.products.BestSellerSource; one call a page."""

    def __init__(self, jobs: OxylabsJobs) -> None:
        self._jobs = jobs

    async def best_sellers(self, node: str, page: int) -> BestSellerPage:
        """Page `page` (from 1) of a node. Takes 20 s and more. Raises SourceError."""
        what = f"Best sellers of node {node}, page {page}"
        body, url = await self._jobs.run(query(node, page), _CALL, what)
        return best_seller_page(body, node, page, what, url)


def query(node: str, page: int) -> dict[str, object]:
    """The job that asks for one page. `render` must be "html"; unknown keys are ignored (docs/sources.md 2.1)."""
    return {
        "source": "amazon_bestsellers",
        "domain": "com",
        "query": node,
        "render": "html",
        "parse": True,
        "start_page": page,
        "pages": 1,
    }


def best_seller_page(body: dict[str, Any], node: str, page: int, what: str, url: str) -> BestSellerPage:
    """A page from a reply with HTTP 200, which may still be a failure inside. Raises SourceError."""
    result = finished(body, what, url, "Amazon")
    content = result.get("content")
    code = mapping(content).get("parse_status_code")
    if result.get("type", "parsed") != "parsed" or code not in PARSED + PARTLY_PARSED:
        raise Malformed(
            f"{what}: Oxylabs could not read Amazon's page (type {quoted(result.get('type'))}, parse "
            f"status {quoted(code)}).",
            url=url,
            stage="product_extraction",
        )
    content = mapping(content)
    address = text(content.get("url")) or text(result.get("url")) or url
    if str(content.get("query")) != node:
        raise Malformed(
            f"{what}: the reply is about node {quoted(content.get('query'))}.", url=address, stage="product_extraction"
        )
    if count(content.get("page")) not in (None, page):
        raise Malformed(
            f"{what}: the reply is page {quoted(content.get('page'))} of it.", url=address, stage="product_extraction"
        )
    rows = sequence(content.get("results"))
    if not rows:
        raise _no_products(content, page, what, address)
    products, bad_rows = _products(rows)
    if not products:
        raise Malformed(
            f"{what}: none of {len(rows)} rows can be read; the first: {bad_rows[0]}.",
            url=address,
            stage="product_extraction",
        )
    is_partial = code in PARTLY_PARSED or bool(content.get("_warnings"))
    if not (pages := _pages(content.get("pages"))):
        raise Malformed(f"{what}: the reply does not say how many pages there are.", url=address)
    return BestSellerPage(products, page, max(pages, page), address, bad_rows, is_partial=is_partial)


def _pages(promised: object) -> int | None:
    """How many pages there are; the vendor's ids are texts, so its counts might be. At most three digits count."""
    if isinstance(promised, str) and promised.isdecimal() and len(promised) <= 3:
        promised = int(promised)
    return count(promised, largest=MOST_PAGES)


def _no_products(content: dict[str, Any], page: int, what: str, url: str) -> SourceError:
    """A node that does not exist is a billed page named "Best undefined" without rows (docs/sources.md 2.3)."""
    if page == 1:
        return UnknownNode(
            f"{what}: Amazon has no best sellers for it; the node is unknown or has no list. Correct it in the "
            "catalogue (`collection-pipeline catalogue check` asks for all nodes).",
            url=url,
            stage="product_extraction",
        )
    return EmptyPage(
        f"{what}: the page has no product although {quoted(content.get('pages'))} pages were promised.",
        url=url,
        stage="product_extraction",
    )


def _products(rows: list[Any]) -> tuple[tuple[Product, ...], tuple[str, ...]]:
    products: list[Product] = []
    bad_rows: list[str] = []
    for number, row in enumerate(rows, start=1):
        product = _product(mapping(row))
        if isinstance(product, Product):
            products.append(product)
        else:
            bad_rows.append(f"row {number}: {product}")
    return tuple(products), tuple(bad_rows)


def _product(row: dict[str, Any]) -> Product | str:
    """A product, or why the row is none. 0, "" and null are "not seen" (docs/sources.md 2.2)."""
    asin, title, position = text(row.get("asin")), text(row.get("title")), count(row.get("pos"), LAST_POSITION)
    if asin is None or not ASIN.fullmatch(asin):
        return "no ASIN"
    if title is None:
        return f"{asin} has no title"
    if not position:
        return f"{asin} has no position"
    amount = parse_amount(row.get("price")) or parse_amount(row.get("price_str"))
    currency = text(row.get("currency")) or "USD"
    return Product(
        asin=asin,
        position=position,
        title=title,
        price=Money(amount, currency) if amount is not None and _is_currency(currency) else None,
        rating=_rating(row.get("rating")),
        ratings_count=count(row.get("ratings_count"), largest=2**63 - 1) or None,
        # The row's own address is relative and carries a session; this one is the product's for good.
        url=f"https://www.amazon.com/dp/{asin}",
    )


def _is_currency(code: str) -> bool:
    return len(code) == 3 and code.isascii() and code.isupper()


def _rating(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    stars = Decimal(value)
    return stars.quantize(Decimal("0.1")) or None if stars.is_finite() and 0 < stars <= 5 else None
