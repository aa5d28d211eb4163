import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from collection_pipeline.core.collecting.collections import CollectionPlan
from collection_pipeline.core.collecting.usage import DEFAULT_LIMITS, Call, CallLedger, Limits
from collection_pipeline.core.errors import BudgetSpent, PipelineError, QuotaExhausted
from collection_pipeline.tables.collecting.governor import LEASE_S, Governor
from collection_pipeline.tables.server.database import create_engine
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import BAND, rows

SEARCH, TOKEN, BEST_SELLERS = Call("ebay", "search"), Call("ebay", "token"), Call("oxylabs", "best_sellers")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def governor(
    store: Store, *, clock: Callable[[], datetime] = lambda: NOON, lease_s: float = LEASE_S, **ebay: float
) -> Governor:
    limits = replace(Limits(requests_per_s=1000, in_flight=50), **ebay)  # type: ignore[arg-type]
    return Governor(store.engine, {**DEFAULT_LIMITS, "ebay": limits, "oxylabs": limits}, clock, lease_s)


async def five_workers(store: Store, count: int, **limits: Any) -> list[float | BaseException]:
    """`count` searches of one run's five workers, one after the other each: when they were let through, or why not."""
    ledger, waiting = governor(store, **limits).ledger(), iter(range(count))
    made: list[float | BaseException] = []

    async def work() -> None:
        for _ in waiting:
            try:
                made.append(await make(ledger, SEARCH))
            except (QuotaExhausted, BudgetSpent) as refused:
                made.append(refused)

    await asyncio.gather(*(work() for _ in range(5)))
    return made


async def five_runs(store: Store, count: int, **limits: Any) -> list[float | BaseException]:
    """The same of five runs at once, each with connections of its own."""
    engines = [create_engine(store.engine.url) for _ in range(5)]
    try:
        made = await asyncio.gather(*(five_workers(Store(engine), count, **limits) for engine in engines))
        return [moment for moments in made for moment in moments]
    finally:
        for engine in engines:
            engine.dispose()


async def make(ledger: CallLedger, call: Call, seconds: float = 0) -> float:
    """Makes a call that takes some seconds; when it was let through."""
    async with ledger.call(call):
        moment = time.monotonic()
        await asyncio.sleep(seconds)
    return moment


def test_calls_count_to_the_vendors_own_day(store: Store) -> None:
    # Seven in the morning in London is still yesterday evening in California, in winter until eight.
    moments = [datetime(2026, 11, 23, 7, 59, tzinfo=UTC), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)]
    for moment in moments:
        asyncio.run(make(governor(store, clock=lambda moment=moment: moment).ledger(), SEARCH))  # type: ignore[misc]
    assert rows(store, "SELECT day::text, calls FROM api_usage ORDER BY day") == [("2026-11-22", 1), ("2026-11-23", 1)]


def test_calls_of_many_workers_and_runs_are_all_counted(store: Store) -> None:
    asyncio.run(five_runs(store, 20))
    asyncio.run(make(governor(store).ledger(), TOKEN))
    assert rows(store, "SELECT operation, calls, cost::int FROM api_usage ORDER BY 1") == [
        ("search", 100, 100),
        ("token", 1, 0),
    ]


@pytest.mark.alone
def test_all_runs_together_keep_to_one_rate_and_use_it(store: Store) -> None:
    moments = sorted(one for one in asyncio.run(five_runs(store, 20, requests_per_s=50)) if isinstance(one, float))
    # 100 calls at 50 a second take 2 s; nearly all of the time is used, and the rate is never exceeded.
    assert 99 / 50 <= moments[-1] - moments[0] < 99 / 50 * 1.2
    for first in moments:
        assert sum(first <= moment < first + 1 for moment in moments) <= 51


def test_all_runs_together_keep_to_one_number_in_flight(store: Store) -> None:
    in_flight, highest = 0, 0

    async def one(ledger: CallLedger) -> None:
        nonlocal in_flight, highest
        async with ledger.call(SEARCH):
            in_flight += 1
            highest = max(highest, in_flight)
            await asyncio.sleep(0.02)
            in_flight -= 1

    async def ask() -> None:
        ledger = governor(store, in_flight=3).ledger()
        for _ in range(4):
            await asyncio.gather(*(one(ledger) for _ in range(5)))

    asyncio.run(ask())
    assert highest == 3


def test_where_all_places_are_taken_one_worker_of_a_run_looks_for_all(store: Store) -> None:
    looks: list[str] = []

    async def wait_in_vain() -> None:
        async with governor(store, in_flight=1).ledger() as first, governor(store, in_flight=1).ledger() as second:
            async with first.call(SEARCH):
                sa.event.listen(store.engine, "before_cursor_execute", lambda *told: looks.append(told[2]))
                waiting = [asyncio.create_task(make(second, SEARCH)) for _ in range(10)]
                await asyncio.sleep(0.3)  # a worker looks after 20, 60, 140 and 300 ms
                assert len([one for one in looks if "admit_call" in one]) <= 6
            await asyncio.gather(*waiting)

    asyncio.run(wait_in_vain())
    assert rows(store, "SELECT calls FROM api_usage") == [(11,)]


