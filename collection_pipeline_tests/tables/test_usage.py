import asyncio
from datetime import UTC, datetime

from collection_pipeline.core.usage import Call
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.usage import UsageStore
from collection_pipeline_tests.tables.examples import rows

SEARCH, BEST_SELLERS = Call("ebay", "search"), Call("oxylabs", "best_sellers")


def test_calls_count_to_the_vendors_own_day(store: Store) -> None:
    # Seven in the morning in London is still yesterday evening in California, in winter until eight.
    moments = iter([datetime(2026, 11, 23, 7, 59, tzinfo=UTC), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)])
    usage = UsageStore(store.engine, clock=lambda: next(moments))
    usage.count(SEARCH)
    usage.count(SEARCH)
    assert rows(store, "SELECT day::text, calls FROM api_usage ORDER BY day") == [("2026-11-22", 1), ("2026-11-23", 1)]


def test_calls_of_many_workers_are_all_counted(store: Store) -> None:
    async def call_often() -> None:
        await asyncio.gather(*(store.usage.admit(call) for call in [SEARCH, BEST_SELLERS] * 50))

    asyncio.run(call_often())
    assert rows(store, "SELECT source, operation, calls, cost::int FROM api_usage ORDER BY 1") == [
        ("ebay", "search", 50, 50),
        ("oxylabs", "best_sellers", 50, 50),
    ]
