import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.watching.alerts import FailedRun
from collection_pipeline.core.watching.cursors import LOOK_BACK, SETTLED, LogCursor, settled

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def test_what_is_young_waits_with_everything_after_it() -> None:
    old, young = NOW - SETTLED, NOW - SETTLED / 2
    entries = [FailedRun(n, at, "r", "j") for n, at in ((5, old), (2, old), (3, young), (4, old), (1, old))]
    assert [entry.id for entry in settled(entries, NOW)] == [1, 2]
    assert [entry.id for entry in settled(entries, NOW + SETTLED)] == [1, 2, 3, 4, 5]
    future = FailedRun(1, NOW + timedelta(hours=2), "r", "j")
    assert settled([future], NOW) == [future]


@pytest.mark.parametrize(
    "cursor", [None, "", "nonsense", "[]", "{}", '{"since": 3, "ids": {}}', '{"since": "2026-01-01"}']
)
def test_a_cursor_that_holds_nothing_begins_an_hour_ago(cursor: str | None) -> None:
    assert LogCursor.read(cursor, NOW) == LogCursor(NOW - LOOK_BACK, {})


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 2**60)))
def test_a_mark_survives_its_cursor(ids: dict[str, int]) -> None:
    mark = LogCursor(NOW, ids)
    assert LogCursor.read(str(mark), NOW + timedelta(days=1)) == mark
    json.loads(str(mark))


def test_a_mark_never_goes_back() -> None:
    mark = LogCursor(NOW, {"runs": 9}).after("runs", [FailedRun(4, NOW, "r", "j")]).after("checks", [])
    assert (mark.of("runs"), mark.of("checks")) == (9, 0)