def places_taken(store: Store) -> int:
    return len(rows(store, "SELECT number FROM requests_in_flight WHERE held_until > clock_timestamp()"))


def change(store: Store, statement: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text(statement))


def test_a_place_is_free_again_when_its_call_has_failed(store: Store) -> None:
    async def fail(ledger: CallLedger) -> None:
        async with ledger.call(SEARCH):
            raise RuntimeError("the call failed")

    async def ask() -> None:
        ledger = governor(store, in_flight=1).ledger()
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await fail(ledger)

    asyncio.run(ask())


def test_a_place_goes_back_when_no_other_request_follows_and_at_once_when_the_ledger_is_closed(store: Store) -> None:
    async def ask() -> None:
        ledger = governor(store).ledger()
        await make(ledger, SEARCH)
        while await asyncio.to_thread(places_taken, store):
            await asyncio.sleep(0.01)
        async with ledger:
            await make(ledger, SEARCH)
        assert places_taken(store) == 0

    asyncio.run(asyncio.wait_for(ask(), 30))


def test_the_places_of_a_run_that_died_are_free_once_their_leases_have_ended(store: Store) -> None:
    async def die() -> None:
        async with governor(store, in_flight=1, lease_s=0.5).ledger().call(SEARCH):
            raise SystemExit  # its event loop ends with it, before anything is given back

    with pytest.raises(SystemExit):
        asyncio.run(die())
    assert places_taken(store) == 1
    began = time.monotonic()
    asyncio.run(asyncio.wait_for(make(governor(store, in_flight=1).ledger(), SEARCH), 30))
    assert time.monotonic() - began < 10


def test_a_request_that_takes_longer_than_a_lease_keeps_its_place(store: Store) -> None:
    async def ask() -> None:
        async with governor(store, in_flight=1, lease_s=1).ledger() as ledger:
            slow = asyncio.create_task(make(ledger, SEARCH, seconds=3))
            await asyncio.sleep(0.5)
            second = await make(governor(store, in_flight=1).ledger(), SEARCH)
            assert second - await slow >= 3

    asyncio.run(ask())


def test_a_run_that_has_lost_its_place_or_the_database_gives_its_request_up(store: Store) -> None:
    async def ask(disturb: str) -> None:
        is_let_through = asyncio.Event()

        async def request(ledger: CallLedger) -> None:
            async with ledger.call(SEARCH):
                is_let_through.set()
                await asyncio.sleep(60)

        async with governor(store, lease_s=1).ledger() as ledger:
            slow = asyncio.create_task(request(ledger))
            await is_let_through.wait()
            await asyncio.to_thread(change, store, disturb)
            with pytest.raises(PipelineError, match="A request to ebay was given up"):
                await asyncio.wait_for(slow, 10)

    asyncio.run(ask("UPDATE requests_in_flight SET holder = 'another'"))
    asyncio.run(ask("ALTER TABLE requests_in_flight RENAME TO gone"))


def test_the_vendors_own_rate_tightens_the_limit_and_never_widens_it(store: Store) -> None:
    async def seconds_for_ten(rate: float) -> float:
        ledger = governor(store, requests_per_s=100).ledger()
        await ledger.observed("oxylabs", rate)
        moments = [await make(ledger, BEST_SELLERS) for _ in range(11)]
        return moments[-1] - moments[0]

    assert asyncio.run(seconds_for_ten(20)) >= 0.5
    assert asyncio.run(seconds_for_ten(10_000)) >= 0.1


def test_no_call_is_made_beyond_the_days_quota(store: Store) -> None:
    made = asyncio.run(five_runs(store, 5, calls_per_day=10))
    refused = [one for one in made if isinstance(one, QuotaExhausted)]
    assert (len(made), len(refused)) == (25, 15)
    assert {one.resets_at for one in refused} == {datetime(2026, 11, 24, 8, tzinfo=UTC)}
    assert governor(store, calls_per_day=10).left_today("ebay") == 0
    assert rows(store, "SELECT calls FROM api_usage") == [(10,)]
    tomorrow = asyncio.run(five_workers(store, 3, calls_per_day=10, clock=lambda: NOON + timedelta(days=1)))
    assert all(isinstance(one, float) for one in tomorrow)


def test_no_call_is_made_beyond_a_collections_cost_cap(store: Store) -> None:
    store.collections.start(CollectionPlan("c1", ("books",), BAND, cost_cap=Decimal(7)))

    async def ask() -> int:
        ledger, made = governor(store).ledger("c1"), 0
        with pytest.raises(BudgetSpent, match="collections resume c1 --cap"):  # noqa: PT012
            for _ in range(20):
                await make(ledger, SEARCH)
                made += 1
        return made

    assert asyncio.run(ask()) == 7
    assert store.collections.get("c1").cost == 7
    assert rows(store, "SELECT calls FROM api_usage") == [(7,)]
