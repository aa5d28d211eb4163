"""One eBay token for all processes of a home."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from collection_pipeline.core.collecting.listings import ListingQuery
from collection_pipeline.processes import token_file
from collection_pipeline.processes.token_file import TokenFile
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.server import RunningSimulator, running
from collection_pipeline.sources.ebay.token import EbayAccount
from collection_pipeline.sources.opening import open_listings
from collection_pipeline_tests.sources.asking import Ledger, query_for

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running(SimulatorConfig(products_per_page=5, listings_per_product=10, sellers=20)) as started:
        yield started


@pytest.fixture(autouse=True)
def as_new(simulator: RunningSimulator) -> None:
    simulator.reset()


def search_as_run(simulator: RunningSimulator, home: Path, *, secret: str = "hunter3", now: datetime = NOON) -> None:
    """What a run does, which opens a source of its own."""
    search(simulator.ebay_url, query_for(simulator), home, secret, now)


def search(url: str, query: ListingQuery, home: Path, secret: str = "hunter3", now: datetime = NOON) -> None:
    async def ask() -> None:
        account = EbayAccount(url, "id", secret)
        async with open_listings(account, Ledger(), clock=lambda: now, shared=TokenFile(home)) as source:
            await source.search(query, 1)

    asyncio.run(ask())


def search_at(moment: float, url: str, query: ListingQuery, home: Path) -> None:
    time.sleep(max(0.0, moment - time.time()))
    search(url, query, home)


def minted(simulator: RunningSimulator) -> int:
    return int(simulator.stats()["requests"].get("ebay.token", 0))


def test_one_run_mints_and_the_others_use_what_it_left(simulator: RunningSimulator, tmp_path: Path) -> None:
    for _ in range(3):
        search_as_run(simulator, tmp_path)
    assert minted(simulator) == 1


def test_processes_that_start_at_once_mint_one_token(simulator: RunningSimulator, tmp_path: Path) -> None:
    simulator.configure(ebay_latency_s=0.5)
    together = time.time() + 3  # by then all of them have imported what they need
    arguments = (together, simulator.ebay_url, query_for(simulator), tmp_path)
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as runs:
        for done in [runs.submit(search_at, *arguments) for _ in range(3)]:
            done.result()
    simulator.configure(ebay_latency_s=0)
    assert minted(simulator) == 1


def test_only_its_user_reads_it(simulator: RunningSimulator, tmp_path: Path) -> None:
    search_as_run(simulator, tmp_path)
    assert stat.S_IMODE((tmp_path / "ebay_token.json").stat().st_mode) == 0o600
    assert "hunter3" not in (tmp_path / "ebay_token.json").read_text()


def test_a_token_that_is_about_to_expire_is_minted_anew(simulator: RunningSimulator, tmp_path: Path) -> None:
    search_as_run(simulator, tmp_path)
    search_as_run(simulator, tmp_path, now=NOON + timedelta(seconds=7200 - 299))
    assert minted(simulator) == 2


def test_another_account_does_not_use_it(simulator: RunningSimulator, tmp_path: Path) -> None:
    search_as_run(simulator, tmp_path)
    search_as_run(simulator, tmp_path, secret="hunter4")
    assert minted(simulator) == 2


def test_a_token_that_ebay_has_forgotten_is_replaced_for_everybody(simulator: RunningSimulator, tmp_path: Path) -> None:
    search_as_run(simulator, tmp_path)
    simulator.reset()
    search_as_run(simulator, tmp_path)
    search_as_run(simulator, tmp_path)
    assert minted(simulator) == 1


@pytest.mark.parametrize("left", ["", "{}", "[]", '{"account": 1}', "\x00", json.dumps({"good_until": "soon"})])
def test_what_cannot_be_read_is_replaced(simulator: RunningSimulator, tmp_path: Path, left: str) -> None:
    (tmp_path / "ebay_token.json").write_text(left)
    search_as_run(simulator, tmp_path)
    search_as_run(simulator, tmp_path)
    assert minted(simulator) == 1


def test_where_nothing_can_be_left_each_run_mints_for_itself(simulator: RunningSimulator, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for _ in range(2):
        search_as_run(simulator, tmp_path / "file")
    assert minted(simulator) == 2


def test_a_process_that_hangs_while_minting_keeps_nobody_waiting_for_ever(
    simulator: RunningSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_file, "PATIENCE_S", 0.3)
    hanging = (
        "import fasteners, sys; lock = fasteners.InterProcessLock(sys.argv[1]); lock.acquire(); print(lock); "
        "sys.stdin.read()"
    )
    words = [sys.executable, "-uc", hanging, str(tmp_path / "ebay_token.lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        began = time.monotonic()
        search_as_run(simulator, tmp_path)
        waited = time.monotonic() - began
        holder.kill()
    assert minted(simulator) == 1
    assert waited >= 0.3
