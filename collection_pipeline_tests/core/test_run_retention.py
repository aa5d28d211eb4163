"""Which old runs may go, and the loop that takes them away, on a history that is a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.run_retention import (
    AT_MOST,
    BATCH,
    Kept,
    RunPurge,
    StoredRun,
    purge_runs,
    reason_to_keep,
)

LIMIT = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class ListedRuns:
    """A history of runs with ten events each."""

    runs: list[StoredRun]
    needs: Mapping[str, Kept] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)

    def page(self, after: str | None, limit: int) -> Sequence[StoredRun]:
        numbers = [run.run_id for run in self.runs]
        start = 0 if after is None else numbers.index(after) + 1
        return self.runs[start : start + limit]

    def needed(self, run_ids: Sequence[str]) -> Mapping[str, Kept]:
        return {run_id: self.needs[run_id] for run_id in run_ids if run_id in self.needs}

    def count_events(self, run_ids: Sequence[str]) -> int:
        return 10 * len(run_ids)

    def remove(self, run_ids: Sequence[str]) -> int:
        self.batches.append(len(run_ids))
        self.runs = [run for run in self.runs if run.run_id not in run_ids]
        return 10 * len(run_ids)


def ended(days_before: float, *, run_id: str = "r", collection_id: str = "c") -> StoredRun:
    ended_at = LIMIT - days_before * DAY
    return StoredRun(run_id, collection_id, min(ended_at, LIMIT - DAY) - DAY, ended_at)


def many(count: int) -> list[StoredRun]:
    return [ended(1, run_id=f"r{number}") for number in range(count)]


def purge(history: ListedRuns, *, only_count: bool = False, batch: int = BATCH) -> RunPurge:
    return purge_runs(history, LIMIT, lambda: {"open"}, lambda: LIMIT + 90 * DAY, only_count=only_count, batch=batch)


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (ended(1), None),
        (ended(1, collection_id="open"), Kept.OPEN_COLLECTION),
        (ended(0), Kept.RECENT),
        (ended(-3), Kept.RECENT),
        (StoredRun("r", "c", LIMIT - 300 * DAY, None), Kept.UNFINISHED),
    ],
)
def test_a_run_stays_for_what_it_says_itself(run: StoredRun, reason: Kept | None) -> None:
    assert reason_to_keep(run, LIMIT, {"open"}) is reason


def test_batch_after_batch_goes_until_nothing_old_is_left() -> None:
    young = StoredRun("young", "c", LIMIT, LIMIT + DAY)
    history = ListedRuns([*many(2 * BATCH + 7), young])
    assert purge(history) == RunPurge(LIMIT, 2 * BATCH + 7, 10 * (2 * BATCH + 7), {}, is_complete=True)
    assert history.batches == [BATCH, BATCH, 7]
    assert history.runs == [young]


def test_counting_removes_nothing_and_comes_to_the_same() -> None:
    runs = [*many(BATCH + 1), ended(1, run_id="o", collection_id="open")]
    counted = purge(ListedRuns(runs), only_count=True)
    history = ListedRuns(list(runs))
    assert (counted, history.batches) == (purge(ListedRuns(list(runs))), [])
    assert counted.kept == {Kept.OPEN_COLLECTION: 1}


@given(
    kinds=st.lists(st.sampled_from(["goes", "unfinished", "recent", "open", "event", "check"]), max_size=40),
    young=st.integers(0, 5),
    batch=st.integers(1, 7),
)
def test_exactly_what_nothing_keeps_goes_wherever_it_stands(kinds: list[str], young: int, batch: int) -> None:
    history = ListedRuns([*_runs(kinds), *[StoredRun(f"y{n}", "young", LIMIT + DAY, None) for n in range(young)]])
    history.needs = {run.run_id: Kept.LATEST_EVENT for run in history.runs if run.collection_id == "event"}
    history.needs |= {run.run_id: Kept.LATEST_CHECK for run in history.runs if run.collection_id == "check"}
    purged = purge(history, batch=batch)
    assert "goes" not in {run.collection_id for run in history.runs}
    assert purged.runs == kinds.count("goes")
    assert len(history.runs) == len(kinds) - purged.runs + young == sum(purged.kept.values()) + young


def _runs(kinds: list[str]) -> Iterator[StoredRun]:
    for number, kind in enumerate(kinds):
        match kind:
            case "unfinished":
                yield StoredRun(f"r{number}", kind, LIMIT - DAY, None)
            case "recent":
                yield ended(-1, run_id=f"r{number}", collection_id=kind)
            case _:
                yield ended(1, run_id=f"r{number}", collection_id=kind)


def test_when_its_time_is_over_it_stops_and_says_so() -> None:
    times = iter([LIMIT, LIMIT, LIMIT + AT_MOST])
    history = ListedRuns(many(3 * BATCH))
    purged = purge_runs(history, LIMIT, set, lambda: next(times))
    assert (purged.runs, purged.is_complete, len(history.runs)) == (BATCH, False, 2 * BATCH)
    assert purged.lines("removed")[-1] == "Dagster: the time for one purge is over. The next one goes on."


def test_a_collection_that_is_resumed_meanwhile_keeps_its_runs() -> None:
    answers = iter([set[str](), {"c"}])
    history = ListedRuns(many(2 * BATCH))
    purged = purge_runs(history, LIMIT, lambda: next(answers), lambda: LIMIT)
    assert (purged.runs, purged.kept) == (BATCH, {Kept.OPEN_COLLECTION: BATCH})


def test_a_purge_is_told_in_sentences() -> None:
    purged = RunPurge(LIMIT, 1_200, 228_000, {Kept.LATEST_EVENT: 79})
    assert purged.lines("would be removed") == [
        "Dagster: 1,200 runs with 228,000 events from before 2026-05-01 00:00 UTC would be removed.",
        "Dagster: 79 runs as old stay, each because it holds the latest materialization, observation or attempt of an "
        "asset's partition.",
    ]
