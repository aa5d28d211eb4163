from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.health import (
    HEARTBEAT_FAULT_S,
    Finding,
    Heartbeat,
    Level,
    clock,
    connections,
    daemons,
    disk,
    fault,
    has_fault,
    ok,
    open_files,
    quota,
    skipped,
    warning,
)

MIDNIGHT = datetime(2026, 11, 27, 8, tzinfo=UTC)
GB = 2**30


@pytest.mark.parametrize(
    ("finding", "level"),
    [
        (clock(0.0, 0.001), Level.OK),
        (clock(-1.9, 0.001), Level.OK),
        (clock(2.1, 0.001), Level.WARNING),
        (clock(-2.1, 0.001), Level.WARNING),
        (clock(3.0, 2.0), Level.OK),  # it may be one second only
        (clock(61.0, 0.1), Level.FAULT),
        (clock(-3_600.0, 0.1), Level.FAULT),
        (disk("home", "/data", 50 * GB, 100 * GB), Level.OK),
        (disk("home", "/data", 1 * GB, 100 * GB), Level.WARNING),
        (disk("home", "/data", 100 * 2**20, 100 * GB), Level.FAULT),
        (disk("home", "/data", 0, 0), Level.FAULT),
        (connections(79, 100), Level.OK),
        (connections(80, 100), Level.WARNING),
        (open_files(None), Level.OK),
        (open_files(1_024), Level.OK),
        (open_files(256), Level.WARNING),
        (quota("ebay", 4_999, 5_000, MIDNIGHT), Level.OK),
        (quota("ebay", 5_000, 5_000, MIDNIGHT), Level.WARNING),
        (quota("oxylabs", 9_999_999, None, MIDNIGHT), Level.OK),
        (daemons([Heartbeat("SENSOR", True, 10), Heartbeat("BACKFILL", False, None)]), Level.OK),
        (daemons([Heartbeat("SENSOR", True, 10), Heartbeat("QUEUE", True, None)]), Level.FAULT),
        (daemons([Heartbeat("SENSOR", True, HEARTBEAT_FAULT_S + 1)]), Level.FAULT),
        (daemons([]), Level.FAULT),
    ],
)
def test_figures_are_judged(finding: Finding, level: Level) -> None:
    assert finding.level is level
    assert finding.what.endswith(".")
    assert (finding.advice is not None) is (level in (Level.WARNING, Level.FAULT))


def test_a_daemon_that_is_silent_is_named() -> None:
    found = daemons([Heartbeat("SENSOR", True, 10), Heartbeat("QUEUED_RUN_COORDINATOR", True, 4_000)])
    assert "QUEUED_RUN_COORDINATOR" in found.what
    assert "SENSOR" not in found.what
    assert found.facts["QUEUED_RUN_COORDINATOR_age_s"] == 4_000


def test_only_a_fault_is_a_fault() -> None:
    harmless = [ok("a", "Fine."), skipped("b", "Not there."), warning("c", "Nearly full.", "Empty it.")]
    assert not has_fault(harmless)
    assert has_fault([*harmless, fault("d", "Gone.", "Bring it back.")])


@given(st.floats(-1e6, 1e6), st.floats(0, 1e3))
def test_the_clock_is_judged_alike_in_both_directions(ahead_s: float, uncertainty_s: float) -> None:
    assert clock(ahead_s, uncertainty_s).level is clock(-ahead_s, uncertainty_s).level


@given(st.floats(0, 1e4), st.floats(0, 10), st.floats(0, 10))
def test_a_clock_that_is_further_off_is_never_judged_better(off_s: float, more_s: float, uncertainty_s: float) -> None:
    levels = list(Level)
    nearer, further = clock(off_s, uncertainty_s), clock(off_s + more_s, uncertainty_s)
    assert levels.index(nearer.level) <= levels.index(further.level)
