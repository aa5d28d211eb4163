import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.collecting.collections import OPEN_STATUSES, CollectionStatus
from collection_pipeline.core.collecting.scheduling import (
    ScheduleConfig,
    WrongSchedule,
    plain_cron,
    reason_not_to_start,
)
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import BandRule

DUE = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
CONFIG = ScheduleConfig()
BAND = BandRule()


@dataclass(frozen=True)
class There:
    collection_id: str
    status: CollectionStatus = CollectionStatus.RUNNING
    preset: str | None = "starter"
    band: BandRule | None = BAND
    org_id: str = "default"


@pytest.mark.parametrize(
    ("cron", "plain"),
    [
        ("0 3 1 * *", "0 3 1 * *"),
        ("*/15 0-0 * * *", "0,15,30,45 0 * * *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * fri-7", "0 0 * * 0,5,6"),
        ("0 3 1,15 * 1", "0 3 1,15 * 1"),
        ("5-59/27 3 1 JAN-mar,dec *", "5,32,59 3 1 1,2,3,12 *"),
        ("@Monthly", "0 0 1 * *"),
        ("0 3 29 2 *", "0 3 29 2 *"),
        ("0 3 */10 * *", "0 3 1,11,21,31 * *"),
        ("0 3 * * */2", "0 3 * * 0,2,4,6"),
        ("0 3 31 1,2 *", "0 3 31 1,2 *"),
        ("0 3 1-31 * 1", "0 3 * * *"),
        ("0 3 1 * 0-6", "0 3 * * *"),
    ],
)
def test_an_expression_is_spelled_out_in_numbers(cron: str, plain: str) -> None:
    assert plain_cron(cron) == plain
    assert plain_cron(plain) == plain


@pytest.mark.parametrize(
    "cron",
    ["", "0 3 1 *", "0 0 3 1 * *", "60 3 1 * *", "0 24 * * *", "0 3 0 * *", "0 3 32 * *", "0 3 1 13 *", "0 3 * * 8",
     "0 3 L * *", "0 3 * * 1#1", "0 3 ? * *", "H 3 * * *", "0 3 1 foo *", "0 3 * * fri-mon", "5/15 * * * *",
     "*/90 * * * *", "0 3 30 2 *", "0 3 31 4,6 *", "*/0 * * * *", "1-2-3 * * * *", ",1 * * * *",
     "@reboot", "0 3 1 mon *"],
)  # fmt: skip
def test_what_cron_does_not_understand_is_refused(cron: str) -> None:
    with pytest.raises(WrongSchedule, match="The cron of a schedule"):
        plain_cron(cron)


@pytest.mark.parametrize("cron", ["0 3 */10 * 1", "0 3 1 * */2"])
def test_what_crons_disagree_about_is_refused(cron: str) -> None:
    with pytest.raises(PipelineError, match="clear about its days"):
        plain_cron(cron)


@given(st.text(max_size=30) | st.lists(st.text("0123456789*/-,LW?#", max_size=6), min_size=5, max_size=5).map(" ".join))
def test_no_text_is_more_than_refused(text: str) -> None:
    with suppress(PipelineError):
        plain_cron(text)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ([], None),
        ([There("scheduled-20260301-0300", CollectionStatus.COMPLETED)], r"already there \(completed\)"),
        ([There("scheduled-20260201-0300", CollectionStatus.COMPLETED)], None),
        *(
            ([There("scheduled-20260201-0300", status, preset="former")], f"0201-0300 is still {status}")
            for status in OPEN_STATUSES
        ),
        ([There("scheduled-20260201-0300", CollectionStatus.PAUSED)], "Resume or cancel it"),
        ([There("by-hand")], "The former collection by-hand is still running"),
        ([There("by-hand", preset="other")], None),
        ([There("by-hand", band=BandRule(Decimal(1), Decimal(2)))], None),
        ([There("by-hand", CollectionStatus.FAILED)], None),
        ([There("scheduled-20260201-0300", org_id="another")], None),
        ([There("scheduled-twice-20260201-0300", preset="x")], None),
    ],
)
def test_why_a_tick_starts_nothing(there: list[There], said: str | None) -> None:
    reason = reason_not_to_start(CONFIG, DUE, "default", there)
    if said is None:
        assert reason is None
    else:
        assert reason is not None
        assert re.search(said, reason), reason
