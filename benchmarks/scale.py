"""What questions, pages and merges cost at N listings, beside a tenth of that.

Run by hand: .venv/bin/python -m benchmarks.scale --listings 10000000
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from benchmarks.scale_filling import PER_PRODUCT, category_of, fill_scaled
from collection_pipeline.core.collecting.listings import Listing, SellerFacts
from collection_pipeline.core.collecting.searches import SearchedPage, SearchStatus
from collection_pipeline.core.money import Money, PriceBand
from collection_pipeline.core.sellers.pseudonyms import plain
from collection_pipeline.query import QUESTIONS
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.server.embedded import create_database, start_embedded, stop_embedded
from collection_pipeline.tables.server.migrating import migrate
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.page_figures import FeedStore

ORG, COLLECTION, TRIES = "default", "c1", 5
PAGES, PER_PAGE = 200, 200
COPIED = (
    "org_id, asin, listing_id, marketplace, seller_key, seller_name, feedback_score, feedback_percent, title, price, "
    "currency, condition_id, is_fixed_price, is_delivery_free, country, url, first_collection_id, last_collection_id"
)


@dataclass(frozen=True)
class Measured:
    """Seconds by what took them, and the bytes of each table."""

    seconds: dict[str, float]
    bytes: dict[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=1_000_000)
    listings = parser.parse_args().listings
    home = Path(tempfile.mkdtemp(prefix="benchmark_"))
    try:
        address = start_embedded(home)
        small = measured(create_database(address, "small"), listings // 10)
        large = measured(create_database(address, "large"), listings)
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)
    print(f"{'':<44} {listings // 10:>12,} {listings:>12,}   ratio")
    for name, seconds in large.seconds.items():
        before = small.seconds[name]
        print(f"{name:<44} {before * 1000:>9,.1f} ms {seconds * 1000:>9,.1f} ms {seconds / before:>7.2f}")
    for name, size in large.bytes.items():
        print(f"{name:<44} {small.bytes.get(name, 0) / 2**20:>9,.0f} MB {size / 2**20:>9,.0f} MB")


def measured(address: sa.URL, listings: int) -> Measured:
    engine = create_engine(address)
    migrate(engine)
    began = time.monotonic()
    fill_scaled(engine, listings)
    seconds = {"filling": time.monotonic() - began}
    store = Store(engine, naming=plain)
    for name, question in QUESTIONS.items():
        asked = sa.text(question.replace("kitchen-coffee-machines", category_of(7)).replace(":", r"\:"))
        seconds[f"question {name}"] = best(lambda asked=asked: rows(engine, asked))  # type: ignore[misc]
    seconds |= {
        "difference of two lists, 100 changes": best(
            lambda: rows(engine, sa.text("SELECT * FROM seller_list_diff('default', 1, 2)"))
        ),
        "newest 100 events of a collection": best(lambda: store.activity.since("c7", 0)),
        "events of a collection, counted": best(lambda: FeedStore(engine).metrics("c7")),
        "names of one seller": best(lambda: store.history.versions(ORG, "seller-77")),
        "timeline": best(lambda: store.history.timeline(ORG)),
        "progress of a collection": best(lambda: store.collections.progress(COLLECTION)),
        "check figures_are_exact": best(lambda: store.quality.wrong_figures(ORG, category_of(7))),
        "merge of a category, nothing new": best(
            lambda: store.sellers.merge(ORG, COLLECTION, category_of(7), actor="benchmark")
        ),
        "a page of 200 known listings": best(lambda: write_page(store, 7, 0)),
        "a page of 200 new listings": best(Pages(store).write),
        "COPY of 200 listings into an empty table": copy_seconds(engine, empty_table(engine)),
        "the same with figures kept": copy_seconds(engine, "ebay_listings"),
    }
    sizes = {
        f"size of {table}, indexes included": size
        for table, size in rows(
            engine,
            sa.text(r"""
                SELECT CASE WHEN relispartition THEN 'activity_events' ELSE relname END,
                       CAST(sum(pg_total_relation_size(oid)) AS bigint)
                FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND (relispartition
                    OR relname IN ('ebay_listings', 'sellers', 'product_figures') OR relname LIKE 'seller\_%')
                GROUP BY 1 HAVING sum(pg_total_relation_size(oid)) > 1000000 ORDER BY 2 DESC
            """),
        )
    }
    engine.dispose()
    return Measured(seconds, sizes)


class Pages:
    """Pages of listings that nobody has seen before, each of another product."""

    def __init__(self, store: Store) -> None:
        self._store, self._written = store, 0

    def write(self) -> None:
        self._written += 1
        write_page(self._store, 100 + self._written, 1_000_000_000 + self._written * PER_PAGE)


def write_page(store: Store, product: int, first: int) -> None:
    """One page of a product's search, as a worker commits it."""
    asin = f"B{product:09}"
    start = first or product * PER_PRODUCT
    listings = [
        Listing(
            listing_id=f"l{start + n}",
            title="Listing",
            seller=SellerFacts(f"seller-{(start + n) % 5_000}", 10, Decimal("99.0")),
            price=Money(Decimal(40 + n % 50), "USD"),
            condition_id="1000",
            is_fixed_price=True,
            is_delivery_free=True,
            country="US",
            url="https://ebay.example",
        )
        for n in range(PER_PAGE)
    ]
    band = PriceBand(Decimal(10), Decimal(200), "USD")
    page = SearchedPage(asin, SearchStatus.PLANNED, "query", band, pages=1, calls=1)
    store.searches.checkpoints(ORG, COLLECTION).record(page, listings)


def empty_table(engine: sa.Engine) -> str:
    """A table like ebay_listings with its indexes, for which no figures are kept."""
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE copied (LIKE ebay_listings INCLUDING ALL)"))
    return "copied"


def copy_seconds(engine: sa.Engine, table: str) -> float:
    """Seconds that COPY takes for a page of listings, when it writes PAGES of them at once, each of another product."""
    text = io.StringIO()
    for n in range(PAGES * PER_PAGE):
        text.write(
            f"copied\tB{n // PER_PAGE:09}\tl{n}\tebay\tseller-{n % 5_000}\tSeller\t10\t99.0\tListing\t"
            f"{40 + n % 50}\tUSD\t1000\tt\tt\tUS\thttps://ebay.example\tc1\tc1\n"
        )
    raw = engine.raw_connection()
    began = time.monotonic()
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({COPIED}) FROM STDIN") as copy:  # type: ignore[attr-defined]
        copy.write(text.getvalue())
    raw.commit()
    took = time.monotonic() - began
    raw.close()
    return took / PAGES


def rows(engine: sa.Engine, query: sa.TextClause) -> list[sa.Row[tuple[object, ...]]]:
    with engine.connect() as connection:
        return list(connection.execute(query))


def best(work: Callable[[], object]) -> float:
    def once() -> float:
        began = time.monotonic()
        work()
        return time.monotonic() - began

    return min(once() for _ in range(TRIES))


if __name__ == "__main__":
    main()
