import pytest

from collection_pipeline.core.collecting.streaks import FAILURES_THAT_PAUSE, ReplyStreak
from collection_pipeline.core.errors import FailuresInARow, Transient

AWAY = Transient("reset", url="https://ebay.example/search")


def failed(times: int) -> ReplyStreak:
    streak = ReplyStreak()
    for _ in range(times):
        streak.failed(AWAY)
    return streak


def test_one_failure_less_than_the_limit_says_nothing() -> None:
    streak = failed(FAILURES_THAT_PAUSE - 1)
    assert streak.failure is None
    streak.require_answers()


def test_at_the_limit_the_source_is_away_and_the_last_failure_says_why() -> None:
    streak = failed(FAILURES_THAT_PAUSE)
    assert isinstance(streak.failure, FailuresInARow)
    assert (str(FAILURES_THAT_PAUSE) in str(streak.failure), "reset" in str(streak.failure)) == (True, True)
    assert streak.failure.url == AWAY.url
    with pytest.raises(FailuresInARow):
        streak.require_answers()


def test_a_good_reply_starts_the_count_anew() -> None:
    streak = failed(FAILURES_THAT_PAUSE - 1)
    streak.succeeded()
    streak.failed(AWAY)
    assert (streak.failures, streak.failure) == (1, None)
