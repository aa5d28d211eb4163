"""Leases of runs: one holder at a time, for as long as it renews."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from collection_pipeline.tables.server.run_leases import Renewal, RunLeases
from collection_pipeline.tables.store import Store


def leases(store: Store, lease_s: float = 60) -> RunLeases:
    return RunLeases(store.engine, lease_s)


def test_of_many_that_want_a_run_one_gets_it(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda number: leases(store).take("r", f"w{number}"), range(8)))
    assert sum(taken) == 1
    assert leases(store).held(["r", "other"]) == {"r"}


def test_a_run_that_was_given_back_or_whose_holder_died_can_be_taken_again(store: Store) -> None:
    assert leases(store, lease_s=-1).take("r", "dead")
    assert leases(store).held(["r"]) == set()
    assert leases(store).take("r", "second")
    assert leases(store, lease_s=-1).renew("r", "dead") is Renewal.LOST
    leases(store).give_back("r", "dead")  # nobody's but its own
    assert not leases(store).take("r", "third")
    leases(store).give_back("r", "second")
    assert leases(store).take("r", "third")


def test_a_lease_that_has_ended_is_not_renewed_even_if_nobody_took_the_run(store: Store) -> None:
    assert leases(store, lease_s=-1).take("r", "late")
    assert leases(store).renew("r", "late") is Renewal.LOST


def test_a_holder_learns_that_its_run_is_to_stop_and_the_next_one_does_not(store: Store) -> None:
    assert not leases(store).stop("r")
    leases(store).take("r", "w")
    assert leases(store).renew("r", "w") is Renewal.HELD
    assert leases(store).stop("r")
    assert leases(store, lease_s=-1).renew("r", "w") is Renewal.STOPPING
    assert leases(store).take("r", "next")
    assert leases(store).renew("r", "next") is Renewal.HELD
