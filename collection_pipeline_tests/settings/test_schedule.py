from decimal import Decimal

import pytest

from collection_pipeline.core.collecting.scheduling import ScheduleConfig
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import BandRule
from collection_pipeline.settings.schedule import schedule_config


def test_without_any_setting_it_is_monthly_on_the_first_at_three() -> None:
    assert schedule_config({}) == ScheduleConfig("scheduled", "0 3 1 * *", "UTC", "starter", BandRule(), None)


def test_every_setting_is_read() -> None:
    words = {"NAME": "weekly", "CRON": "0 4 * * MON", "TIMEZONE": "Europe/Berlin", "PRESET": "all"}
    numbers = {"MIN_MARKUP": "0", "MAX_MARKUP": "50.5", "CAP": "0", "BUDGET": "900"}
    values = {f"COLLECTION_SCHEDULE_{key}": value for key, value in {**words, **numbers}.items()}
    values["COLLECTION_SCHEDULE_AS_FAR_AS_IT_GOES"] = "yes"
    band = BandRule(Decimal(0), Decimal("50.5"))
    assert schedule_config(values) == ScheduleConfig(
        "weekly", "0 4 * * MON", "Europe/Berlin", "all", band, Decimal(0), 900, True
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRON", "monthly"),
        ("TIMEZONE", "Europe/Nowhere"),
        ("TIMEZONE", "../etc/passwd"),
        ("CAP", "a lot"),
        ("CAP", "-1"),
        ("CAP", "NaN"),
        ("BUDGET", "0"),
        ("BUDGET", "1.5"),
        ("BUDGET", "0.005 USD"),
        ("MIN_MARKUP", "x"),
        ("NAME", "no spaces"),
        ("AS_FAR_AS_IT_GOES", "maybe"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be(name: str, value: str) -> None:
    with pytest.raises(PipelineError, match=f"COLLECTION_SCHEDULE_{name} is .*; it must be "):
        schedule_config({f"COLLECTION_SCHEDULE_{name}": value})
