"""Parsed best-seller pages as Oxylabs sends them (docs/sources.md 2.2, and its official sample)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from collection_pipeline.simulator.world.draws import unit
from collection_pipeline.simulator.world.products import Product, Products, Row

OK, PARTIAL, PARSE_FAILED, UNKNOWN = 12000, 12004, 12002, 12007


def page_url(node: str, page: int) -> str:
    """The address that Oxylabs fetched."""
    return f"https://www.amazon.com/Best-Sellers/zgbs/x/{node}/?pg={page}"


def parsed_page(products: Products, seed: int, node: str, page: int) -> dict[str, object]:
    """The content of one page. A node that does not exist is a page too: empty, and billed."""
    if not products.is_known(node):
        return _content(node, page, 1, [])
    pages = products.pages(node)
    return _content(node, page, len(pages), [_row(row, seed, node) for row in pages[page - 1]])


def raw_page(content: Mapping[str, object]) -> str:
    """The page's HTML, for a request without parsing; only its title is like the real one."""
    name = f"in {content['query']}" if content["results"] else "Best undefined"
    return f"<!DOCTYPE html><html><head><title>Amazon Best Sellers: {name}</title></head><body></body></html>"


def _content(node: str, page: int, pages: int, rows: list[dict[str, object]]) -> dict[str, object]:
    return {
        "url": page_url(node, page),
        "page": page,
        "pages": pages,
        "query": node,
        "results": rows,
        "parse_status_code": OK,
    }


def _row(row: Row, seed: int, node: str) -> dict[str, object]:
    product = row.product
    price, price_str, upper = _prices(product, seed, node)
    slug = "-".join(re.findall(r"[A-Za-z0-9]+", product.title)[:5])
    return {
        "pos": row.pos,
        "url": (
            f"/{slug}/dp/{product.asin}/ref=zg_bs_{node}_{row.pos}/140-4851587-8700940"
            f"?pd_rd_i={product.child_asin}&psc=1"
        ),
        "asin": product.asin,
        "price": price,
        "title": product.amazon_title,
        "rating": product.rating,
        "currency": "USD",
        "is_prime": product.is_prime,
        "price_str": price_str,
        "price_upper": upper,
        "ratings_count": product.ratings_count,
    }


def _prices(product: Product, seed: int, node: str) -> tuple[object, str, object]:
    """The three price fields. Docs call the price a string, the sample shows numbers: both come, and 0 and null."""
    form = unit(seed, "price", node, product.asin)
    if not product.is_price_shown:
        return (None if form < 0.15 else "" if form < 0.2 else 0), "", 0
    dollars = f"${product.price:,.2f}"
    if form < 0.1:
        return f"{product.price:.2f}", dollars, 0
    if form < 0.15:  # of a range the lower end is the price
        upper = product.price + 10
        return _plain(product.price), f"{dollars} - ${upper:,.2f}", _plain(upper)
    return _plain(product.price), dollars, 0


def _plain(price: Decimal) -> int | float:
    return int(price) if price == price.to_integral_value() else float(price)
