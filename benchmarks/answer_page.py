"""What the pages of the answer page cost at N sellers: the slowest of each kind of page has to come within 100 ms.

Run by hand: .venv/bin/python -m benchmarks.answer_page --sellers 500000
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.answer_filling import fill_answer
from collection_pipeline.tables.collecting.browsing import ProductBrowser, ProductSort
from collection_pipeline.tables.collecting.comparing import CollectionBrowser
from collection_pipeline.tables.sellers.browsing import SellerBrowser, SellerFilter, SellerSort
from collection_pipeline.tables.sellers.profiles import SellerProfiles
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded
from collection_pipeline.tables.server.migrating import migrate
from collection_pipeline.tables.watching.overview import OverviewStore

ORG, TRIES = "default", 5
FILTERS = {
    "all": SellerFilter(),
    "words, many": SellerFilter(words="coffee"),
    "words, few": SellerFilter(words="12345"),
    "category": SellerFilter(category="category-7"),
    "category and words": SellerFilter(category="category-7", words="coffee"),
    "new in a collection": SellerFilter(new_in="weekly-40"),
    "products from 10": SellerFilter(min_products=10),
    "feedback that nobody has": SellerFilter(min_feedback=10**6),
    "flagged": SellerFilter(is_flagged=True),
    "exported": SellerFilter(is_exported=True),
    "removed": SellerFilter(status="removed"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sellers", type=int, default=500_000)
    home = Path(tempfile.mkdtemp(prefix="benchmark_"))
    try:
        engine = create_engine(create_database(start_embedded(home), "answer"))
        migrate(engine)
        began = time.monotonic()
        fill_answer(engine, parser.parse_args().sellers)
        print(f"{time.monotonic() - began:9.1f} s  filling")
        for name, page in pages(engine).items():
            print(f"{best(page) * 1000:9.1f} ms {name}")
        engine.dispose()
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


def pages(engine: sa.Engine) -> dict[str, Callable[[], object]]:
    sellers, products = SellerBrowser(engine), ProductBrowser(engine)
    profiles, collections, overview = SellerProfiles(engine), CollectionBrowser(engine), OverviewStore(engine)
    first, second = collections.one(ORG, "weekly-39"), collections.one(ORG, "weekly-40")
    assert first is not None, "the filling made it"
    assert second is not None, "the filling made it"
    month = datetime.now(UTC) - timedelta(days=30)
    return {
        **{
            f"sellers, {name}, by {sort}": lambda wanted=wanted, sort=sort: sellers.page(  # type: ignore[misc]
                ORG, wanted, sort, is_descending=True
            )
            for name, wanted in FILTERS.items()
            for sort in SellerSort
        },
        **{f"count of {name}": lambda wanted=wanted: sellers.count(ORG, wanted) for name, wanted in FILTERS.items()},  # type: ignore[misc]
        "one seller": lambda: profiles.profile(ORG, "ebay", "seller-5000"),
        "its listings": lambda: profiles.listings(ORG, "ebay", "seller-5000"),
        "products": lambda: products.page(ORG),
        "products by spread": lambda: products.page(ORG, sort=ProductSort.SPREAD),
        "products with words": lambda: products.page(ORG, words="coffee"),
        "products of a category": lambda: products.page(ORG, category="category-3", sort=ProductSort.POSITION),
        "one product": lambda: products.profile(ORG, "B000000105"),
        "its listings there": lambda: products.listings(ORG, "B000000105"),
        "collections": lambda: collections.page(ORG),
        "two compared": lambda: collections.compared(first, second),
        "who came": lambda: collections.changed(ORG, "weekly-39", "weekly-40", "came"),
        "overview: counts": lambda: overview.points(ORG),
        "overview: new sellers": lambda: overview.new_sellers(ORG, month),
        "overview: alerts": lambda: overview.alerts(None, month),
    }


def best(work: Callable[[], object]) -> float:
    def once() -> float:
        began = time.monotonic()
        work()
        return time.monotonic() - began

    return min(once() for _ in range(TRIES))


if __name__ == "__main__":
    main()
